"""The end of a ticket: answer, closing, call-back."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from hotline_service.tickets.domain import (
    Action,
    Status,
    View,
    check_call_back,
    check_time_of_call,
    next_status,
    status_after_call,
)
from hotline_service.tickets.handlers.access import facts_of, take_ticket
from hotline_service.tickets.handlers.record import commitment
from hotline_service.tickets.models import Ticket
from hotline_service.tickets.repository import last_call_at
from service_common import outbox, timeline
from service_common.auth import Caller
from service_common.contracts.hotline import TicketAnswered, TicketCalledBack, TicketClosed
from service_common.crypto import KeyRing


@dataclass(frozen=True, slots=True)
class CallResult:
    """What the caller said when called back 回访; nothing when not reached."""

    reached: bool
    solved: bool | None = None
    satisfied: bool | None = None


async def answer_ticket(
    session: AsyncSession,
    ring: KeyRing,
    ticket_id: UUID,
    *,
    answer: str,
    expected: int,
    caller: Caller,
    now: datetime,
) -> Ticket:
    """The department answers the caller 答复.

    Raises: NoSuchTicket, Stale, NotNow.
    """
    ticket = await take_ticket(session, ticket_id, caller=caller, as_=View.DEPARTMENT, expected=expected)
    ticket.status = next_status(ticket.standing, Action.ANSWER)
    await _keep_answer(session, ring, ticket, answer, caller=caller, now=now)
    return ticket


async def answer_directly(
    session: AsyncSession,
    ring: KeyRing,
    ticket_id: UUID,
    *,
    answer: str,
    expected: int,
    caller: Caller,
    now: datetime,
) -> Ticket:
    """An agent answers on the line 直接答复; the centre is then the handling unit.

    Raises: NoSuchTicket, Stale, NotNow.
    """
    ticket = await take_ticket(session, ticket_id, caller=caller, as_=View.CENTRE, expected=expected)
    ticket.status = next_status(ticket.standing, Action.ANSWER_DIRECTLY)
    ticket.department_id = caller.department_id
    ticket.answered_directly = True
    await _keep_answer(session, ring, ticket, answer, caller=caller, now=now)
    return ticket


async def close_ticket(
    session: AsyncSession, ticket_id: UUID, *, expected: int, caller: Caller, now: datetime
) -> Ticket:
    """The centre has read the answer and closes 办结: the caller is called back and invited to a review.

    Raises: NoSuchTicket, Stale, NotNow.
    """
    ticket = await take_ticket(session, ticket_id, caller=caller, as_=View.CENTRE, expected=expected)
    ticket.status = next_status(ticket.standing, Action.CLOSE)
    ticket.closed_at = now
    await outbox.add(session, ticket, TicketClosed(**facts_of(ticket)), now=now)
    await timeline.append(
        session, ticket.id, "closed", actor=caller.actor, at=now, facts={"contact_no": ticket.contact_no}
    )
    await session.flush()
    return ticket


async def call_back(
    session: AsyncSession,
    ticket_id: UUID,
    result: CallResult,
    *,
    expected: int,
    caller: Caller,
    now: datetime,
) -> Ticket:
    """The centre asks: reached, solved, satisfied? Three attempts in vain end it as not reached.

    Raises: NoSuchTicket, Stale, NotNow, HandlerCannotCallBack, CalledJustNow.
    """
    ticket = await take_ticket(session, ticket_id, caller=caller, as_=View.CENTRE, expected=expected)
    next_status(ticket.standing, Action.CALL_BACK)
    check_call_back(
        caller_id=caller.subject_id,
        caller_department=caller.department_id,
        handler_id=ticket.answered_by,
        handling_department=ticket.department_id,
        direct=ticket.answered_directly,
    )
    last_in_vain = await last_call_at(session, ticket.id) if ticket.call_attempts else None
    check_time_of_call(reached=result.reached, last_in_vain=last_in_vain, now=now)
    ticket.call_attempts += 1
    ticket.status = status_after_call(reached=result.reached, attempts=ticket.call_attempts)
    ticket.reached, ticket.solved, ticket.satisfied = result.reached, result.solved, result.satisfied
    facts: dict[str, int | bool | None] = {"attempt": ticket.call_attempts, "reached": result.reached}
    if ticket.status is Status.CALLED_BACK:
        ticket.called_back_at = now
        outcome = {"reached": result.reached, "solved": result.solved, "satisfied": result.satisfied}
        await outbox.add(session, ticket, TicketCalledBack(**facts_of(ticket), **outcome), now=now)
        facts |= {"solved": result.solved, "satisfied": result.satisfied}
    await timeline.append(session, ticket.id, "called_back", actor=caller.actor, at=now, facts=facts)
    await session.flush()
    return ticket


async def _keep_answer(
    session: AsyncSession, ring: KeyRing, ticket: Ticket, answer: str, *, caller: Caller, now: datetime
) -> None:
    ticket.answer = ring.encrypt(answer, column="tickets.answer")
    ticket.answered_at, ticket.answered_by = now, caller.subject_id
    await outbox.add(session, ticket, TicketAnswered(**facts_of(ticket)), now=now)
    on_time = ticket.handle_due_at is None or now < ticket.handle_due_at
    await timeline.append(
        session,
        ticket.id,
        "answered",
        actor=caller.actor,
        at=now,
        facts={"answer": commitment(ring, answer), "on_time": on_time},
    )
    await session.flush()
