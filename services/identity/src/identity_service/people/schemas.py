"""HTTP shapes of persons."""

from datetime import date, datetime
from uuid import UUID

from pydantic import Base64Bytes, Field, SecretStr

from gov_rules.identifiers import mask_identity_number, mask_name, mask_phone
from identity_service.people.domain import (
    DOCUMENT_LABELS,
    METHOD_LABELS,
    TRUST_LEVELS,
    CodePurpose,
    DocumentClaim,
    DocumentKind,
    VerificationMethod,
)
from identity_service.people.handlers.sealing import Profile
from identity_service.people.models import Person, Verification
from identity_service.schemas import Input, Output


class PhoneCodeRequest(Input):
    """Where to send a code."""

    phone: str = Field(min_length=11, max_length=20, examples=["19900000001"])
    purpose: CodePurpose = CodePurpose.SIGN_UP


class PersonCreate(Input):
    """Sign-up."""

    username: str = Field(min_length=3, max_length=40, examples=["wang.xiaomai"])
    password: SecretStr = Field(examples=["correct horse battery"])
    phone: str = Field(min_length=11, max_length=20, examples=["19900000001"])
    code: str = Field(pattern=r"^\d{6}$", examples=["042017"], description="From the text message.")


class PersonCreated(Output):
    """The new person."""

    person_id: UUID
    trust_level: int


class RealNameRequest(Input):
    """Name and number, as they stand on the identity document.

    A number of 18 characters tells its kind. A travel document needs kind, issuing country and birth date as well.
    """

    name: str = Field(min_length=2, max_length=100, examples=["王小麦"])
    id_number: str = Field(min_length=5, max_length=20, examples=["990101194901010011"])
    document_kind: DocumentKind | None = None
    document_country: str | None = Field(
        default=None, pattern=r"^[A-Z]{3}$", examples=["HKG"], description="ISO 3166 alpha-3."
    )
    birth_date: date | None = None

    def document(self) -> DocumentClaim:
        return DocumentClaim(self.id_number, self.document_kind, self.document_country, self.birth_date)


class FaceRequest(Input):
    """A picture, passed on to the authority and not kept."""

    picture: Base64Bytes = Field(max_length=700_000, description="JPEG or PNG, base64, at most 700 KB.")


class NetworkIdentityRequest(Input):
    """A network credential 网证, shown of one's own will."""

    credential: str = Field(pattern=r"^[0-9A-Z]{10,100}$", examples=["WZ3KQ6ZUXN7T"])


class VerificationRead(Output):
    """One verification, successful or not. The evidence itself stays sealed."""

    id: UUID
    method: VerificationMethod
    method_label: str
    result: str
    level: int | None = Field(description="What it gives while it has not expired; null when it failed.")
    checked_at: datetime
    expires_at: datetime | None
    reference: str | None = Field(description="Under which the authority or the counter keeps it.")
    department_id: UUID | None

    @classmethod
    def of(cls, row: Verification) -> "VerificationRead":
        return cls(
            id=row.id,
            method=row.method,
            method_label=METHOD_LABELS[row.method],
            result=row.result,
            level=row.level,
            checked_at=row.checked_at,
            expires_at=row.expires_at,
            reference=row.reference,
            department_id=row.department_id,
        )


class PersonSelf(Output):
    """What a person sees of itself, masked: the screen may be seen by others."""

    person_id: UUID
    username: str
    phone: str | None = Field(description="Masked; absent of a child without an own account.")
    name: str | None = Field(description="Masked; absent until verified.")
    id_number: str | None = Field(description="Masked; absent until verified.")
    document_kind: DocumentKind | None
    document_label: str | None
    trust_level: int
    trust_level_label: str

    @classmethod
    def of(cls, profile: Profile, username: str) -> "PersonSelf":
        return cls(
            person_id=profile.person_id,
            username=username,
            phone=mask_phone(profile.phone) if profile.phone else None,
            name=mask_name(profile.name) if profile.name else None,
            id_number=mask_identity_number(profile.id_number) if profile.id_number else None,
            document_kind=profile.document_kind,
            document_label=DOCUMENT_LABELS[profile.document_kind] if profile.document_kind else None,
            trust_level=profile.trust_level,
            trust_level_label=TRUST_LEVELS[profile.trust_level],
        )


class RealNameResult(Output):
    """The level after verification. It is in tokens from the next refresh on."""

    person_id: UUID
    trust_level: int
    trust_level_label: str

    @classmethod
    def of(cls, person: Person) -> "RealNameResult":
        return cls(
            person_id=person.id,
            trust_level=person.trust_level,
            trust_level_label=TRUST_LEVELS[person.trust_level],
        )
