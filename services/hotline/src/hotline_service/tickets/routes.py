"""HTTP of tickets."""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import Depends, Query, Request, Response
from sqlalchemy.ext.asyncio import AsyncSession

from hotline_service.suggestions.handlers import Adviser
from hotline_service.tickets.domain import ClockTable, Status
from hotline_service.tickets.handlers import dispatch, finish, read, record
from hotline_service.tickets.models import Ticket
from hotline_service.tickets.schemas import (
    AnswerBody,
    AssignmentBody,
    CallBackBody,
    DisclosedCaller,
    DisclosureBody,
    PhoneSearch,
    ReturnBody,
    SuggestionRead,
    TicketCreate,
    TicketRead,
    TicketSummary,
    TimelineRead,
    UrgeBody,
)
from service_common.app import Now, Ring, api_router
from service_common.auth import Caller, require, scope
from service_common.crypto import KeyRing
from service_common.db import Session
from service_common.etag import ExpectedVersion, set_etag
from service_common.idempotency import Once
from service_common.pages import Page, Paging

CREATE = scope(
    "hotline:tickets.create",
    zh="向热线提出诉求",
    en="Turn to the hotline",
    roles={"citizen", "hotline_agent"},
)
READ = scope(
    "hotline:tickets.read",
    zh="查看工单",
    en="Read tickets",
    roles={"citizen", "hotline_agent", "clerk", "approver", "partner", "supervisor"},
)
DISPATCH = scope(
    "hotline:tickets.dispatch", zh="派单、办结", en="Dispatch and close tickets", roles={"hotline_agent"}
)
HANDLE = scope(
    "hotline:tickets.handle",
    zh="办理工单",
    en="Handle tickets of one's department",
    roles={"clerk", "approver", "partner"},
)
CALL_BACK = scope("hotline:tickets.call-back", zh="回访", en="Call back", roles={"hotline_agent"})
SUPERVISE = scope(
    "hotline:tickets.supervise",
    zh="督办、裁定职责争议",
    en="Supervise, settle disputes of competence",
    roles={"supervisor"},
)

router = api_router("tickets", prefix="/hotline/v1/tickets")


async def _clock_table(request: Request) -> ClockTable:
    table: ClockTable = request.app.state.clock_table
    return table


async def _adviser(request: Request) -> Adviser:
    return Adviser(request.app.state.classifier, request.app.state.duty_list)


Clocks = Annotated[ClockTable, Depends(_clock_table)]
Advice = Annotated[Adviser, Depends(_adviser)]


@dataclass(frozen=True)
class Viewing:
    """Shows a ticket to whoever has changed it."""

    session: AsyncSession
    ring: KeyRing
    now: datetime
    response: Response

    async def show(self, ticket: Ticket, caller: Caller) -> TicketRead:
        """With its version as the ETag."""
        set_etag(self.response, ticket.version)
        shown = await read.show_ticket(self.session, self.ring, ticket, caller=caller, now=self.now)
        return TicketRead.of(shown)


async def _viewing(session: Session, ring: Ring, now: Now, response: Response) -> Viewing:
    return Viewing(session, ring, now, response)


View = Annotated[Viewing, Depends(_viewing)]


@router.post("", status_code=201, summary="Record an appeal")
async def record_ticket(
    *,
    body: TicketCreate,
    session: Session,
    ring: Ring,
    now: Now,
    view: View,
    response: Response,
    caller: Annotated[Caller, require(CREATE)],
    _once: Once,
) -> TicketRead:
    """A person's own, or a caller's by an agent. Gets its number at once; nobody can be told it twice."""
    new = record.NewTicket(**body.model_dump())
    ticket = await record.record_ticket(session, ring, new, caller=caller, now=now)
    response.headers["Location"] = f"/hotline/v1/tickets/{ticket.id}"
    return await view.show(ticket, caller)


