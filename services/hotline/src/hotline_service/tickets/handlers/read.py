"""Looking at tickets: everybody sees what the own part in it calls for."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import Row
from sqlalchemy.ext.asyncio import AsyncSession

from gov_rules.identifiers import mask_name, mask_phone
from hotline_service.departments.handlers import department_names
from hotline_service.suggestions.handlers import Adviser, Suggestion, suggest
from hotline_service.tickets.domain import (
    CallerIsHidden,
    NoSuchTicket,
    Status,
    View,
    blacken_caller,
    hides_caller,
)
from hotline_service.tickets.handlers.access import view_for, viewer_of
from hotline_service.tickets.handlers.record import phone_index
from hotline_service.tickets.models import Ticket
from hotline_service.tickets.repository import (
    count_urges,
    lock_ticket,
    open_tickets_of_phone,
    tickets_for,
)
from service_common import timeline
from service_common.auth import Caller
from service_common.crypto import KeyRing

_RUNNING = frozenset({Status.DISPATCHED, Status.SIGNED})


class Purpose(StrEnum):
    """Why somebody needs to know the caller in full."""

    CALL_BACK = "CALL_BACK"
    HANDLING = "HANDLING"


@dataclass(frozen=True, slots=True)
class MaskedCaller:
    """A caller as lists and pages show him: ``王**``, ``199****0001``."""

    name: str | None
    phone: str | None


@dataclass(frozen=True, slots=True)
class Shown:
    """A ticket as one viewer may see it."""

    row: Ticket
    view: View
    department_name: str | None
    overdue: bool
    urges: int
    content: str | None = None
    answer: str | None = None
    return_basis: str | None = None
    caller: MaskedCaller | None = None
    hides_caller: bool = False


async def show_ticket(
    session: AsyncSession, ring: KeyRing, ticket: Ticket, *, caller: Caller, now: datetime
) -> Shown:
    """Opens what the viewer may read; a report shows its handling unit neither the caller nor the case behind it.

    Raises: NoSuchTicket.
    """
    view = view_for(ticket, caller)
    name, phone = _caller_of(ring, ticket)
    hidden = hides_caller(view, protected=ticket.caller_protected)
    content = ring.decrypt(ticket.content, column="tickets.content")
    names = await department_names(session, [ticket.department_id])
    urges = await count_urges(session, [ticket.id])
    basis_is_shown = view is not View.OWN and ticket.return_basis is not None
    return Shown(
        row=ticket,
        view=view,
        department_name=names.get(ticket.department_id) if ticket.department_id else None,
        overdue=is_overdue(ticket, now),
        urges=urges.get(ticket.id, 0),
        content=blacken_caller(content, name=name, phone=phone) if hidden else content,
        answer=ring.decrypt(ticket.answer, column="tickets.answer") if ticket.answer else None,
        return_basis=ring.decrypt(ticket.return_basis, column="tickets.return_basis")
        if basis_is_shown and ticket.return_basis
        else None,
        caller=None if hidden else MaskedCaller(name and mask_name(name), phone and mask_phone(phone)),
        hides_caller=hidden,
    )


async def read_ticket(
    session: AsyncSession, ring: KeyRing, ticket_id: UUID, *, caller: Caller, now: datetime
) -> Shown:
    """One ticket. Raises: NoSuchTicket."""
    ticket = await session.get(Ticket, ticket_id)
    if ticket is None:
        raise NoSuchTicket
    return await show_ticket(session, ring, ticket, caller=caller, now=now)


async def list_tickets(
    session: AsyncSession,
    *,
    status: Status | None,
    overdue: bool,
    before: UUID | None,
    limit: int,
    caller: Caller,
    now: datetime,
) -> Sequence[Shown]:
    """A page of the tickets that are the caller's to see, newest first, without their texts."""
    viewer = viewer_of(caller)
    if not (viewer.person_id or viewer.is_centre or viewer.department_id):
        return ()
    rows = await tickets_for(
        session, viewer, status=status, overdue_at=now if overdue else None, before=before, limit=limit
    )
    return await _summaries(session, rows, caller=caller, now=now)


