"""Licence types: what a licence of a type says, to whom it is given, how long it holds. Pure.

Sources: GB/T 36903 (metadata of type and licence), GB/T 36904 (type code).
"""

import re
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any
from uuid import UUID

from gov_rules.divisions import is_within, parse_area_code
from gov_rules.identifiers import (
    InvalidIdentifier,
    mask_identity_number,
    mask_name,
    mask_phone,
    parse_licence_type_code,
)
from service_common.contracts.acceptance import HolderKind
from service_common.errors import FieldProblem, Invalid, NotFound

LONGEST_VALUE = 2000
HIDDEN = "***"

# Sources of a field that the library itself knows at issue; all others are given by the issuer.
NUMBER, ISSUED_ON, EXPIRES_ON, ISSUER_NAME = (
    "licence.number",
    "licence.issued_on",
    "licence.expires_on",
    "department.name",
)


class HolderScope(StrEnum):
    """Who can hold a licence of the type 持证主体."""

    PERSON = "PERSON"
    LEGAL_PERSON = "LEGAL_PERSON"
    BOTH = "BOTH"

    def admits(self, kind: HolderKind) -> bool:
        """Whether a natural or a legal person can be the holder."""
        wanted = HolderScope.PERSON if kind is HolderKind.NATURAL_PERSON else HolderScope.LEGAL_PERSON
        return self in (wanted, HolderScope.BOTH)


class Category(StrEnum):
    """GB/T 36903: a licence 证照, or a document of approval 批文."""

    LICENCE = "LICENCE"
    APPROVAL = "APPROVAL"


class ValidityRule(StrEnum):
    """How the end of validity follows."""

    LONG_TERM = "LONG_TERM"
    ISSUER_SETS = "ISSUER_SETS"
    YEARS = "YEARS"


class CodeKnown(StrEnum):
    """How sure the code is: seen together with its name, concluded, or given by this platform."""

    STATED = "stated"
    INFERRED = "inferred"
    LOCAL = "local"


class Sensitivity(StrEnum):
    """Whether the surface tells about a natural person (个人信息保护法 art. 4)."""

    ORDINARY = "ORDINARY"
    PERSONAL = "PERSONAL"


@dataclass(frozen=True, slots=True)
class SurfaceField:
    """One field of the surface 照面. Its name is its key in the data and its label for people."""

    name: str
    source: str | None
    required: bool
    personal: bool


@dataclass(frozen=True, slots=True)
class Validity:
    """``years`` with ``YEARS`` alone, from the law named in ``basis``."""

    rule: ValidityRule
    years: int | None = None
    basis: str | None = None


@dataclass(frozen=True, slots=True)
class IssuingDepartment:
    """A department as a possible issuer. ``kind`` as the catalogue names kinds; None: the catalogue does not know it."""

    id: UUID
    uscc: str
    division: str
    active: bool
    kind: str | None


@dataclass(frozen=True, slots=True)
class IssuerRule:
    """Who may issue: the departments of a kind, or one by its credit code; inside ``division`` where that is set."""

    kind: str | None = None
    uscc: str | None = None
    division: str | None = None

    def admits(self, department: IssuingDepartment) -> bool:
        """Whether the department is one of them."""
        if self.uscc not in (None, department.uscc) or self.kind not in (None, department.kind):
            return False
        return self.division is None or is_within(department.division, self.division)


@dataclass(frozen=True, slots=True)
class TypeDefinition:
    """A licence type as the national or the platform's catalogue defines it."""

    code: str
    name: str
    aliases: tuple[str, ...]
    is_official: bool
    code_known: CodeKnown
    category: Category
    authority: str
    holder_kind: HolderScope
    validity: Validity
    qr_lifetime_seconds: int
    surface_fields: tuple[SurfaceField, ...]
    issuers: tuple[IssuerRule, ...]
    origin: dict[str, Any]

    @property
    def defining_authority_uscc(self) -> str:
        """The first 18 characters of the code (GB/T 36904)."""
        return self.code[:18]

    @property
    def sensitivity(self) -> Sensitivity:
        personal = any(field.personal for field in self.surface_fields)
        return Sensitivity.PERSONAL if personal else Sensitivity.ORDINARY

    def may_be_issued_by(self, department: IssuingDepartment) -> bool:
        """Whether the department is competent for the type 颁发机构. Where no issuer is named, nobody is."""
        return any(rule.admits(department) for rule in self.issuers)


class NoSuchType(NotFound):
    """The code is of no type in the library."""

    code = "no_such_licence_type"
    zh = "没有这种证照类型。"
    en = "There is no such licence type."


class BadTypeFile(Invalid):
    """Nothing of the file was loaded; each bad row is named."""

    code = "bad_licence_type_file"
    zh = "证照类型文件有错误，未载入任何内容，请按 errors 修改后重新提交。"
    en = "The file of licence types has errors; nothing of it was loaded. Mend what `errors` names and send it again."


def check_definitions(definitions: Sequence[TypeDefinition]) -> list[FieldProblem]:
    """What the form of the rows cannot tell: codes by their standard, no code or field twice."""
    twice = {code for code, count in Counter(one.code for one in definitions).items() if count > 1}
    return [problem for row, one in enumerate(definitions) for problem in _check_row(row, one, twice)]


