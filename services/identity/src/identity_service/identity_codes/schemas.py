"""HTTP shapes of identity codes."""

from datetime import datetime
from uuid import UUID

from pydantic import Field

from identity_service.identity_codes.domain import KIND_LABELS, CodeKind
from identity_service.identity_codes.handlers import Bearer, ShownCode
from identity_service.legal_persons.domain import ACTS_AS_LABELS, ActsAs
from identity_service.profiles.domain import Attribute
from identity_service.schemas import Input, Output


class CodeRead(Output):
    """What goes into the QR code. It tells nothing by itself."""

    code: str
    kind: CodeKind
    kind_label: str
    expires_at: datetime

    @classmethod
    def of(cls, shown: ShownCode) -> "CodeRead":
        return cls(
            code=shown.text, kind=shown.kind, kind_label=KIND_LABELS[shown.kind], expires_at=shown.expires_at
        )


class CodeVerify(Input):
    """A code that a terminal has scanned."""

    code: str = Field(min_length=20, max_length=2000)
    reference: str | None = Field(
        default=None, max_length=200, description="Case or queue number that the person reads in the log."
    )


class PresentedLegalPerson(Output):
    """The legal person of an enterprise code, and in which capacity its bearer acts."""

    legal_person_id: UUID
    uscc: str
    name: str
    acts_as: ActsAs
    acts_as_label: str


class BearerRead(Output):
    """Who has shown the code. What the terminal has no scope for is absent."""

    kind: CodeKind
    kind_label: str
    subject: str = Field(description="The same for one department, another for each (pairwise).")
    trust_level: int
    name: str | None = None
    id_number: str | None = None
    phone: str | None = None
    legal_person: PresentedLegalPerson | None

    @classmethod
    def of(cls, bearer: Bearer) -> "BearerRead":
        presented = None
        if bearer.legal_person is not None and bearer.acts_as is not None:
            legal_person_id, uscc, name = bearer.legal_person
            presented = PresentedLegalPerson(
                legal_person_id=legal_person_id,
                uscc=uscc,
                name=name,
                acts_as=bearer.acts_as,
                acts_as_label=ACTS_AS_LABELS[bearer.acts_as],
            )
        return cls(
            kind=bearer.kind,
            kind_label=KIND_LABELS[bearer.kind],
            subject=bearer.subject,
            trust_level=bearer.trust_level,
            name=bearer.attributes.get(Attribute.NAME),
            id_number=bearer.attributes.get(Attribute.ID_NUMBER),
            phone=bearer.attributes.get(Attribute.PHONE),
            legal_person=presented,
        )
