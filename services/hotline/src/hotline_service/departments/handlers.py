"""Reading the projection of departments."""

from collections.abc import Iterable, Sequence
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from gov_rules.divisions import NATION, ancestors_of
from gov_rules.errors import InvalidIdentifier
from hotline_service.departments.domain import KnownDepartment
from hotline_service.departments.models import Department


async def find_department(session: AsyncSession, department_id: UUID) -> KnownDepartment | None:
    """One department, whether active or not."""
    row = await session.get(Department, department_id)
    return _known(row) if row else None


async def department_names(session: AsyncSession, ids: Iterable[UUID | None]) -> dict[UUID, str]:
    """Names for a list that holds ids."""
    wanted = {one for one in ids if one is not None}
    if not wanted:
        return {}
    found = await session.execute(select(Department.id, Department.name).where(Department.id.in_(wanted)))
    return {row.id: row.name for row in found}


async def departments_serving(session: AsyncSession, division: str) -> Sequence[KnownDepartment]:
    """Active departments of a division, then of those above it, nearest first."""
    order = [division, *_codes_above(division)]
    rows = await session.scalars(
        select(Department).where(Department.division.in_(order), Department.active.is_(True))
    )
    return sorted((_known(row) for row in rows), key=lambda one: (order.index(one.division), one.name))


def _codes_above(division: str) -> list[str]:
    try:
        above = [f"{row.code}000000" for row in ancestors_of(division)]
    except (
        InvalidIdentifier
    ):  # a development zone that the table does not have: its digits still say where it lies
        above = [f"{division[:4]}00000000", f"{division[:2]}0000000000"]
    return [code for code in above if code not in {division, NATION}]


def _known(row: Department) -> KnownDepartment:
    return KnownDepartment(row.id, row.name, row.short_name, row.division, row.active)
