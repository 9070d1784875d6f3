"""A person's own tickets in clear, for the person alone."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from hotline_service.departments.handlers import department_names
from hotline_service.tickets.models import Ticket, Urge
from service_common.auth import Caller
from service_common.crypto import KeyRing
from service_common.exports import check_exporter
from service_common.tables import timeline_entries


@dataclass(frozen=True, slots=True)
class ExportedTicket:
    """A ticket with everything that its caller said and was told, and who was shown the caller in full."""

    row: Ticket
    department_name: str | None
    caller_name: str | None
    caller_phone: str | None
    content: str
    answer: str | None
    urges: Sequence[tuple[datetime, str | None]]
    disclosures: Sequence[tuple[datetime, str]]


async def export_tickets(
    session: AsyncSession, ring: KeyRing, *, caller: Caller, before: UUID | None, limit: int, now: datetime
) -> Sequence[ExportedTicket]:
    """A page of the tickets that the person wrote, newest first. Raises: NotAPerson, LoginTooOld."""
    query = select(Ticket).where(Ticket.person_id == check_exporter(caller, now=now))
    if before is not None:
        query = query.where(Ticket.id < before)
    rows = (await session.scalars(query.order_by(Ticket.id.desc()).limit(limit))).all()
    ids = [row.id for row in rows]
    names = await department_names(session, [row.department_id for row in rows])
    urges = await _urges_of(session, ids)
    disclosures = await _disclosures_of(session, ids)
    return [
        ExportedTicket(
            row=row,
            department_name=names.get(row.department_id) if row.department_id else None,
            caller_name=_open(ring, row.caller_name, "tickets.caller_name"),
            caller_phone=_open(ring, row.caller_phone, "tickets.caller_phone"),
            content=ring.decrypt(row.content, column="tickets.content"),
            answer=_open(ring, row.answer, "tickets.answer"),
            urges=[(one.at, _open(ring, one.note, "urges.note")) for one in urges[row.id]],
            disclosures=disclosures[row.id],
        )
        for row in rows
    ]


async def _urges_of(session: AsyncSession, ids: Sequence[UUID]) -> Mapping[UUID, list[Urge]]:
    found: dict[UUID, list[Urge]] = defaultdict(list)
    for one in await session.scalars(select(Urge).where(Urge.ticket_id.in_(ids)).order_by(Urge.id)):
        found[one.ticket_id].append(one)
    return found


async def _disclosures_of(
    session: AsyncSession, ids: Sequence[UUID]
) -> Mapping[UUID, list[tuple[datetime, str]]]:
    entry = timeline_entries.c
    found: dict[UUID, list[tuple[datetime, str]]] = defaultdict(list)
    for one in await session.execute(
        select(entry.aggregate_id, entry.at, entry.facts)
        .where(entry.aggregate_id.in_(ids), entry.action == "caller_disclosed")
        .order_by(entry.aggregate_id, entry.sequence)
    ):
        found[one.aggregate_id].append((one.at, one.facts["purpose"]))
    return found


def _open(ring: KeyRing, sealed: bytes | None, column: str) -> str | None:
    return ring.decrypt(sealed, column=column) if sealed else None
