"""Looking at rectifications."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Row, select
from sqlalchemy.ext.asyncio import AsyncSession

from evaluation_service.rectifications.domain import NoSuchRectification, Officer, Stage
from evaluation_service.rectifications.handlers.access import officer_of
from evaluation_service.rectifications.models import Rectification
from gov_rules.divisions import code_prefix
from service_common import timeline
from service_common.auth import Caller


async def read_rectification(
    session: AsyncSession, rectification_id: UUID, *, caller: Caller
) -> Rectification:
    """Raises: NoSuchRectification."""
    return await _visible(session, rectification_id, caller)


async def list_rectifications(
    session: AsyncSession,
    *,
    stage: Stage | None,
    overdue: bool | None,
    before: UUID | None,
    limit: int,
    caller: Caller,
) -> Sequence[Rectification]:
    """The department's, or the supervised area's, newest first."""
    query = (
        select(Rectification)
        .where(_visible_to(officer_of(caller)))
        .order_by(Rectification.id.desc())
        .limit(limit)
    )
    if stage is not None:
        query = query.where(Rectification.stage == stage)
    if overdue is not None:
        query = query.where(Rectification.overdue.is_(overdue))
    if before is not None:
        query = query.where(Rectification.id < before)
    return (await session.scalars(query)).all()


@dataclass(frozen=True, slots=True)
class History:
    """The entries, and whether their hashes follow from each other."""

    entries: Sequence[Row[Any]]
    intact: bool


async def read_timeline(session: AsyncSession, rectification_id: UUID, *, caller: Caller) -> History:
    """Raises: NoSuchRectification."""
    await _visible(session, rectification_id, caller)
    entries = await timeline.read(session, rectification_id)
    return History(entries, timeline.verify(entries))


async def _visible(session: AsyncSession, rectification_id: UUID, caller: Caller) -> Rectification:
    row = await session.get(Rectification, rectification_id)
    if row is None or not officer_of(caller).sees(row.department_id, row.division):
        raise NoSuchRectification
    return row


def _visible_to(officer: Officer) -> ColumnElement[bool]:
    if officer.supervises and officer.division is not None:
        return Rectification.division.startswith(code_prefix(officer.division), autoescape=True)
    return Rectification.department_id == officer.department_id
