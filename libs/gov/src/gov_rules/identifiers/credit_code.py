"""Unified social credit codes 统一社会信用代码 (USCC) of organisations.

Source: GB 32100-2015 (structure and check character, modulus 31); GB 11714-1997 for the organisation code
that sits in positions 9-17 with a check of its own.
"""

import re
from dataclasses import dataclass
from enum import StrEnum

from stdnum.cn import uscc

from gov_rules.errors import InvalidIdentifier

_ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"
# python-stdnum asks for digits in the first eight places, which refuses the authorities Y, A and N.
_SHAPE = re.compile(f"[{_ALPHABET}]{{2}}[0-9]{{6}}[{_ALPHABET}]{{10}}")
_ORGANISATION_WEIGHTS = (3, 7, 9, 10, 5, 8, 4, 2)

REGISTERING_AUTHORITIES = {
    "1": "机构编制",
    "2": "外交",
    "3": "司法行政",
    "4": "文化",
    "5": "民政",
    "6": "旅游",
    "7": "宗教",
    "8": "工会",
    "9": "市场监管",
    "A": "中央军委改革和编制办公室",
    "N": "农业农村",
    "Y": "其他",
}


class OrganisationKind(StrEnum):
    """What kind of organisation the first two characters tell."""

    GOVERNMENT_ORGAN = "11"
    PUBLIC_INSTITUTION = "12"
    MASS_ORGANISATION = "13"
    SOCIAL_GROUP = "51"
    PRIVATE_NON_ENTERPRISE = "52"
    FOUNDATION = "53"
    ENTERPRISE = "91"
    SOLE_TRADER = "92"
    FARMERS_COOPERATIVE = "93"
    OTHER = "OTHER"


class CreditCodeWarning(StrEnum):
    """Oddities that real, valid codes have: to be noted, never refused."""

    ORGANISATION_CHECK = "credit_code_organisation_check"
    UNKNOWN_AUTHORITY = "credit_code_unknown_authority"


@dataclass(frozen=True, slots=True)
class CreditCode:
    """A valid code and its parts; ``division`` is that of the registering authority when it was given."""

    value: str
    kind: OrganisationKind
    division: str
    organisation_code: str
    warnings: tuple[CreditCodeWarning, ...]


def parse_credit_code(text: str) -> CreditCode:
    """Read an 18-character code; letters may be lower-case.

    Raises: InvalidIdentifier.
    """
    value = text.strip().upper()
    if len(value) != 18:
        raise InvalidIdentifier(
            "credit_code_length",
            zh="统一社会信用代码应为 18 位。",
            en="A unified social credit code has 18 characters.",
        )
    if not _SHAPE.fullmatch(value):
        raise InvalidIdentifier(
            "credit_code_format",
            zh="统一社会信用代码含有不允许的字符（不使用 I、O、S、V、Z，第 3 至 8 位为数字）。",
            en="The unified social credit code has a character that is not allowed (no I, O, S, V, Z; digits in 3-8).",
        )
    if value[17] != uscc.calc_check_digit(value[:17]):
        raise InvalidIdentifier(
            "credit_code_check",
            zh="统一社会信用代码校验位不正确，请核对是否输错。",
            en="The check character of the unified social credit code is wrong.",
        )
    return CreditCode(
        value=value,
        kind=_kind_of(value),
        division=value[2:8],
        organisation_code=value[8:17],
        warnings=_warnings_of(value),
    )


def compose_credit_code(kind: str, division: str, organisation: str) -> str:
    """Build a code from authority and kind (2), division (6) and the organisation's own 8 characters."""
    body = f"{kind}{division}{organisation}".upper()
    if len(body) != 16 or not _SHAPE.fullmatch(f"{body}00"):
        raise InvalidIdentifier(
            "credit_code_format",
            zh="统一社会信用代码由 2 位类别、6 位区划和 8 位主体标识组成。",
            en="A unified social credit code is made of kind (2), division (6) and organisation (8).",
        )
    body += organisation_check_character(body[8:])
    return body + str(uscc.calc_check_digit(body))


def organisation_check_character(first_eight: str) -> str:
    """The ninth character of an organisation code (GB 11714: modulus 11, ten is X)."""
    total = sum(
        int(character, 36) * weight
        for character, weight in zip(first_eight, _ORGANISATION_WEIGHTS, strict=True)
    )
    return "0123456789X"[(11 - total % 11) % 11]


def _kind_of(value: str) -> OrganisationKind:
    try:
        return OrganisationKind(value[:2])
    except ValueError:
        return OrganisationKind.OTHER


def _warnings_of(value: str) -> tuple[CreditCodeWarning, ...]:
    warnings = []
    if value[0] not in REGISTERING_AUTHORITIES:
        warnings.append(CreditCodeWarning.UNKNOWN_AUTHORITY)
    if value[16] != organisation_check_character(value[8:16]):
        warnings.append(CreditCodeWarning.ORGANISATION_CHECK)
    return tuple(warnings)
