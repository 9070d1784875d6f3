"""Ticket numbers of the 12345 hotline 工单编号: digits only, to be read aloud, with nothing of the caller inside.

Source: this platform's own composition (practice varies by city): division (6), yyMMdd, serial (6), Luhn digit.
"""

import re
from dataclasses import dataclass
from datetime import date

from stdnum import luhn

from gov_rules.divisions import parse_area_code
from gov_rules.errors import InvalidIdentifier
from gov_rules.identifiers.embedded_date import read_embedded_date

_LAST_SERIAL = 999_999
_LAST_PART = 99
_SHAPE = re.compile(r"([0-9]{6})([0-9]{6})([0-9]{6})[0-9](?:-([0-9]{2}))?")


@dataclass(frozen=True, slots=True)
class TicketNumber:
    """A ticket, or with ``part`` the share of one of several handling units 多部门协办."""

    value: str
    division: str
    day: date
    serial: int
    part: int | None


def compose_ticket_number(area_code: str, day: date, serial: int, *, part: int | None = None) -> str:
    """Build a number of 19 digits, with ``-01`` to ``-99`` behind it for a part."""
    if not 1 <= serial <= _LAST_SERIAL or (part is not None and not 1 <= part <= _LAST_PART):
        raise InvalidIdentifier(
            "serial_exhausted",
            zh=f"工单流水号应在 1 至 {_LAST_SERIAL} 之间，子工单序号应在 1 至 {_LAST_PART} 之间。",
            en=f"A ticket serial runs from 1 to {_LAST_SERIAL}, a part from 1 to {_LAST_PART}.",
        )
    payload = f"{parse_area_code(area_code).division}{day:%y%m%d}{serial:06d}"
    number = payload + str(luhn.calc_check_digit(payload))
    return number if part is None else f"{number}-{part:02d}"


def parse_ticket_number(text: str) -> TicketNumber:
    """Read a ticket number.

    Raises: InvalidIdentifier.
    """
    value = text.strip()
    match = _SHAPE.fullmatch(value)
    if match is None or match[4] == "00":
        raise InvalidIdentifier(
            "ticket_number_format",
            zh="工单编号应为 19 位数字，子工单另加两位序号。",
            en="A ticket number has 19 digits, a part two more behind a hyphen.",
        )
    if not luhn.is_valid(value[:19]):
        raise InvalidIdentifier(
            "ticket_number_check",
            zh="工单编号校验位不正确，请核对是否输错。",
            en="The check digit of the ticket number is wrong.",
        )
    return TicketNumber(
        value=value,
        division=parse_area_code(match[1]).division,
        day=read_embedded_date(f"20{match[2]}", code="ticket_number_date"),
        serial=int(match[3]),
        part=None if match[4] is None else int(match[4]),
    )
