"""Numbers of applications and cases: project number, bundle master number, query number.

Source: GB/T 39046-2020 limits a project number 办件编号 to 50 characters; composition by practice (implementation
code, day, daily serial). The master number and the query number are this platform's own.
"""

import re
from dataclasses import dataclass
from datetime import date

from stdnum import luhn

from gov_rules.divisions import parse_area_code
from gov_rules.errors import InvalidIdentifier
from gov_rules.identifiers.embedded_date import read_embedded_date
from gov_rules.identifiers.item_code import TaskCode, parse_task_code

PROJECT_NUMBER_LIMIT = 50
_LAST_PROJECT_SERIAL = 99_999
_LAST_SIX_DIGITS = 999_999
# Four digits are read because Guangdong numbers its cases so; we write five.
_PROJECT_TAIL = re.compile(r"([0-9]{8})([0-9]{4,11})")
_BUNDLE_SHAPE = re.compile(r"YJS([0-9]{6})([0-9]{8})([0-9]{6})")
_QUERY_SHAPE = re.compile(r"([0-9]{6})[0-9]{7}")


@dataclass(frozen=True, slots=True)
class ProjectNumber:
    """Number of one case 办件编号."""

    value: str
    task_code: TaskCode
    day: date
    serial: int


@dataclass(frozen=True, slots=True)
class BundleNumber:
    """Master number of a bundle application 一件事; its cases keep their own project numbers."""

    value: str
    division: str
    day: date
    serial: int


def compose_project_number(task_code: str, day: date, serial: int) -> str:
    """Implementation code (31), local day of receipt, serial 1-99999 of that code and day: 44 characters."""
    _check_serial(serial, 1, _LAST_PROJECT_SERIAL)
    return f"{parse_task_code(task_code, allow_local_tail=True).value}{day:%Y%m%d}{serial:05d}"


def parse_project_number(text: str) -> ProjectNumber:
    """Read a project number that begins with an implementation code, ours or another platform's.

    Raises: InvalidIdentifier.
    """
    value = text.strip().upper()
    tail = _PROJECT_TAIL.fullmatch(value[31:])
    if tail is None or len(value) > PROJECT_NUMBER_LIMIT:
        raise InvalidIdentifier(
            "project_number_format",
            zh="办件编号应由 31 位实施编码、8 位日期和流水号组成，不超过 50 位。",
            en="A project number is an implementation code (31), a date (8) and a serial, at most 50 characters.",
        )
    return ProjectNumber(
        value=value,
        task_code=parse_task_code(value[:31], allow_local_tail=True),
        day=read_embedded_date(tail[1], code="project_number_date"),
        serial=int(tail[2]),
    )


def compose_bundle_number(area_code: str, day: date, serial: int) -> str:
    """``YJS``, division (6), local day, serial 1-999999 of that division and day: 23 characters."""
    _check_serial(serial, 1, _LAST_SIX_DIGITS)
    return f"YJS{parse_area_code(area_code).division}{day:%Y%m%d}{serial:06d}"


def parse_bundle_number(text: str) -> BundleNumber:
    """Read a bundle master number.

    Raises: InvalidIdentifier.
    """
    value = text.strip().upper()
    match = _BUNDLE_SHAPE.fullmatch(value)
    if match is None:
        raise InvalidIdentifier(
            "bundle_number_format",
            zh="一件事主办件编号应为 YJS 加 20 位数字。",
            en="A bundle master number is YJS and 20 digits.",
        )
    division, day, serial = match.groups()
    return BundleNumber(
        value=value,
        division=parse_area_code(division).division,
        day=read_embedded_date(day, code="bundle_number_date"),
        serial=int(serial),
    )


def compose_query_number(day: date, body: int) -> str:
    """The number people read to the counter: yyMMdd, six digits, check digit; 13 digits, no letter.

    ``body`` (0-999999) should be drawn at random: neighbours must not be guessable. The check is Luhn and not
    ISO 7064 MOD 11-2, whose result may be an X that people mishear.
    """
    _check_serial(body, 0, _LAST_SIX_DIGITS)
    payload = f"{day:%y%m%d}{body:06d}"
    return payload + str(luhn.calc_check_digit(payload))


def parse_query_number(text: str) -> str:
    """Read a query number as people type it (blanks and hyphens are dropped).

    Raises: InvalidIdentifier.
    """
    value = re.sub(r"[\s-]", "", text)
    match = _QUERY_SHAPE.fullmatch(value)
    if match is None:
        raise InvalidIdentifier(
            "query_number_format", zh="查询码应为 13 位数字。", en="A query number has 13 digits."
        )
    if not luhn.is_valid(value):
        raise InvalidIdentifier(
            "query_number_check",
            zh="查询码校验位不正确，请核对是否输错。",
            en="The check digit of the query number is wrong.",
        )
    read_embedded_date(f"20{match[1]}", code="query_number_date")
    return value


def _check_serial(serial: int, first: int, last: int) -> None:
    if not first <= serial <= last:
        raise InvalidIdentifier(
            "serial_exhausted",
            zh=f"流水号应在 {first} 至 {last} 之间。",
            en=f"A serial runs from {first} to {last}.",
        )
