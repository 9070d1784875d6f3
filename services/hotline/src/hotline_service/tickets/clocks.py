"""The table of limits, read from its file."""

import json
from collections.abc import Mapping
from pathlib import Path

from gov_rules.clocks import Limit, TimeUnit
from hotline_service.tickets.domain import ClockTable, Limits, PolicedLimit, Urgency
from service_common.contracts.hotline import TicketKind

Entry = tuple[int, str, str]
Column = Mapping[str, Mapping[str, Entry]]


def load_clock_table(file: Path) -> ClockTable:
    """Reads the table; every urgency and kind must have its limits. Raises: KeyError for a gap."""
    table: Mapping[str, Column] = json.loads(file.read_text(encoding="utf-8"))
    return ClockTable(
        {
            (urgency, kind): Limits(
                sign=_limit(table["sign"], urgency, kind),
                give_back=_limit(table["return"], urgency, kind),
                handle=_limit(table["handle"], urgency, kind),
            )
            for urgency in Urgency
            for kind in TicketKind
        }
    )


def _limit(column: Column, urgency: Urgency, kind: TicketKind) -> PolicedLimit:
    row = column[urgency]
    amount, unit, hours = row[kind] if kind in row else row["*"]
    return PolicedLimit(Limit(amount, TimeUnit(unit)), round_the_clock=hours == "ROUND_THE_CLOCK")
