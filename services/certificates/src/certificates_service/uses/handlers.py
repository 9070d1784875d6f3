"""Remembering each use of a licence, and showing them to its holder."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from certificates_service.departments.handlers import departments_by_id
from certificates_service.licences.handlers.read import held_licence
from certificates_service.licences.handlers.recording import facts_of
from certificates_service.licences.models import Licence
from certificates_service.uses.domain import GROUNDS, Use
from certificates_service.uses.models import LicenceUse
from service_common import outbox
from service_common.auth import Caller
from service_common.contracts.certificates import LicenceUsed
from service_common.db import new_id

MOST_USES = 100
"""Of each licence in an export; the licence's own list has all."""


async def record_use(
    session: AsyncSession, licence: Licence, use: Use, *, verifier: Caller | None, now: datetime
) -> LicenceUse:
    """One entry that the holder reads, and the event. ``verifier`` is None for somebody without login."""
    row = LicenceUse(
        id=new_id(),
        revision=0,
        licence_id=licence.id,
        at=now,
        mode=use.mode,
        purpose=use.purpose,
        legal_basis=GROUNDS[use.purpose].legal_basis,
        about_id=use.about_id,
        fields=list(use.fields),
        verifier_kind=verifier.subject_type if verifier else "anonymous",
        verifier_id=verifier.subject_id if verifier else None,
        verifier_department_id=verifier.department_id if verifier else None,
        shown_by=use.shown_by,
    )
    session.add(row)
    event = LicenceUsed(
        **facts_of(licence),
        mode=use.mode,
        verifier_department_id=row.verifier_department_id,
        purpose_case_id=use.about_id,
    )
    await outbox.add(session, row, event, now=now)
    return row


@dataclass(frozen=True, slots=True)
class ShownUse:
    """A use with the name of the department behind it, where there is one."""

    use: LicenceUse
    department_name: str | None


async def list_uses(
    session: AsyncSession, licence_id: UUID, *, caller: Caller, after: UUID | None, limit: int
) -> Sequence[ShownUse]:
    """For the holder, newest first, up to ``limit`` after an id. Raises: NoSuchLicence."""
    licence = await held_licence(session, licence_id, caller=caller)
    query = (
        select(LicenceUse)
        .where(LicenceUse.licence_id == licence.id)
        .order_by(LicenceUse.id.desc())
        .limit(limit)
    )
    if after is not None:
        query = query.where(LicenceUse.id < after)
    return await _with_departments(session, (await session.scalars(query)).all())


async def uses_of(session: AsyncSession, licences: Sequence[Licence]) -> Mapping[UUID, list[ShownUse]]:
    """The newest uses of each licence of a page, at most ``MOST_USES``."""
    newest = (
        select(
            LicenceUse.id,
            func.row_number()
            .over(partition_by=LicenceUse.licence_id, order_by=LicenceUse.id.desc())
            .label("place"),
        )
        .where(LicenceUse.licence_id.in_([one.id for one in licences]))
        .subquery()
    )
    query = select(LicenceUse).join(newest, newest.c.id == LicenceUse.id).where(newest.c.place <= MOST_USES)
    rows = (await session.scalars(query.order_by(LicenceUse.id.desc()))).all()
    found: dict[UUID, list[ShownUse]] = {}
    for shown in await _with_departments(session, rows):
        found.setdefault(shown.use.licence_id, []).append(shown)
    return found


async def _with_departments(session: AsyncSession, rows: Sequence[LicenceUse]) -> Sequence[ShownUse]:
    departments = await departments_by_id(session, [row.verifier_department_id for row in rows])
    names: Mapping[UUID, str] = {key: department.name for key, department in departments.items()}
    return [
        ShownUse(row, names.get(row.verifier_department_id) if row.verifier_department_id else None)
        for row in rows
    ]
