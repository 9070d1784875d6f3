"""Who may lay hands on which ticket, and what the others hear of it."""

from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from hotline_service.tickets.domain import NoSuchTicket, View, Viewer, view_of
from hotline_service.tickets.models import Ticket
from hotline_service.tickets.repository import lock_ticket
from service_common.auth import Caller
from service_common.etag import check_version


def viewer_of(caller: Caller) -> Viewer:
    """The caller as far as it decides what is shown."""
    if caller.subject_type == "person":
        return Viewer(person_id=caller.person_id)
    return Viewer(department_id=caller.department_id, division=caller.division, roles=caller.roles)


def view_for(ticket: Ticket, caller: Caller) -> View:
    """Raises: NoSuchTicket for one that the caller may not know of."""
    view = view_of(
        viewer_of(caller),
        person_id=ticket.person_id,
        department_id=ticket.department_id,
        division=ticket.division,
        status=ticket.status,
    )
    if view is None:
        raise NoSuchTicket
    return view


async def take_ticket(
    session: AsyncSession, ticket_id: UUID, *, caller: Caller, as_: View, expected: int | None = None
) -> Ticket:
    """A locked ticket for a change by the centre or by its department.

    Raises: NoSuchTicket, Stale when a version is expected and another one is there.
    """
    ticket = await lock_ticket(session, ticket_id)
    if ticket is None or view_for(ticket, caller) is not as_:
        raise NoSuchTicket
    if expected is not None:
        check_version(ticket.version, expected)
    return ticket


def facts_of(ticket: Ticket) -> dict[str, Any]:
    """What every event about a ticket says."""
    return {
        "ticket_id": ticket.id,
        "ticket_no": ticket.number,
        "kind": ticket.kind,
        "division": ticket.division,
        "department_id": ticket.department_id,
        "person_id": ticket.person_id,
        "case_id": ticket.case_id,
        "contact_no": ticket.contact_no,
    }
