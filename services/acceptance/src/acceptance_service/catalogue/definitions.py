"""The documents of the catalogue: what a service item is.

These models and data/catalogue/schema/*.json say the same; the models check more (references, rules, order).
"""

import hashlib
import json
from collections.abc import Iterator
from typing import Annotated, Any, Literal

from jsonschema import Draft202012Validator
from jsonschema.exceptions import SchemaError
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, field_validator, model_validator

from acceptance_service.catalogue.domain import (
    ApplicantKind,
    Completeness,
    Limit,
    LimitUnit,
    ProjectType,
)
from gov_rules.divisions import parse_area_code
from gov_rules.errors import InvalidIdentifier
from gov_rules.identifiers.credit_code import parse_credit_code

Text = Annotated[str, StringConstraints(min_length=1, max_length=2000)]
# What applications and cases are called by: a longer one could be published, and then nobody could apply.
Title = Annotated[str, StringConstraints(min_length=1, max_length=300)]
ShortTitle = Annotated[str, StringConstraints(min_length=1, max_length=200)]
ItemCode = Annotated[str, StringConstraints(pattern=r"^[A-Z0-9-]{4,60}$")]
BundleCode = Annotated[str, StringConstraints(pattern=r"^[A-Z0-9]{4,20}$")]
DepartmentRef = Annotated[
    str, StringConstraints(pattern=r"^([A-Z]{2}-[0-9]{6}-[A-Z0-9]{2,8}|[0-9A-HJ-NPQRTUWXY]{18})$")
]
LicenceTypeCode = Annotated[str, StringConstraints(pattern=r"^[0-9A-HJ-NPQRTUWXY]{18}[0-9]{3}$")]
Key = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,39}$")]
MaterialCode = Annotated[str, StringConstraints(pattern=r"^[A-Z0-9-]{2,40}$")]
Prefill = Annotated[
    str, StringConstraints(pattern=r"^(identity\.(person|legal_person)\.[a-z_]+|licence\.[^.]+\.[^.]+)$")
]
InstantRule = Literal["business_licence_valid"]
DocumentNecessity = Literal["REQUIRED", "OPTIONAL", "TOLERATED", "CREDIT_EXEMPT"]


def check_division(value: str) -> str:
    """A twelve-digit area code. Raises: ValueError."""
    try:
        area = parse_area_code(value)
    except InvalidIdentifier as error:
        raise ValueError(str(error)) from error
    if area.value != value:
        raise ValueError("a division has twelve digits")
    return value


class Document(BaseModel):
    """A part of the catalogue's documents: unknown fields are errors."""

    model_config = ConfigDict(frozen=True, extra="forbid", str_strip_whitespace=True)


# Ten years: a longer one is a mistake, and would count past the end of the work calendar.
_LONGEST_LIMIT = 3650


class LimitDocument(Document):
    """A time limit."""

    value: Annotated[int, Field(ge=0, le=_LONGEST_LIMIT)]
    unit: LimitUnit

    @property
    def limit(self) -> Limit:
        return Limit(self.value, self.unit)


class Origin(Document):
    """Where a fact comes from: taken from a source, or compiled by the catalogue's administration with its evidence."""

    kind: Literal["source", "compiled"]
    source: Text | None = None
    evidence: Text | None = None
    variant: Text | None = None
    paths: tuple[Text, ...] = ()

    @model_validator(mode="after")
    def _has_its_ground(self) -> "Origin":
        if self.kind == "compiled" and self.evidence is None:
            raise ValueError("what is compiled needs its evidence")
        if self.kind == "source" and self.source is None:
            raise ValueError("what is from a source must name it")
        return self


class SatisfactionBase(Document):
    """A way to do without the file, on the paths where ``when`` holds."""

    when: dict[str, Any] | None = None
    origin: Origin


class SatisfiedByLicence(SatisfactionBase):
    """A valid licence of this type in the licence library."""

    kind: Literal["licence"]
    licence_type_code: LicenceTypeCode


class SatisfiedByProfile(SatisfactionBase):
    """A verified value of the applicant's profile."""

    kind: Literal["verified_profile_field"]
    field: Literal[
        "person.name", "person.id_number", "person.phone", "legal_person.name", "legal_person.uscc"
    ]


class SatisfiedByPromise(SatisfactionBase):
    """A promise that the applicant signs in the application 告知承诺."""

    kind: Literal["promise"]
    promise: Key


