"""Running deadlines, counted again when a holiday notice was loaded."""

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from hotline_service.tickets.domain import UNDER_CLOCK, TicketClocks
from hotline_service.tickets.handlers.dispatch import set_deadlines
from hotline_service.tickets.models import Ticket
from service_common import timeline
from service_common.timeline import SYSTEM
from service_common.work_calendar import current_calendar

_BATCH = 50


async def recount_deadlines(session: AsyncSession, *, now: datetime) -> int:
    """Counts a batch of tickets that wait for an answer again; the old deadlines stay in their histories.

    Returns how many were counted on an older calendar. Whoever is deciding about a ticket comes first.
    """
    calendar = await current_calendar(session)
    tickets = await session.scalars(
        select(Ticket)
        .where(
            Ticket.status.in_(UNDER_CLOCK),
            Ticket.clocks.is_not(None),
            Ticket.calendar_version != calendar.version,
        )
        .order_by(Ticket.id)
        .limit(_BATCH)
        .with_for_update(skip_locked=True)
    )
    counted = 0
    for ticket in tickets.all():
        old = _dates(ticket)
        set_deadlines(ticket, TicketClocks.load(ticket.clocks or {}), calendar)
        facts = {"old": old, "new": _dates(ticket)}
        await timeline.append(session, ticket.id, "deadlines_recounted", actor=SYSTEM, at=now, facts=facts)
        counted += 1
    await session.flush()
    return counted


def _dates(ticket: Ticket) -> dict[str, str | None]:
    named = {
        "sign_due_at": ticket.sign_due_at,
        "return_due_at": ticket.return_due_at,
        "handle_due_at": ticket.handle_due_at,
    }
    told = {name: at.isoformat() if at else None for name, at in named.items()}
    return told | {"calendar": ticket.calendar_version}