@router.get("", summary="Tickets that are yours to see")
async def list_tickets(
    *,
    session: Session,
    now: Now,
    paging: Paging,
    caller: Annotated[Caller, require(READ)],
    status: Annotated[Status | None, Query(description="Only these.")] = None,
    overdue: Annotated[bool, Query(description="Only those whose limit has passed.")] = False,
) -> Page[TicketSummary]:
    """A person's own, a department's by assignment, a centre's by division. Newest first."""
    after = paging.after(UUID)
    shown = await read.list_tickets(
        session,
        status=status,
        overdue=overdue,
        before=after[0] if after else None,
        limit=paging.limit + 1,
        caller=caller,
        now=now,
    )
    return paging.page(shown, lambda one: (one.row.id,), TicketSummary.of)


@router.post("/search", summary="A caller's running tickets")
async def search_tickets(
    *, body: PhoneSearch, session: Session, ring: Ring, now: Now, caller: Annotated[Caller, require(DISPATCH)]
) -> list[TicketSummary]:
    """For an agent on the line: a repeat call hangs on the original. Changes nothing, so it takes no Idempotency-Key."""
    shown = await read.find_open_tickets(
        session, ring, phone=body.caller_phone, limit=20, caller=caller, now=now
    )
    return [TicketSummary.of(one) for one in shown]


@router.get("/{ticket_id}", summary="One ticket")
async def read_ticket(
    *,
    ticket_id: UUID,
    session: Session,
    ring: Ring,
    now: Now,
    response: Response,
    caller: Annotated[Caller, require(READ)],
) -> TicketRead:
    """What is shown depends on who looks: a report hides its caller from the unit that handles it."""
    shown = await read.read_ticket(session, ring, ticket_id, caller=caller, now=now)
    set_etag(response, shown.row.version)
    return TicketRead.of(shown)


@router.get("/{ticket_id}/suggestion", summary="Proposed kind, topic and department")
async def suggest(
    *,
    ticket_id: UUID,
    session: Session,
    ring: Ring,
    adviser: Advice,
    caller: Annotated[Caller, require(DISPATCH)],
) -> SuggestionRead:
    """By a classifier trained on real messages and the duty list of the division. The agent decides."""
    return SuggestionRead.of(await read.suggest_for_ticket(session, ring, adviser, ticket_id, caller=caller))


@router.post("/{ticket_id}/dispatch", summary="Send it to a department 派单")
async def dispatch_ticket(
    *,
    ticket_id: UUID,
    body: AssignmentBody,
    session: Session,
    now: Now,
    view: View,
    clocks: Clocks,
    caller: Annotated[Caller, require(DISPATCH)],
    expected: ExpectedVersion,
    _once: Once,
) -> TicketRead:
    """Also after a return, and once more for a caller who was not satisfied. The clocks run from here."""
    assignment = dispatch.Assignment(**body.model_dump())
    ticket = await dispatch.dispatch_ticket(
        session, ticket_id, assignment, clocks=clocks, expected=expected, caller=caller, now=now
    )
    return await view.show(ticket, caller)


@router.post("/{ticket_id}/settle", summary="Settle a dispute of competence 职责争议")
async def settle_dispute(
    *,
    ticket_id: UUID,
    body: AssignmentBody,
    session: Session,
    now: Now,
    view: View,
    clocks: Clocks,
    caller: Annotated[Caller, require(SUPERVISE)],
    expected: ExpectedVersion,
    _once: Once,
) -> TicketRead:
    """The assignment binds: it cannot be returned again."""
    assignment = dispatch.Assignment(**body.model_dump())
    ticket = await dispatch.settle_dispute(
        session, ticket_id, assignment, clocks=clocks, expected=expected, caller=caller, now=now
    )
    return await view.show(ticket, caller)


@router.post("/{ticket_id}/sign", summary="Take it on 签收")
async def sign_ticket(
    *,
    ticket_id: UUID,
    session: Session,
    now: Now,
    view: View,
    caller: Annotated[Caller, require(HANDLE)],
    expected: ExpectedVersion,
    _once: Once,
) -> TicketRead:
    """By the department to which it was sent."""
    ticket = await dispatch.sign_ticket(session, ticket_id, expected=expected, caller=caller, now=now)
    return await view.show(ticket, caller)