class SatisfiedByJointForm(SatisfactionBase):
    """An application form whose content the joint form collects."""

    kind: Literal["joint_form"]


Satisfaction = Annotated[
    SatisfiedByLicence | SatisfiedByProfile | SatisfiedByPromise | SatisfiedByJointForm,
    Field(discriminator="kind"),
]


class MaterialBase(Document):
    """What materials of items and of bundles have in common."""

    code: MaterialCode
    title: Title
    necessity: DocumentNecessity
    source: Literal["APPLICANT", "GOVERNMENT", "OTHER"]
    medium: Literal["PAPER", "ELECTRONIC", "PAPER_OR_ELECTRONIC", "PAPER_AND_ELECTRONIC"]
    submit_way: Literal["ONLINE", "ONSITE", "ONLINE_OR_ONSITE"]
    free_submission: Literal["LICENCE", "DATA_CHECK", "GENERATED_FORM", "PERSONAL_SPACE", "NONE"] | None = (
        None
    )
    copies: Annotated[int, Field(ge=1)] | None = None
    satisfied_by: list[Satisfaction]


class StandardMaterial(Document):
    """The portal's standard material behind an item's own."""

    code: Text
    name: Text


class ItemMaterial(MaterialBase):
    """A material as the guide of a single item asks for it."""

    copy_kind: Literal["ORIGINAL", "COPY", "ORIGINAL_AND_COPY"] | None = None
    standard_material: StandardMaterial | None = None


