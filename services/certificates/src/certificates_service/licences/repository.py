"""Queries on licences."""

from collections.abc import Iterable, Sequence
from datetime import date
from hashlib import sha256
from uuid import UUID

from sqlalchemy import func, select, text, tuple_
from sqlalchemy.ext.asyncio import AsyncSession

from certificates_service.licences.domain import LIVING
from certificates_service.licences.models import Licence


async def take_turns(session: AsyncSession, names: Iterable[str]) -> None:
    """Waits for whoever works on one of these names, until the end of this transaction.

    Always in the same order, so that two batches cannot wait for each other.
    """
    locks = sorted(
        int.from_bytes(sha256(name.encode()).digest()[:8], "big", signed=True) for name in set(names)
    )
    for lock in locks:
        await session.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": lock})


async def licence_for_change(session: AsyncSession, licence_id: UUID) -> Licence | None:
    """As it is now, locked until the end of the transaction."""
    return await session.get(Licence, licence_id, with_for_update=True, populate_existing=True)


async def licence_by_identifier(session: AsyncSession, identifier: str) -> Licence | None:
    return await session.scalar(select(Licence).where(Licence.identifier == identifier))


async def living_by_issuer(session: AsyncSession) -> Sequence[tuple[str, UUID, int]]:
    """How many living licences of each type each department has issued."""
    counted = (
        select(Licence.type_code, Licence.issuer_department_id, func.count())
        .where(Licence.status.in_(LIVING))
        .group_by(Licence.type_code, Licence.issuer_department_id)
        .order_by(Licence.type_code, Licence.issuer_department_id)
    )
    return [(code, issuer, count) for code, issuer, count in await session.execute(counted)]


CaseKey = tuple[UUID, UUID]
"""Issuing department and case: what another department issues is none of the case's licences."""


async def licences_of_cases(
    session: AsyncSession, cases: Iterable[tuple[UUID, UUID | None]]
) -> dict[CaseKey, Licence]:
    """The licence of each case that has one from its issuer."""
    wanted = {(issuer, case_id) for issuer, case_id in cases if case_id is not None}
    if not wanted:
        return {}
    key = tuple_(Licence.issuer_department_id, Licence.case_id)
    rows = await session.scalars(select(Licence).where(key.in_(wanted)))
    return {(row.issuer_department_id, row.case_id): row for row in rows if row.case_id is not None}


NumberKey = tuple[str, UUID, bytes]


async def living_by_number(session: AsyncSession, numbers: Iterable[NumberKey]) -> dict[NumberKey, Licence]:
    """The living licence of each type, issuer and printed number, locked."""
    wanted = sorted(set(numbers))
    if not wanted:
        return {}
    columns = tuple_(Licence.type_code, Licence.issuer_department_id, Licence.number_index)
    rows = await session.scalars(
        select(Licence)
        .where(Licence.status.in_(LIVING), columns.in_(wanted))
        .order_by(Licence.id)
        .with_for_update()
    )
    return {
        (row.type_code, row.issuer_department_id, row.number_index): row for row in rows if row.number_index
    }


async def licences_of_holders(
    session: AsyncSession,
    holders: Iterable[UUID],
    *,
    type_codes: Sequence[str] = (),
    after: UUID | None,
    limit: int,
) -> Sequence[Licence]:
    """Newest first, up to ``limit`` after an id."""
    query = (
        select(Licence).where(Licence.holder_id.in_(set(holders))).order_by(Licence.id.desc()).limit(limit)
    )
    if type_codes:
        query = query.where(Licence.type_code.in_(type_codes))
    if after is not None:
        query = query.where(Licence.id < after)
    return (await session.scalars(query)).all()


async def overdue_licences(session: AsyncSession, today: date, limit: int) -> Sequence[Licence]:
    """Living licences whose last day is over, locked; those that somebody works on are left for the next round."""
    query = (
        select(Licence)
        .where(Licence.status.in_(LIVING), Licence.valid_until < today)
        .order_by(Licence.valid_until)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    return (await session.scalars(query)).all()
