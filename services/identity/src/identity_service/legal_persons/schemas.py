"""HTTP shapes of legal persons and agents."""

from datetime import datetime
from typing import Literal
from uuid import UUID

from pydantic import AwareDatetime, Field

from gov_rules.identifiers import OrganisationKind
from identity_service.legal_persons.domain import ACTS_AS_LABELS, ActsAs
from identity_service.legal_persons.handlers import Represented
from identity_service.schemas import Input, Output


class LegalPersonCreate(Input):
    """A legal person whose representative is the caller."""

    uscc: str = Field(min_length=18, max_length=18, examples=["91990101MA0000A19H"])
    name: str = Field(min_length=2, max_length=200, examples=["试验田便利店有限公司"])


class LegalPersonRead(Output):
    """A legal person."""

    id: UUID
    uscc: str
    name: str
    kind: OrganisationKind
    confirmed_at: datetime
    is_active: bool


class RepresentedRead(Output):
    """A legal person that the caller may act for."""

    legal_person_id: UUID
    uscc: str
    name: str
    kind: OrganisationKind
    acts_as: ActsAs
    acts_as_label: str
    valid_until: datetime | None

    @classmethod
    def of(cls, one: Represented) -> "RepresentedRead":
        return cls(
            legal_person_id=one.legal_person.id,
            uscc=one.legal_person.uscc,
            name=one.legal_person.name,
            kind=one.legal_person.kind,
            acts_as=one.acts_as,
            acts_as_label=ACTS_AS_LABELS[one.acts_as],
            valid_until=one.valid_until,
        )


class RepresentedList(Output):
    """Everything that the caller may act for; short by nature, so not in pages."""

    items: list[RepresentedRead]


class AgentAppoint(Input):
    """Whom to appoint: the name and phone of a verified person."""

    name: str = Field(min_length=2, max_length=100, examples=["李谷雨"])
    phone: str = Field(min_length=11, max_length=20, examples=["19900000002"])
    valid_until: AwareDatetime | None = Field(default=None, description="Absent: until revoked.")
    role: Literal[ActsAs.AGENT, ActsAs.ADMINISTRATOR] = Field(
        default=ActsAs.AGENT, description="An administrator appoints and revokes agents as well."
    )


class AgentRead(Output):
    """An appointment."""

    id: UUID
    legal_person_id: UUID
    person_id: UUID
    appointed_at: datetime
    valid_until: datetime | None
    revoked_at: datetime | None
    role: ActsAs
    suspended_at: datetime | None = Field(
        description="Since a change of representative; not acting until confirmed."
    )
