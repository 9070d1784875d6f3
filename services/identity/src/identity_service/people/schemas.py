"""HTTP shapes of persons."""

from uuid import UUID

from pydantic import Field, SecretStr

from gov_rules.identifiers import mask_identity_number, mask_name, mask_phone
from identity_service.people.domain import TRUST_LEVELS, CodePurpose
from identity_service.people.handlers.sealing import Profile
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
    """Name and number, as they stand on the identity card."""

    name: str = Field(min_length=2, max_length=100, examples=["王小麦"])
    id_number: str = Field(min_length=15, max_length=18, examples=["990101194901010011"])


class PersonSelf(Output):
    """What a person sees of itself, masked: the screen may be seen by others."""

    person_id: UUID
    username: str
    phone: str = Field(description="Masked.")
    name: str | None = Field(description="Masked; absent until verified.")
    id_number: str | None = Field(description="Masked; absent until verified.")
    trust_level: int
    trust_level_label: str

    @classmethod
    def of(cls, profile: Profile, username: str) -> "PersonSelf":
        return cls(
            person_id=profile.person_id,
            username=username,
            phone=mask_phone(profile.phone),
            name=mask_name(profile.name) if profile.name else None,
            id_number=mask_identity_number(profile.id_number) if profile.id_number else None,
            trust_level=profile.trust_level,
            trust_level_label=TRUST_LEVELS[profile.trust_level],
        )


class RealNameResult(Output):
    """The level after verification. It is in tokens from the next refresh on."""

    person_id: UUID
    trust_level: int
    trust_level_label: str
