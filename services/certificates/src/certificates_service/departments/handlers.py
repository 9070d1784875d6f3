"""Reading the projection of departments."""

from collections.abc import Iterable, Mapping
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from certificates_service.departments.models import Department


async def departments_by_id(session: AsyncSession, ids: Iterable[UUID | None]) -> Mapping[UUID, Department]:
    """Those that identity has told us of."""
    wanted = {one for one in ids if one is not None}
    if not wanted:
        return {}
    found = await session.scalars(select(Department).where(Department.id.in_(wanted)))
    return {row.id: row for row in found}