@router.post("/{ticket_id}/return", summary="Give it back with the basis 退单")
async def return_ticket(
    *,
    ticket_id: UUID,
    body: ReturnBody,
    session: Session,
    ring: Ring,
    now: Now,
    view: View,
    caller: Annotated[Caller, require(HANDLE)],
    expected: ExpectedVersion,
    _once: Once,
) -> TicketRead:
    """Within the limit. A second return of the same ticket is a dispute that the centre settles."""
    ticket = await dispatch.return_ticket(
        session, ring, ticket_id, basis=body.basis, expected=expected, caller=caller, now=now
    )
    return await view.show(ticket, caller)


@router.post("/{ticket_id}/answer", summary="Answer the caller 答复")
async def answer_ticket(
    *,
    ticket_id: UUID,
    body: AnswerBody,
    session: Session,
    ring: Ring,
    now: Now,
    view: View,
    caller: Annotated[Caller, require(HANDLE)],
    expected: ExpectedVersion,
    _once: Once,
) -> TicketRead:
    """By the department that has signed."""
    ticket = await finish.answer_ticket(
        session, ring, ticket_id, answer=body.answer, expected=expected, caller=caller, now=now
    )
    return await view.show(ticket, caller)


@router.post("/{ticket_id}/answer-directly", summary="Answer on the line 直接答复")
async def answer_directly(
    *,
    ticket_id: UUID,
    body: AnswerBody,
    session: Session,
    ring: Ring,
    now: Now,
    view: View,
    caller: Annotated[Caller, require(DISPATCH)],
    expected: ExpectedVersion,
    _once: Once,
) -> TicketRead:
    """By the agent, without any department."""
    ticket = await finish.answer_directly(
        session, ring, ticket_id, answer=body.answer, expected=expected, caller=caller, now=now
    )
    return await view.show(ticket, caller)


@router.post("/{ticket_id}/close", summary="Close it 办结")
async def close_ticket(
    *,
    ticket_id: UUID,
    session: Session,
    now: Now,
    view: View,
    caller: Annotated[Caller, require(DISPATCH)],
    expected: ExpectedVersion,
    _once: Once,
) -> TicketRead:
    """By the centre, when it has read the answer. Invites the person to a review."""
    ticket = await finish.close_ticket(session, ticket_id, expected=expected, caller=caller, now=now)
    return await view.show(ticket, caller)


@router.post("/{ticket_id}/call-back", summary="Enter a call-back 回访")
async def call_back(
    *,
    ticket_id: UUID,
    body: CallBackBody,
    session: Session,
    now: Now,
    view: View,
    caller: Annotated[Caller, require(CALL_BACK)],
    expected: ExpectedVersion,
    _once: Once,
) -> TicketRead:
    """By the centre and not by who handled it: reached, solved, satisfied?"""
    ticket = await finish.call_back(
        session, ticket_id, body.result(), expected=expected, caller=caller, now=now
    )
    return await view.show(ticket, caller)


@router.post("/{ticket_id}/urge", summary="Hang a repeat call on it 催办")
async def urge_ticket(
    *,
    ticket_id: UUID,
    body: UrgeBody,
    session: Session,
    ring: Ring,
    now: Now,
    view: View,
    caller: Annotated[Caller, require(CREATE)],
    _once: Once,
) -> TicketRead:
    """By the person, or by an agent for a caller. Decides nothing, so it takes no If-Match."""
    ticket = await record.urge_ticket(session, ring, ticket_id, note=body.note, caller=caller, now=now)
    return await view.show(ticket, caller)


@router.post("/{ticket_id}/caller-disclosures", summary="The caller in full, for a purpose")
async def disclose_caller(
    *,
    ticket_id: UUID,
    body: DisclosureBody,
    session: Session,
    ring: Ring,
    now: Now,
    caller: Annotated[Caller, require(READ)],
    _once: Once,
) -> DisclosedCaller:
    """Entered in the history, where the person can read it. Refused to the unit that handles a report."""
    name, phone = await read.disclose_caller(
        session, ring, ticket_id, purpose=body.purpose, caller=caller, now=now
    )
    return DisclosedCaller(name=name, phone=phone)


@router.get("/{ticket_id}/timeline", summary="History of a ticket")
async def read_timeline(
    *, ticket_id: UUID, session: Session, caller: Annotated[Caller, require(READ)]
) -> TimelineRead:
    """Every step, chained by hashes."""
    return TimelineRead.of(await read.read_timeline(session, ticket_id, caller=caller))