def _check_row(row: int, definition: TypeDefinition, twice: set[str]) -> Iterator[FieldProblem]:
    def problem(where: str, code: str, zh: str, en: str) -> FieldProblem:
        return FieldProblem(
            f"/licence_types/{row}/{where}", code, f"第 {row + 1} 行：{zh}", f"Row {row + 1}: {en}"
        )

    try:
        parse_licence_type_code(definition.code)
    except InvalidIdentifier as error:
        yield problem("code", error.code, error.zh, error.en)
    if definition.code in twice:
        yield problem("code", "code_twice", "证照类型代码重复。", "The code stands in more than one row.")
    names = Counter(field.name for field in definition.surface_fields)
    for position, field in enumerate(definition.surface_fields):
        if names[field.name] > 1:
            yield problem(
                f"surface_fields/{position}/name",
                "field_twice",
                "照面字段重复。",
                "The field is named twice.",
            )
    if (definition.validity.rule is ValidityRule.YEARS) != (definition.validity.years is not None):
        yield problem(
            "validity",
            "years_with_rule",
            "仅 YEARS 规则需要年数。",
            "YEARS needs a number of years, no other rule.",
        )


def check_issuers(definitions: Sequence[TypeDefinition], kinds: Collection[str]) -> Iterator[FieldProblem]:
    """Each rule names a kind that some department is of, or one department, and a division that can be read."""
    for row, definition in enumerate(definitions):
        for position, rule in enumerate(definition.issuers):
            where = f"/licence_types/{row}/issuers/{position}"
            if (rule.kind is None) == (rule.uscc is None):
                yield FieldProblem(
                    where,
                    "kind_or_uscc",
                    f"第 {row + 1} 行：颁发机构须指明部门类别或统一社会信用代码之一。",
                    f"Row {row + 1}: an issuer is named by kind or by credit code.",
                )
            elif rule.kind is not None and rule.kind not in kinds:
                yield FieldProblem(
                    f"{where}/kind",
                    "kind_without_department",
                    f"第 {row + 1} 行：没有此类别的部门。",
                    f"Row {row + 1}: no department is of this kind.",
                )
            if rule.division is not None:
                yield from _check_division(f"{where}/division", rule.division, row)


def _check_division(where: str, division: str, row: int) -> Iterator[FieldProblem]:
    try:
        parse_area_code(division)
    except InvalidIdentifier as error:
        yield FieldProblem(where, error.code, f"第 {row + 1} 行：{error.zh}", f"Row {row + 1}: {error.en}")


def surface_schema(fields: Iterable[SurfaceField]) -> dict[str, Any]:
    """JSON Schema (2020-12) of what an issuer sends as ``surface``; what the library fills in is not required."""
    fields = list(fields)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "type": "object",
        "additionalProperties": False,
        "required": [field.name for field in fields if _must_be_given(field)],
        "properties": {
            field.name: {"type": "string", "title": field.name, "minLength": 1, "maxLength": LONGEST_VALUE}
            for field in fields
        },
    }


def _must_be_given(field: SurfaceField) -> bool:
    return field.required and field.source not in (NUMBER, ISSUED_ON, EXPIRES_ON, ISSUER_NAME)


def check_surface(fields: Sequence[SurfaceField], surface: Mapping[str, str]) -> Iterator[FieldProblem]:
    """The problems that ``surface_schema`` would find, in words for people."""
    known = {field.name for field in fields}
    for name, value in surface.items():
        where = f"/surface/{name.replace('~', '~0').replace('/', '~1')}"
        if name not in known:
            yield FieldProblem(
                where, "unknown_field", "该证照类型没有此照面字段。", "The type has no such field."
            )
        elif not 1 <= len(value) <= LONGEST_VALUE:
            yield FieldProblem(
                where,
                "bad_length",
                f"内容应为 1 至 {LONGEST_VALUE} 个字符。",
                f"The value has 1 to {LONGEST_VALUE} characters.",
            )
    for field in fields:
        if _must_be_given(field) and field.name not in surface:
            yield FieldProblem(f"/surface/{field.name}", "missing", "必填", "Required.")


def complete_surface(
    fields: Sequence[SurfaceField], given: Mapping[str, str], known: Mapping[str, str]
) -> dict[str, str]:
    """The surface in the type's order, with what the library knows filled in where the issuer left it out."""
    filled = {field.name: given.get(field.name) or known.get(field.source or "") for field in fields}
    return {name: value for name, value in filled.items() if value}


def mask_surface(fields: Sequence[SurfaceField], surface: Mapping[str, str]) -> dict[str, str]:
    """The surface for somebody who checks a licence: personal values masked, and any field the type no longer has."""
    open_fields = {field.name for field in fields if not field.personal}
    return {
        name: value if name in open_fields else mask_value(name, value) for name, value in surface.items()
    }


_ID_NUMBER = re.compile(r"\d{17}[\dXx]|[0-9A-Z]{12,}")
_PHONE = re.compile(r"(?:\+86)?1\d{10}")


def mask_value(name: str, value: str) -> str:
    """One personal value. Numbers and names keep what two people need to recognise each other; anything else is hidden."""
    if _PHONE.fullmatch(value):
        return mask_phone(value)
    if _ID_NUMBER.fullmatch(value):
        return mask_identity_number(value)
    if name.endswith(("姓名", "人")):
        return mask_name(value)
    return HIDDEN


def select_fields(surface: Mapping[str, str], wanted: Iterable[str] | None) -> dict[str, str]:
    """Least data: only what was asked for; everything when nothing was named."""
    if wanted is None:
        return dict(surface)
    asked = set(wanted)
    return {name: value for name, value in surface.items() if name in asked}
