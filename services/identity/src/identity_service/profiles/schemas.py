"""HTTP shapes of profile look-ups and the access log."""

from datetime import datetime
from typing import Any, Self
from uuid import UUID

from pydantic import Field, model_validator

from identity_service.profiles.domain import PURPOSE_LABELS, Attribute
from identity_service.profiles.handlers import Look, Wish
from identity_service.schemas import Input, Output


class ProfileLookup(Input):
    """Whose attributes, which, and why. Exactly one of the two ids."""

    person_id: UUID | None = None
    legal_person_id: UUID | None = None
    attributes: frozenset[Attribute] = Field(min_length=1)
    purpose: str = Field(min_length=2, max_length=200, examples=["PREFILL"])
    case_or_application_id: UUID | None = Field(default=None, description="What it is needed for.")
    legal_basis: str | None = Field(
        default=None,
        min_length=2,
        max_length=200,
        description="Law and article; by default that of the purpose.",
    )
    department_id: UUID | None = Field(
        default=None, description="For which department a service of ours looks; a partner's is its own."
    )

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
            self.legal_basis,
            self.department_id,
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
    client_name: str | None
    department_id: UUID | None
    department_name: str | None
    attributes: list[str]
    purpose: str
    purpose_label: str
    legal_basis: str | None
    reference: str | None = Field(description="Case, application, or where the evidence is kept.")

    @classmethod
    def of(cls, look: Look) -> "AccessRead":
        row = look.entry
        return cls(
            id=row.id,
            subject_id=row.subject_id,
            at=row.at,
            client_id=row.client_id,
            client_name=look.client_name,
            department_id=row.department_id,
            department_name=look.department_name,
            attributes=row.attributes,
            purpose=row.purpose,
            purpose_label=PURPOSE_LABELS.get(row.purpose, row.purpose),
            legal_basis=row.legal_basis,
            reference=row.reference,
        )
