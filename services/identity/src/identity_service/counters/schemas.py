"""HTTP shapes of counter checks."""

from datetime import date, datetime

from pydantic import Field

from gov_rules.identifiers import mask_name
from identity_service.counters.handlers import GuardianSeen, Seen
from identity_service.counters.presence import Met
from identity_service.identity_codes.domain import KIND_LABELS, CodeKind
from identity_service.identity_codes.schemas import PresentedLegalPerson
from identity_service.legal_persons.domain import ACTS_AS_LABELS
from identity_service.people.domain import TRUST_LEVELS, DocumentClaim, DocumentKind
from identity_service.people.models import Person
from identity_service.people.schemas import RealNameResult
from identity_service.schemas import Input, Output


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
    uscc: str | None = Field(
        default=None,
        min_length=18,
        max_length=18,
        description="In whose matter the person has come, when not the own: a legal person that they act for.",
    )

    def seen(self) -> Seen:
        return Seen(self.phone, self.name, self.document(), self.evidence_reference, self.note)


class GuardianCheck(_DocumentSeen):
    """A guardian with the papers of a child."""

    guardian_phone: str = Field(min_length=11, max_length=20, examples=["19900000001"])
    child_name: str = Field(min_length=2, max_length=100, examples=["王小苗"])

    def seen(self) -> GuardianSeen:
        return GuardianSeen(self.guardian_phone, self.child_name, self.document(), self.evidence_reference)


class CodeShown(Input):
    """The code on the screen of somebody who stands at the counter, as the clerk has scanned it."""

    code: str = Field(
        min_length=20, max_length=2000, examples=["eyJhbGciOiJFUzI1NiJ9.eyJqdGkiOiIuLi4ifQ.c2lnbmVk"]
    )


class PresenceRead(Output):
    """Who is there, and the proof of it: for one draft at this department's counter, within ten minutes."""

    presence: str = Field(description="Handed on to `/acceptance/v1/window/applications`; used up by it.")
    expires_at: datetime
    kind: CodeKind
    kind_label: str
    name: str | None = Field(description="Masked; absent until verified.")
    trust_level: int
    trust_level_label: str
    legal_person: PresentedLegalPerson | None = Field(description="In whose matter the person has come.")

    @classmethod
    def of(cls, met: Met, proof: str) -> "PresenceRead":
        company = met.company
        kind = CodeKind.PERSON if company is None else CodeKind.LEGAL_PERSON
        level = met.presence.trust_level
        return cls(
            presence=proof,
            expires_at=met.presence.expires_at,
            kind=kind,
            kind_label=KIND_LABELS[kind],
            name=mask_name(met.name) if met.name else None,
            trust_level=level,
            trust_level_label=TRUST_LEVELS[level],
            legal_person=PresentedLegalPerson(
                legal_person_id=company.legal_person.id,
                uscc=company.legal_person.uscc,
                name=company.legal_person.name,
                acts_as=company.acts_as,
                acts_as_label=ACTS_AS_LABELS[company.acts_as],
            )
            if company
            else None,
        )


class CounterCheckResult(RealNameResult):
    """The level after the check, and the proof that the person is there."""

    presence: PresenceRead

    @classmethod
    def checked(cls, person: Person, presence: PresenceRead) -> "CounterCheckResult":
        return cls(**RealNameResult.of(person).model_dump(), presence=presence)
