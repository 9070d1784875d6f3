"""Keeping and reading the projections of departments and staff."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from uuid import UUID

from sqlalchemy import delete, insert, select, union_all
from sqlalchemy.ext.asyncio import AsyncSession

from acceptance_service.departments.domain import CodedDepartment, KnownDepartment
from acceptance_service.departments.models import Department, DepartmentCode, StaffMember


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


async def staff_in(session: AsyncSession, department_id: UUID, ids: Iterable[UUID]) -> set[UUID]:
    """Those of the ids that are of active staff of this department."""
    found = await session.scalars(
        select(StaffMember.id).where(
            StaffMember.id.in_(set(ids)), StaffMember.department_id == department_id, StaffMember.active
        )
    )
    return set(found)


async def department_names(session: AsyncSession, ids: Iterable[UUID | None]) -> Mapping[UUID | None, str]:
    """Names for a list that holds ids."""
    wanted = {one for one in ids if one is not None}
    if not wanted:
        return {}
    found = await session.execute(select(Department.id, Department.name).where(Department.id.in_(wanted)))
    return {row.id: row.name for row in found}
