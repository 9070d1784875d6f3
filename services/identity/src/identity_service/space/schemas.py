"""HTTP shapes of the personal space."""

from datetime import datetime
from typing import Literal

from pydantic import Field, SecretStr

from identity_service.schemas import Input, Output
from identity_service.space.domain import SOURCE_LABELS, Source
from identity_service.space.handlers.consents import Given
from identity_service.space.handlers.profile import Fact


class FactRead(Output):
    """One attribute of the profile, masked."""

    attribute: str
    value: str | None = Field(description="Masked; null when not known.")
    source: Source
    source_label: str
    confirmed_at: datetime | None
    expires_at: datetime | None

    @classmethod
    def of(cls, fact: Fact) -> "FactRead":
        return cls(
            attribute=fact.attribute,
            value=fact.value,
            source=fact.source,
            source_label=SOURCE_LABELS[fact.source],
            confirmed_at=fact.confirmed_at,
            expires_at=fact.expires_at,
        )


class ProfileFacts(Output):
    """All attributes; few, so not in pages."""

    items: list[FactRead]


class ConsentRead(Output):
    """What was allowed to an application."""

    client_id: str
    client_name: str | None
    department_name: str | None
    scopes: list[str]
    given_at: datetime

    @classmethod
    def of(cls, given: Given) -> "ConsentRead":
        return cls(
            client_id=given.consent.client_id,
            client_name=given.client_name,
            department_name=given.department_name,
            scopes=given.consent.scopes,
            given_at=given.consent.given_at,
        )


class ConsentList(Output):
    """One for each application; short by nature, so not in pages."""

    items: list[ConsentRead]


class Closing(Input):
    """Who closes an account shows the password once more."""

    password: SecretStr = Field(max_length=200)


class Preferences(Input):
    """In which language text messages come."""

    language: Literal["zh", "en"]