class FormField(Document):
    """One field of an item's form; its ``schema`` is JSON Schema 2020-12."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)

    code: Key
    title: Text
    json_schema: dict[str, Any] = Field(alias="schema")
    required: bool
    prefill: Prefill | None = None

    @field_validator("json_schema")
    @classmethod
    def _is_a_schema(cls, value: dict[str, Any]) -> dict[str, Any]:
        return checked_schema(value)


class Fee(Document):
    """A charge, in fen."""

    name: Text
    amount_fen: Annotated[int, Field(ge=0)]
    per: Text


class SpecialProcedure(Document):
    """Hearing, inspection and the like, whose time is not counted (行政许可法 Art. 45)."""

    kinds: Annotated[list[Text], Field(min_length=1)]
    limit: LimitDocument


class IntermediaryService(Document):
    """A service by a third party that the item rests on 中介服务."""

    name: Text
    limit: LimitDocument


class ItemResult(Document):
    """What is handed over in the end, and the licence type that it is issued as."""

    name: ShortTitle
    licence_type_code: LicenceTypeCode | None


class ItemDefinition(Document):
    """Implementing item 实施事项: one item at one department of one division."""

    code: ItemCode
    basic_code: (
        Annotated[str, StringConstraints(pattern=r"^[0-9]{2}(0[1-9]|10|1[1-9]|2[0-9])[0-9]{8}$")] | None
    ) = None
    local_basic_code: Annotated[str, StringConstraints(pattern=r"^[0-9A-Z-]{12,14}$")] | None = None
    business_code: Annotated[str, StringConstraints(pattern=r"^[0-9]{2}$")] | None = None
    local_task_code: Annotated[str, StringConstraints(min_length=1, max_length=60)] | None = None
    implementing_uscc: str | None = None
    name: Title
    handling_name: Title | None
    main_item: Text | None = None
    item_type: Literal["01", "05", "07", "08", "09", "10", "20"] | None = None
    department: DepartmentRef
    department_origin: Literal["portal", "guide", "cooperating_department", "lead_department"]
    guiding_department: DepartmentRef | None = None
    division: str
    completeness: Completeness
    project_type: ProjectType | None = None
    statutory_limit: LimitDocument | None = None
    promised_limit: LimitDocument | None = None
    limits_note: Literal["NONE", "SPECIAL_PROCEDURE_EXCLUDED"] | None = None
    service_objects: list[ApplicantKind] | None = None
    exercise_levels: list[Literal["2", "3", "4"]] | None = None
    cross_region: Literal["0", "1", "2", "3", "4"] | None = None
    online: bool | None = None
    online_depth: Literal["I", "II", "III", "IV"] | None = None
    channels: list[Literal["WINDOW", "ONLINE", "COURIER"]] | None = None
    visits: Annotated[int, Field(ge=0)] | None = None
    notify_promise: bool | None = None
    four_eyes: bool | None = None
    charged: bool | None = None
    fees: list[Fee] | None = None
    quantity_limited: bool | None = None
    special_procedure: SpecialProcedure | None = None
    intermediary_services: list[IntermediaryService] | None = None
    legal_basis: list[Text] | None = None
    conditions: list[Text] | None = None
    materials: list[ItemMaterial] | None = None
    form_fields: list[FormField] | None = None
    result: ItemResult | None = None
    min_trust_level: Annotated[int, Field(ge=1, le=4)]
    instant_rule: InstantRule | None
    origin: Origin
    element_origins: dict[Annotated[str, StringConstraints(pattern=r"^[a-z_]+$")], Origin]

    _division = field_validator("division")(check_division)

    @property
    def title(self) -> str:
        """The name of the handling item where it has one: it tells variants of one item apart."""
        return self.handling_name or self.name

    @field_validator("implementing_uscc")
    @classmethod
    def _is_a_credit_code(cls, value: str | None) -> str | None:
        if value is not None:
            try:
                parse_credit_code(value)
            except InvalidIdentifier as error:
                raise ValueError(str(error)) from error
        return value

    @model_validator(mode="after")
    def _guide_is_complete(self) -> "ItemDefinition":
        if self.completeness is Completeness.GUIDE:
            lacking = [name for name in _NEEDED_IN_GUIDE if getattr(self, name) is None]
            if lacking:
                raise ValueError(f"an item with a guide needs {', '.join(lacking)}")
        elif any(getattr(self, name) is not None for name in ("materials", "conditions", "statutory_limit")):
            raise ValueError("an item without guide has no materials, conditions or statutory limit")
        return self

    @model_validator(mode="after")
    def _promise_is_within_the_law(self) -> "ItemDefinition":
        promised, statutory = self.promised_limit, self.statutory_limit
        if promised and statutory and promised.unit is statutory.unit and promised.value > statutory.value:
            raise ValueError("the promised limit is longer than the statutory one")
        return self

    @model_validator(mode="after")
    def _codes_are_unique(self) -> "ItemDefinition":
        check_unique("materials", [one.code for one in self.materials or ()])
        if any(way.when is not None for one in self.materials or () for way in one.satisfied_by):
            raise ValueError("an item alone asks no questions, so satisfied_by has no `when`")
        check_unique("form_fields", [one.code for one in self.form_fields or ()])
        return self


_NEEDED_IN_GUIDE = (
    "item_type",
    "statutory_limit",
    "promised_limit",
    "conditions",
    "materials",
    "form_fields",
    "legal_basis",
    "visits",
    "notify_promise",
)


def check_unique(what: str, codes: list[str]) -> None:
    """Raises: ValueError naming the repeated codes."""
    repeated = sorted({one for one in codes if codes.count(one) > 1})
    if repeated:
        raise ValueError(f"{what}: repeated {', '.join(repeated)}")


def checked_schema(value: dict[str, Any]) -> dict[str, Any]:
    """A valid JSON Schema 2020-12 that stands alone: a reference could make a validator fetch it. Raises: ValueError."""
    if _refers(value):
        raise ValueError("a form's schema has no references")
    try:
        Draft202012Validator.check_schema(value)
    except SchemaError as error:
        raise ValueError(f"not a JSON Schema: {error.message}") from error
    return value


def _refers(schema: object) -> bool:
    if isinstance(schema, dict):
        return any(key in ("$ref", "$dynamicRef") or _refers(inner) for key, inner in schema.items())
    return isinstance(schema, list) and any(map(_refers, schema))


def content_hash(document: dict[str, Any]) -> bytes:
    """SHA-256 of the canonical JSON: the same definition has the same hash however it was written."""
    canonical = json.dumps(document, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).digest()


def compiled_elements(document: object, pointer: str = "") -> Iterator[str]:
    """JSON pointers of everything that the catalogue's administration compiled: a reviewer answers for these."""
    if isinstance(document, dict):
        if document.get("kind") == "compiled" and "evidence" in document:
            yield pointer.removesuffix("/origin")
            return
        for key, value in document.items():
            yield from compiled_elements(value, f"{pointer}/{key}")
    elif isinstance(document, list):
        for index, value in enumerate(document):
            yield from compiled_elements(value, f"{pointer}/{index}")
