"""Identity numbers of natural persons: 18 characters, check by ISO 7064 MOD 11-2.

Source: GB 11643-1999 公民身份号码 (weights and check character); 港澳台居民居住证申领发放办法 (2018) art. 5 for
the prefixes 810000, 820000, 830000; the 2023 form of the foreign permanent resident card for the leading 9.
"""

import re
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum

from stdnum.cn import ric
from stdnum.exceptions import InvalidComponent

from gov_rules.divisions import PROVINCE_PREFIXES
from gov_rules.errors import InvalidIdentifier

FIXTURE_PREFIX = "99"

_SHAPE = re.compile(r"[0-9]{17}[0-9X]")


class IdentityKind(StrEnum):
    """Which document carries the number."""

    RESIDENT = "RESIDENT"
    FOREIGN_PERMANENT_RESIDENT = "FOREIGN_PERMANENT_RESIDENT"
    HONG_KONG_RESIDENT = "HONG_KONG_RESIDENT"
    MACAO_RESIDENT = "MACAO_RESIDENT"
    TAIWAN_RESIDENT = "TAIWAN_RESIDENT"


class Sex(StrEnum):
    """Sex as coded in the sequence: odd is male, even is female (GB 11643 §4.4)."""

    MALE = "MALE"
    FEMALE = "FEMALE"


_RESIDENCE_PERMITS = {
    "810000": IdentityKind.HONG_KONG_RESIDENT,
    "820000": IdentityKind.MACAO_RESIDENT,
    "830000": IdentityKind.TAIWAN_RESIDENT,
}


@dataclass(frozen=True, slots=True)
class IdentityNumber:
    """A valid number. Its repr shows nothing of the person."""

    value: str = field(repr=False)
    kind: IdentityKind
    birth_date: date = field(repr=False)
    sex: Sex = field(repr=False)


def parse_identity_number(
    text: str, *, on: date | None = None, allow_fixture_prefix: bool = False
) -> IdentityNumber:
    """Read an 18-character number; ``on`` (the local day of reading) also refuses births after it.

    ``allow_fixture_prefix`` admits the prefix 99, which is allotted to no province: invented people of tests
    and demonstrations carry it, and a production system refuses it.

    Raises: InvalidIdentifier.
    """
    value = text.strip().upper()
    _check_shape(value)
    if value[-1] != ric.calc_check_digit(value):
        raise InvalidIdentifier(
            "identity_number_check",
            zh="身份证件号码校验位不正确，请核对是否输错。",
            en="The check character of the identity number is wrong.",
        )
    kind = _kind_of(value, allow_fixture_prefix=allow_fixture_prefix)
    birth_date = _birth_date_of(value, on)
    sex = Sex.MALE if int(value[16]) % 2 else Sex.FEMALE
    return IdentityNumber(value=value, kind=kind, birth_date=birth_date, sex=sex)


def complete_identity_number(first_seventeen: str) -> str:
    """Append the check character to 17 digits."""
    if not re.fullmatch(r"[0-9]{17}", first_seventeen):
        raise InvalidIdentifier(
            "identity_number_format",
            zh="身份证件号码前 17 位应为数字。",
            en="The first 17 characters of an identity number are digits.",
        )
    return first_seventeen + str(ric.calc_check_digit(first_seventeen + "0"))


def _check_shape(value: str) -> None:
    if re.fullmatch(r"[0-9]{15}", value):
        raise InvalidIdentifier(
            "identity_number_fifteen_digits",
            zh="15 位身份证号码自 2013 年起停止使用，请填写 18 位号码。",
            en="15-digit numbers have had no legal use since 2013: give the 18-character number.",
        )
    if len(value) != 18:
        raise InvalidIdentifier(
            "identity_number_length",
            zh="身份证件号码应为 18 位。",
            en="An identity number has 18 characters.",
        )
    if not _SHAPE.fullmatch(value):
        raise InvalidIdentifier(
            "identity_number_format",
            zh="身份证件号码前 17 位应为数字，末位为数字或 X。",
            en="An identity number is 17 digits and a last digit or X.",
        )


def _kind_of(value: str, *, allow_fixture_prefix: bool) -> IdentityKind:
    # County codes are retired all the time and stay in the numbers of the people who were born there: only the
    # first two digits are held against GB/T 2260.
    permit = _RESIDENCE_PERMITS.get(value[:6])
    if permit is not None:
        return permit
    if value.startswith(FIXTURE_PREFIX) and allow_fixture_prefix:
        return IdentityKind.RESIDENT
    # The card of a foreigner reads 9, province of first application (2), nationality in ISO 3166-1 digits (3).
    if value.startswith("9") and value[1:3] in PROVINCE_PREFIXES and value[3:6] != "000":
        return IdentityKind.FOREIGN_PERMANENT_RESIDENT
    if value[:2] in PROVINCE_PREFIXES - {"81", "82"}:
        return IdentityKind.RESIDENT
    raise InvalidIdentifier(
        "identity_number_province",
        zh="身份证件号码前两位不是有效的省级代码。",
        en="The identity number begins with a province code that is not allotted.",
    )


def _birth_date_of(value: str, on: date | None) -> date:
    try:
        birth_date: date = ric.get_birth_date(value)
    except InvalidComponent:
        raise InvalidIdentifier(
            "identity_number_birth_date",
            zh="身份证件号码中的出生日期不存在。",
            en="The birth date in the identity number does not exist.",
        ) from None
    if on is not None and birth_date > on:
        raise InvalidIdentifier(
            "identity_number_birth_date",
            zh="身份证件号码中的出生日期晚于当前日期。",
            en="The birth date in the identity number lies in the future.",
        )
    return birth_date
