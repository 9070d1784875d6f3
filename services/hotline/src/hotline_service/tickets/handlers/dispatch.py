"""Between the centre and the departments: dispatch, signing, return, and a dispute of competence."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from gov_rules.calendars import WorkCalendar
from gov_rules.divisions import is_within
from hotline_service.departments.handlers import find_department
from hotline_service.tickets.domain import (
    Action,
    ClockTable,
    Standing,
    Status,
    TicketClocks,
    UnknownDepartment,
    Urgency,
    View,
    check_return_in_time,
    is_redo,
    may_reset_clock,
    next_status,
    protects_caller,
)
from hotline_service.tickets.handlers.access import facts_of, take_ticket
from hotline_service.tickets.handlers.record import commitment
from hotline_service.tickets.models import Ticket
from service_common import outbox, timeline
from service_common.auth import Caller
from service_common.contracts.hotline import TicketDispatched, TicketKind, TicketReturned
from service_common.crypto import KeyRing
from service_common.work_calendar import current_calendar


@dataclass(frozen=True, slots=True)
class Assignment:
    """Where the centre sends a ticket; kind and urgency are judged anew when given."""

    department_id: UUID
    kind: TicketKind | None = None
    urgency: Urgency | None = None


async def dispatch_ticket(
    session: AsyncSession,
    ticket_id: UUID,
    assignment: Assignment,
    *,
    clocks: ClockTable,
    expected: int,
    caller: Caller,
    now: datetime,
) -> Ticket:
    """The centre sends a ticket to the department that has the duty 派单, also after a return, and once for a redo 重办.

    Raises: NoSuchTicket, Stale, NotNow, AlreadyRedone, UnknownDepartment.
    """
    ticket = await take_ticket(session, ticket_id, caller=caller, as_=View.CENTRE, expected=expected)
    before = ticket.standing
    ticket.status = next_status(before, Action.DISPATCH)
    if is_redo(before, Action.DISPATCH):
        _begin_again(ticket)
    await _assign(session, ticket, assignment, before=before, clocks=clocks, caller=caller, now=now)
    return ticket


async def settle_dispute(
    session: AsyncSession,
    ticket_id: UUID,
    assignment: Assignment,
    *,
    clocks: ClockTable,
    expected: int,
    caller: Caller,
    now: datetime,
) -> Ticket:
    """The centre's supervisor ends a dispute of competence 职责争议: the assignment binds.

    Raises: NoSuchTicket, Stale, NotNow, UnknownDepartment.
    """
    ticket = await take_ticket(session, ticket_id, caller=caller, as_=View.CENTRE, expected=expected)
    before = ticket.standing
    ticket.status = next_status(before, Action.SETTLE)
    ticket.binding = True
    await _assign(session, ticket, assignment, before=before, clocks=clocks, caller=caller, now=now)
    return ticket


async def sign_ticket(
    session: AsyncSession, ticket_id: UUID, *, expected: int, caller: Caller, now: datetime
) -> Ticket:
    """The department takes a ticket on 签收.

    Raises: NoSuchTicket, Stale, NotNow.
    """
    ticket = await take_ticket(session, ticket_id, caller=caller, as_=View.DEPARTMENT, expected=expected)
    ticket.status = next_status(ticket.standing, Action.SIGN)
    ticket.signed_at = now
    on_time = ticket.sign_due_at is None or now < ticket.sign_due_at
    await timeline.append(
        session, ticket.id, "signed", actor=caller.actor, at=now, facts={"on_time": on_time}
    )
    await session.flush()
    return ticket


async def return_ticket(
    session: AsyncSession,
    ring: KeyRing,
    ticket_id: UUID,
    *,
    basis: str,
    expected: int,
    caller: Caller,
    now: datetime,
) -> Ticket:
    """The department says that it is not its duty 退单, and on which basis. A second return is a dispute for the centre.

    Raises: NoSuchTicket, Stale, NotNow, ReturnTooLate, AssignmentIsBinding.
    """
    ticket = await take_ticket(session, ticket_id, caller=caller, as_=View.DEPARTMENT, expected=expected)
    following = next_status(ticket.standing, Action.RETURN)
    check_return_in_time(ticket.return_due_at, now)
    ticket.status = following
    ticket.returns += 1
    ticket.return_basis = ring.encrypt(basis, column="tickets.return_basis")
    await outbox.add(session, ticket, TicketReturned(**facts_of(ticket)), now=now)
    await timeline.append(
        session,
        ticket.id,
        "disputed" if following is Status.DISPUTED else "returned",
        actor=caller.actor,
        at=now,
        facts={"department_id": str(ticket.department_id), "basis": commitment(ring, basis)},
    )
    await session.flush()
    return ticket


async def _assign(
    session: AsyncSession,
    ticket: Ticket,
    assignment: Assignment,
    *,
    before: Standing,
    clocks: ClockTable,
    caller: Caller,
    now: datetime,
) -> None:
    department = await find_department(session, assignment.department_id)
    if (
        department is None
        or not department.active
        or caller.division is None
        or not is_within(department.division, caller.division)
    ):
        raise UnknownDepartment
    ticket.department_id = department.id
    ticket.kind = assignment.kind or ticket.kind
    ticket.caller_protected = protects_caller(ticket.kind, protected_before=ticket.caller_protected)
    ticket.urgency = assignment.urgency or ticket.urgency
    ticket.signed_at = None
    ticket.dispatched_at = now
    sent_on = before.status in {Status.RETURNED, Status.DISPUTED}
    running = _next_clocks(ticket, clocks, sent_on=sent_on, now=now)
    set_deadlines(ticket, running, await current_calendar(session))
    await outbox.add(session, ticket, TicketDispatched(**facts_of(ticket)), now=now)
    await timeline.append(
        session,
        ticket.id,
        "dispute_settled" if ticket.binding else "dispatched",
        actor=caller.actor,
        at=now,
        facts={
            "department_id": str(department.id),
            "kind": ticket.kind.value,
            "urgency": ticket.urgency.value,
            "handle_due_at": ticket.handle_due_at.isoformat() if ticket.handle_due_at else None,
            "calendar": ticket.calendar_version,
        },
    )
    await session.flush()


def set_deadlines(ticket: Ticket, clocks: TicketClocks, calendar: WorkCalendar) -> None:
    """Counts all deadlines of a ticket on one calendar."""
    due = clocks.due(calendar)
    ticket.clocks = clocks.dump()
    ticket.sign_due_at, ticket.sign_due_date = due.sign.due_at, due.sign.due_date
    ticket.return_due_at = due.give_back.due_at
    ticket.handle_due_at, ticket.handle_due_date = due.handle.due_at, due.handle.due_date
    ticket.calendar_version, ticket.provisional = due.calendar_version, due.provisional


def _next_clocks(ticket: Ticket, table: ClockTable, *, sent_on: bool, now: datetime) -> TicketClocks:
    """Signing and returning run anew for each department, handling only as often as a ticket's clock may be reset."""
    limits = table.of(ticket.urgency, ticket.kind)
    if sent_on and ticket.clocks is not None and not may_reset_clock(ticket.clock_resets):
        return TicketClocks.load(ticket.clocks).sent_on(now, limits)
    ticket.clock_resets += int(sent_on)
    return TicketClocks(now, now, limits)


def _begin_again(ticket: Ticket) -> None:
    """A redo is a service contact of its own, with its own answer, closing and call-back."""
    ticket.redos += 1
    ticket.contact_no += 1
    ticket.answer = ticket.answered_at = ticket.answered_by = ticket.closed_at = None
    ticket.answered_directly = False
    ticket.call_attempts = 0
    ticket.called_back_at = ticket.reached = ticket.solved = ticket.satisfied = None
