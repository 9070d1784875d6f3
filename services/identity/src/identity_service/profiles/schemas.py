"""HTTP shapes of profile look-ups and the access log."""

from datetime import datetime
from typing import Any, Self
from uuid import UUID

from pydantic import Field, model_validator

from identity_service.profiles.domain import Attribute
from identity_service.profiles.handlers import Wish
from identity_service.schemas import Input, Output


class ProfileLookup(Input):
    """Whose attributes, which, and why. Exactly one of the two ids."""

    person_id: UUID | None = None
    legal_person_id: UUID | None = None
    attributes: frozenset[Attribute] = Field(min_length=1)
    purpose: str = Field(min_length=2, max_length=200, examples=["PREFILL"])
    case_or_application_id: UUID | None = Field(default=None, description="What it is needed for.")

    @model_validator(mode="after")
    def _one_subject(self) -> Self:
        if (self.person_id is None) == (self.legal_person_id is None):
            raise ValueError("give person_id or legal_person_id, not both")
        return self

    def wish(self) -> Wish:
        reference = self.case_or_application_id
        return Wish(
            self.person_id,
            self.legal_person_id,
            self.attributes,
            self.purpose,
            str(reference) if reference else None,
        )


class ProfileRead(Output):
    """The asked attributes. Absent verification is null."""

    person_id: UUID | None
    legal_person_id: UUID | None
    attributes: dict[Attribute, Any]


class AccessRead(Output):
    """One look at data of the caller."""

    id: UUID
    subject_id: UUID = Field(description="The caller, or a legal person that the caller represents.")
    at: datetime
    client_id: str
    department_id: UUID | None
    attributes: list[str]
    purpose: str
    reference: str | None
