"""A citizen turns to the hotline: a new ticket, or a repeat call on one that runs."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from hotline_service.numbering.handlers import draw_ticket_number
from hotline_service.tickets.domain import (
    Action,
    CallerNotYours,
    Channel,
    NoSuchTicket,
    OutsideArea,
    Status,
    Urgency,
    View,
    next_status,
    phone_digits,
    protects_caller,
)
from hotline_service.tickets.handlers.access import facts_of, view_for, viewer_of
from hotline_service.tickets.models import Ticket, Urge
from hotline_service.tickets.repository import lock_ticket
from service_common import outbox, timeline
from service_common.auth import Caller
from service_common.contracts.hotline import TicketCreated, TicketKind
from service_common.crypto import KeyRing
from service_common.db import new_id


@dataclass(frozen=True, slots=True)
class NewTicket:
    """What a caller says."""

    kind: TicketKind
    urgency: Urgency
    content: str
    division: str
    case_id: UUID | None = None
    project_no: str | None = None
    caller_name: str | None = None
    caller_phone: str | None = None


async def record_ticket(
    session: AsyncSession, ring: KeyRing, new: NewTicket, *, caller: Caller, now: datetime
) -> Ticket:
    """Records an appeal of a person, or of a caller on the telephone by an agent of the division.

    Raises: CallerNotYours, OutsideArea.
    """
    viewer = viewer_of(caller)
    by_person = caller.subject_type == "person"
    if by_person and new.caller_name:
        raise CallerNotYours
    ticket = Ticket(
        id=new_id(),
        kind=new.kind,
        # Urgency is the centre's to judge: everybody's own appeal is urgent.
        urgency=Urgency.ORDINARY if by_person else new.urgency,
        status=Status.RECORDED,
        channel=Channel.APP if by_person else Channel.PHONE,
        division=new.division,
        person_id=caller.person_id if by_person else None,
        recorded_by=caller.subject_id,
        caller_name=_sealed(ring, new.caller_name, "tickets.caller_name"),
        caller_phone=_sealed(ring, new.caller_phone, "tickets.caller_phone"),
        caller_phone_index=phone_index(ring, new.caller_phone) if new.caller_phone else None,
        caller_protected=protects_caller(new.kind),
        content=ring.encrypt(new.content, column="tickets.content"),
        case_id=new.case_id,
        project_no=new.project_no,
        contact_no=1,
        revision=0,
    )
    if not by_person and not viewer.serves(new.division):
        raise OutsideArea
    ticket.number = await draw_ticket_number(session, new.division, now)
    session.add(ticket)
    await outbox.add(session, ticket, TicketCreated(**facts_of(ticket)), now=now)
    await timeline.append(
        session,
        ticket.id,
        "recorded",
        actor=caller.actor,
        at=now,
        facts={
            "number": ticket.number,
            "kind": new.kind.value,
            "content": commitment(ring, new.content),
        },
        first=True,
    )
    await session.flush()
    return ticket


async def urge_ticket(
    session: AsyncSession, ring: KeyRing, ticket_id: UUID, *, note: str | None, caller: Caller, now: datetime
) -> Ticket:
    """Hangs a repeat call on its ticket. The ticket's version stays: whoever is deciding on it is not disturbed.

    Raises: NoSuchTicket, NotNow.
    """
    ticket = await lock_ticket(session, ticket_id)
    if ticket is None or view_for(ticket, caller) is View.DEPARTMENT:
        raise NoSuchTicket
    next_status(ticket.standing, Action.URGE)
    channel = Channel.APP if caller.subject_type == "person" else Channel.PHONE
    session.add(Urge(ticket_id=ticket.id, at=now, channel=channel, note=_sealed(ring, note, "urges.note")))
    await timeline.append(
        session, ticket.id, "urged", actor=caller.actor, at=now, facts={"channel": channel.value}
    )
    await session.flush()
    return ticket


def phone_index(ring: KeyRing, phone: str) -> bytes:
    """The blind index by which a caller's tickets are found again."""
    return ring.blind_index(phone_digits(phone), column="tickets.caller_phone")


def commitment(ring: KeyRing, text: str) -> str:
    """Binds the history to a text without telling it: keyed, so that short texts cannot be guessed."""
    return ring.blind_index(text, column="timeline").hex()


def _sealed(ring: KeyRing, text: str | None, column: str) -> bytes | None:
    return ring.encrypt(text, column=column) if text else None
