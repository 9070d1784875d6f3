"""Keeping and reading the projection of departments."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from certificates_service.departments.domain import DepartmentState
from certificates_service.departments.models import Department


async def apply_departments(session: AsyncSession, states: Sequence[DepartmentState]) -> None:
    """Takes over what identity says, unless something newer is known already."""
    if not states:
        return
    statement = insert(Department).values([asdict(one) for one in states])
    newer = {column.name: column for column in statement.excluded if column.name != "id"}
    await session.execute(
        statement.on_conflict_do_update(
            index_elements=["id"], set_=newer, where=Department.revision < statement.excluded.revision
        )
    )


async def departments_by_id(session: AsyncSession, ids: Iterable[UUID | None]) -> Mapping[UUID, Department]:
    """Those that identity has told us of."""
    wanted = {one for one in ids if one is not None}
    if not wanted:
        return {}
    found = await session.scalars(select(Department).where(Department.id.in_(wanted)))
    return {row.id: row for row in found}
