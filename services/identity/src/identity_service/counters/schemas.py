"""HTTP shapes of counter checks."""

from datetime import date

from pydantic import Field

from identity_service.counters.handlers import GuardianSeen, Seen
from identity_service.people.domain import DocumentClaim, DocumentKind
from identity_service.schemas import Input


class _DocumentSeen(Input):
    id_number: str = Field(min_length=5, max_length=20, examples=["990101194901010011"])
    document_kind: DocumentKind | None = None
    document_country: str | None = Field(default=None, pattern=r"^[A-Z]{3}$", description="ISO 3166 alpha-3.")
    birth_date: date | None = Field(default=None, description="Of a travel document.")
    evidence_reference: str = Field(
        min_length=3, max_length=200, examples=["GT-2026-000123"], description="Where the papers are kept."
    )

    def document(self) -> DocumentClaim:
        return DocumentClaim(self.id_number, self.document_kind, self.document_country, self.birth_date)


class CounterCheck(_DocumentSeen):
    """Who stood at the counter, and with which document."""

    phone: str = Field(min_length=11, max_length=20, examples=["19900000001"])
    name: str = Field(min_length=2, max_length=100, examples=["王小麦"])
    note: str = Field(default="", max_length=500, description="What the clerk has seen; sealed.")

    def seen(self) -> Seen:
        return Seen(self.phone, self.name, self.document(), self.evidence_reference, self.note)


class GuardianCheck(_DocumentSeen):
    """A guardian with the papers of a child."""

    guardian_phone: str = Field(min_length=11, max_length=20, examples=["19900000001"])
    child_name: str = Field(min_length=2, max_length=100, examples=["王小苗"])

    def seen(self) -> GuardianSeen:
        return GuardianSeen(self.guardian_phone, self.child_name, self.document(), self.evidence_reference)
