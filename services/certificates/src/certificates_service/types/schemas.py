"""HTTP shapes of licence types."""

from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from certificates_service.types.domain import (
    Category,
    CodeKnown,
    HolderScope,
    IssuerRule,
    Sensitivity,
    SurfaceField,
    TypeDefinition,
    Validity,
    ValidityRule,
    surface_schema,
)

_SOURCE = (
    r"^(applicant\.(name|number)|department\.name|licence\.(number|issued_on|expires_on)|form\.[a-z_]+)$"
)


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid")


class SurfaceFieldBody(_Body):
    """One field of the surface."""

    name: str = Field(min_length=1, max_length=60)
    source: str | None = Field(
        pattern=_SOURCE,
        description="Where the value comes from when a decision issues the licence; null: entered by the issuer.",
    )
    required: bool
    personal: bool = Field(description="Masked for everybody but the holder and who has a legal basis.")


class ValidityBody(_Body):
    """How the end of validity follows."""

    rule: ValidityRule
    years: int | None = Field(default=None, ge=1, le=100)
    basis: str | None = Field(default=None, max_length=200, description="The law that sets the years.")


class IssuerRuleBody(_Body):
    """Departments that may issue the type: of a kind, or one by its credit code."""

    kind: str | None = Field(default=None, min_length=1, max_length=20, examples=["SCJG"])
    uscc: str | None = Field(default=None, min_length=18, max_length=18)
    division: str | None = Field(
        default=None,
        pattern=r"^[0-9]{12}$",
        description="Departments of this division and of all below it; none: of every division.",
    )


class IssuerKindBody(_Body):
    """Of which kind a department is 部门类别."""

    uscc: str = Field(min_length=18, max_length=18)
    kind: str = Field(min_length=1, max_length=20)


class LicenceTypeBody(_Body):
    """One row of the file."""

    code: str = Field(
        min_length=21, max_length=21, description="GB/T 36904: 18 of the defining authority, 3 digits."
    )
    name: str = Field(min_length=1, max_length=200)
    aliases: list[str] = []
    is_official: bool = Field(description="Whether the code was verified against the national catalogue.")
    code_known: CodeKnown
    category: Category
    authority: str = Field(min_length=1, max_length=40)
    holder_kind: HolderScope
    validity: ValidityBody
    qr_lifetime_seconds: int = Field(
        ge=10, le=600, description="How long a code shown from this licence lives."
    )
    surface_fields: list[SurfaceFieldBody] = Field(min_length=1, max_length=100)
    issuers: list[IssuerRuleBody] = Field(
        default=[], max_length=200, description="Who may issue it 颁发机构. None named: nobody may."
    )
    origin: dict[str, Any] = {}

    def definition(self) -> TypeDefinition:
        return TypeDefinition(
            **{name: getattr(self, name) for name in _SAME},
            aliases=tuple(self.aliases),
            validity=Validity(**self.validity.model_dump()),
            surface_fields=tuple(SurfaceField(**field.model_dump()) for field in self.surface_fields),
            issuers=tuple(IssuerRule(**rule.model_dump()) for rule in self.issuers),
        )


_SAME = (
    "code",
    "name",
    "is_official",
    "code_known",
    "category",
    "authority",
    "holder_kind",
    "qr_lifetime_seconds",
    "origin",
)  # fmt: skip

EXAMPLE_TYPE: dict[str, Any] = {
    "code": "11990000LB0000230M001",
    "name": "营业执照",
    "aliases": [],
    "is_official": False,
    "code_known": "local",
    "category": "LICENCE",
    "authority": "HN-430000-SCJG",
    "holder_kind": "BOTH",
    "validity": {"rule": "LONG_TERM"},
    "qr_lifetime_seconds": 60,
    "surface_fields": [
        {"name": "统一社会信用代码", "source": "applicant.number", "required": True, "personal": False},
        {"name": "名称", "source": "applicant.name", "required": True, "personal": False},
        {"name": "法定代表人", "source": "form.legal_representative", "required": False, "personal": True},
        {"name": "登记机关", "source": "department.name", "required": True, "personal": False},
    ],
    "issuers": [{"kind": "SCJG", "uscc": None, "division": "430000000000"}],
    "origin": {"kind": "compiled"},
}


class LicenceTypeFile(_Body):
    """The whole file: loaded altogether or not at all."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "licence_types": [EXAMPLE_TYPE],
                    "issuer_kinds": [{"uscc": "11990000LB0000230M", "kind": "SCJG"}],
                }
            ]
        }
    )

    licence_types: list[LicenceTypeBody] = Field(min_length=1, max_length=2000)
    issuer_kinds: list[IssuerKindBody] = Field(
        default=[],
        max_length=20000,
        description="Kinds of departments, to which `issuers` refer. Those that are not named here keep theirs.",
    )

    @property
    def kinds(self) -> dict[str, str]:
        """By credit code."""
        return {one.uscc: one.kind for one in self.issuer_kinds}


class LoadedRead(BaseModel):
    """What an import did."""

    model_config = ConfigDict(
        from_attributes=True, json_schema_extra={"examples": [{"added": 28, "changed": 0, "unchanged": 0}]}
    )

    added: int
    changed: int
    unchanged: int


class SurfaceFieldRead(BaseModel):
    """One field of the surface."""

    key: str = Field(description="Key in `surface`.")
    label: str = Field(description="For people.")
    source: str | None = None
    required: bool
    personal: bool


class ValidityRead(BaseModel):
    """How the end of validity follows."""

    model_config = ConfigDict(from_attributes=True)

    rule: ValidityRule
    years: int | None = None
    basis: str | None = None


class IssuerRuleRead(BaseModel):
    """Departments that may issue the type."""

    model_config = ConfigDict(from_attributes=True)

    kind: str | None = None
    uscc: str | None = None
    division: str | None = None


class LicenceTypeRead(BaseModel):
    """A licence type."""

    code: str
    name: str
    aliases: list[str]
    is_official: bool
    code_known: CodeKnown
    category: Category
    authority: str = Field(description="The catalogue's code of the defining department.")
    defining_authority_uscc: str
    holder_kind: HolderScope
    sensitivity: Sensitivity
    validity: ValidityRead
    qr_lifetime_seconds: int
    surface_fields: list[SurfaceFieldRead]
    issuers: list[IssuerRuleRead] = Field(description="Departments that may issue it 颁发机构.")
    surface_schema: dict[str, Any] = Field(description="JSON Schema of `surface` when a licence is issued.")

    @classmethod
    def of(cls, one: TypeDefinition) -> "LicenceTypeRead":
        return cls(
            code=one.code,
            name=one.name,
            aliases=list(one.aliases),
            is_official=one.is_official,
            code_known=one.code_known,
            category=one.category,
            authority=one.authority,
            defining_authority_uscc=one.defining_authority_uscc,
            holder_kind=one.holder_kind,
            sensitivity=one.sensitivity,
            validity=ValidityRead.model_validate(one.validity),
            qr_lifetime_seconds=one.qr_lifetime_seconds,
            surface_fields=[
                SurfaceFieldRead(
                    key=field.name,
                    label=field.name,
                    source=field.source,
                    required=field.required,
                    personal=field.personal,
                )
                for field in one.surface_fields
            ],
            issuers=[IssuerRuleRead.model_validate(rule) for rule in one.issuers],
            surface_schema=surface_schema(one.surface_fields),
        )
