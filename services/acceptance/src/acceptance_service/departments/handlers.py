"""Keeping and reading the projection of departments."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from uuid import UUID

from sqlalchemy import delete, insert, select, union_all
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncSession

from acceptance_service.departments.domain import CodedDepartment, DepartmentState, KnownDepartment
from acceptance_service.departments.models import Department, DepartmentCode


async def apply_departments(session: AsyncSession, states: Sequence[DepartmentState]) -> None:
    """Takes over what identity says, unless something newer is known already.

    The same revision is written again, so that a rebuild mends a row that was damaged.
    """
    if not states:
        return
    rows = [{"id": one.department_id, **_columns(one)} for one in states]
    statement = upsert(Department).values(rows)
    newer = {name: statement.excluded[name] for name in _columns(states[0])}
    await session.execute(
        statement.on_conflict_do_update(
            index_elements=["id"], set_=newer, where=Department.revision <= statement.excluded.revision
        )
    )


def _columns(state: DepartmentState) -> dict[str, object]:
    return {name: value for name, value in asdict(state).items() if name != "department_id"}


async def replace_department_codes(session: AsyncSession, rows: Sequence[CodedDepartment]) -> None:
    """Puts a newly published list of codes in force."""
    await session.execute(delete(DepartmentCode))
    if rows:
        await session.execute(insert(DepartmentCode), [asdict(one) for one in rows])


async def find_departments(session: AsyncSession, references: Iterable[str]) -> Mapping[str, KnownDepartment]:
    """Departments by the code or USCC that the catalogue uses; what identity does not know is absent."""
    wanted = sorted(set(references))
    by_code = (
        select(DepartmentCode.code.label("reference"), Department.__table__)
        .join(Department, Department.uscc == DepartmentCode.uscc)
        .where(DepartmentCode.code.in_(wanted))
    )
    by_uscc = select(Department.uscc.label("reference"), Department.__table__).where(
        Department.uscc.in_(wanted)
    )
    found = await session.execute(union_all(by_code, by_uscc))
    return {
        row.reference: KnownDepartment(row.id, row.uscc, row.name, row.division, row.active) for row in found
    }


async def department_names(session: AsyncSession, ids: Iterable[UUID | None]) -> Mapping[UUID | None, str]:
    """Names for a list that holds ids."""
    wanted = {one for one in ids if one is not None}
    if not wanted:
        return {}
    found = await session.execute(select(Department.id, Department.name).where(Department.id.in_(wanted)))
    return {row.id: row.name for row in found}
