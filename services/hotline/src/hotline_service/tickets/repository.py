"""Queries over tickets."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from gov_rules.divisions import code_prefix
from hotline_service.tickets.domain import ENDED, Status, Viewer
from hotline_service.tickets.models import Ticket, Urge
from service_common.tables import timeline_entries


async def lock_ticket(session: AsyncSession, ticket_id: UUID) -> Ticket | None:
    """A ticket that the running transaction will decide on."""
    return await session.get(Ticket, ticket_id, with_for_update=True)


async def tickets_for(
    session: AsyncSession,
    viewer: Viewer,
    *,
    status: Status | None,
    overdue_at: datetime | None,
    before: UUID | None,
    limit: int,
) -> Sequence[Ticket]:
    """Newest first: a person's own, a centre's by division, a department's by assignment."""
    query = select(Ticket).where(_visible_to(viewer)).order_by(Ticket.id.desc()).limit(limit)
    if status is not None:
        query = query.where(Ticket.status == status)
    if overdue_at is not None:
        query = query.where(
            Ticket.handle_due_at <= overdue_at, Ticket.status.in_([Status.DISPATCHED, Status.SIGNED])
        )
    if before is not None:
        query = query.where(Ticket.id < before)
    return (await session.scalars(query)).all()


def _visible_to(viewer: Viewer) -> ColumnElement[bool]:
    if viewer.person_id is not None:
        return Ticket.person_id == viewer.person_id
    if viewer.is_centre and viewer.division:
        return _lies_within(viewer.division)
    return (Ticket.department_id == viewer.department_id) & (Ticket.status != Status.RECORDED)


def _lies_within(division: str) -> ColumnElement[bool]:
    return Ticket.division.startswith(code_prefix(division), autoescape=True)


async def open_tickets_of_phone(
    session: AsyncSession, phone_index: bytes, *, division: str, limit: int
) -> Sequence[Ticket]:
    """What a caller has running, so that a repeat call hangs on it."""
    query = (
        select(Ticket)
        .where(
            Ticket.caller_phone_index == phone_index,
            Ticket.status.not_in(list(ENDED)),
            _lies_within(division),
        )
        .order_by(Ticket.id.desc())
        .limit(limit)
    )
    return (await session.scalars(query)).all()


async def last_call_at(session: AsyncSession, ticket_id: UUID) -> datetime | None:
    """When its caller was last called back, reached or not."""
    found: datetime | None = await session.scalar(
        select(func.max(timeline_entries.c.at)).where(
            timeline_entries.c.aggregate_id == ticket_id, timeline_entries.c.action == "called_back"
        )
    )
    return found


async def count_urges(session: AsyncSession, ticket_ids: Iterable[UUID]) -> dict[UUID, int]:
    """Repeat calls by ticket; tickets without any are absent."""
    found = await session.execute(
        select(Urge.ticket_id, func.count())
        .where(Urge.ticket_id.in_(list(ticket_ids)))
        .group_by(Urge.ticket_id)
    )
    return {row[0]: row[1] for row in found}