async def find_open_tickets(
    session: AsyncSession, ring: KeyRing, *, phone: str, limit: int, caller: Caller, now: datetime
) -> Sequence[Shown]:
    """For an agent on the line: what this caller has running, so that a repeat call becomes an urge."""
    viewer = viewer_of(caller)
    if not viewer.is_centre or viewer.division is None:
        return ()
    rows = await open_tickets_of_phone(
        session, phone_index(ring, phone), division=viewer.division, limit=limit
    )
    return await _summaries(session, rows, caller=caller, now=now)


async def suggest_for_ticket(
    session: AsyncSession, ring: KeyRing, adviser: Adviser, ticket_id: UUID, *, caller: Caller
) -> Suggestion:
    """Kind, topic and department that the centre may choose. Raises: NoSuchTicket."""
    ticket = await session.get(Ticket, ticket_id)
    if ticket is None or view_for(ticket, caller) is not View.CENTRE:
        raise NoSuchTicket
    text = ring.decrypt(ticket.content, column="tickets.content")
    return await suggest(session, adviser, text=text, division=ticket.division)


async def disclose_caller(
    session: AsyncSession, ring: KeyRing, ticket_id: UUID, *, purpose: Purpose, caller: Caller, now: datetime
) -> tuple[str | None, str | None]:
    """Name and phone in full, for a purpose; the look is entered in the history, which the person can read.

    Raises: NoSuchTicket, CallerIsHidden for the handling unit of a report.
    """
    ticket = await lock_ticket(session, ticket_id)
    if ticket is None:
        raise NoSuchTicket
    if hides_caller(view_for(ticket, caller), protected=ticket.caller_protected):
        raise CallerIsHidden
    await timeline.append(
        session,
        ticket.id,
        "caller_disclosed",
        actor=caller.actor,
        at=now,
        facts={"purpose": purpose.value},
    )
    return _caller_of(ring, ticket)


@dataclass(frozen=True, slots=True)
class History:
    """The entries of a ticket, and whether their hashes follow from each other."""

    entries: Sequence[Row[Any]]
    intact: bool
    shows_actors: bool


async def read_timeline(session: AsyncSession, ticket_id: UUID, *, caller: Caller) -> History:
    """The history. Who did what by id is for the centre only: a citizen's id must not reach a department.

    Raises: NoSuchTicket.
    """
    ticket = await session.get(Ticket, ticket_id)
    if ticket is None:
        raise NoSuchTicket
    view = view_for(ticket, caller)
    entries = await timeline.read(session, ticket_id)
    return History(entries, timeline.verify(entries), shows_actors=view is View.CENTRE)


def is_overdue(ticket: Ticket, now: datetime) -> bool:
    """Whether the department has not answered although the limit has passed."""
    return ticket.status in _RUNNING and ticket.handle_due_at is not None and now >= ticket.handle_due_at


async def _summaries(
    session: AsyncSession, rows: Sequence[Ticket], *, caller: Caller, now: datetime
) -> Sequence[Shown]:
    names: Mapping[UUID, str] = await department_names(session, [row.department_id for row in rows])
    urges = await count_urges(session, [row.id for row in rows])
    shown = []
    for row in rows:
        view = view_for(row, caller)
        shown.append(
            Shown(
                row=row,
                view=view,
                department_name=names.get(row.department_id) if row.department_id else None,
                overdue=is_overdue(row, now),
                urges=urges.get(row.id, 0),
                hides_caller=hides_caller(view, protected=row.caller_protected),
            )
        )
    return shown


def _caller_of(ring: KeyRing, ticket: Ticket) -> tuple[str | None, str | None]:
    name = ring.decrypt(ticket.caller_name, column="tickets.caller_name") if ticket.caller_name else None
    phone = ring.decrypt(ticket.caller_phone, column="tickets.caller_phone") if ticket.caller_phone else None
    return name, phone
