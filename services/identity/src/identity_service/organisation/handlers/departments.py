"""Departments: added, changed, listed."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import select, tuple_
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from identity_service.organisation.domain import (
    DepartmentExists,
    DepartmentTreeBroken,
    NoSuchDepartment,
    normal_area_code,
    normal_credit_code,
)
from identity_service.organisation.models import Department
from service_common import outbox
from service_common.contracts.identity import DepartmentChanged
from service_common.etag import check_version


@dataclass(frozen=True, slots=True)
class DepartmentFacts:
    """What a department is, as it was entered."""

    uscc: str
    unit_suffix: str
    name: str
    short_name: str
    division: str
    parent_id: UUID | None
    is_active: bool = True


async def add_department(session: AsyncSession, facts: DepartmentFacts, *, now: datetime) -> Department:
    """Adds an organ or a unit of one.

    Raises: InvalidCreditCode, InvalidDivision, DepartmentExists, DepartmentTreeBroken.
    """
    department = Department()
    await _set(session, department, facts)
    try:
        async with session.begin_nested():
            session.add(department)
    except IntegrityError as error:
        raise DepartmentExists from error
    await outbox.add(session, department, _changed(department), now=now)
    await session.flush()
    return department


async def change_department(
    session: AsyncSession,
    department_id: UUID,
    facts: DepartmentFacts,
    *,
    expected_version: int,
    now: datetime,
) -> Department:
    """Replaces what is known of a department; its id stays through renaming and merging.

    Raises: NoSuchDepartment, Stale, DepartmentTreeBroken, InvalidCreditCode, InvalidDivision, DepartmentExists.
    """
    department = await session.get(Department, department_id, with_for_update=True)
    if department is None:
        raise NoSuchDepartment
    check_version(department.version, expected_version)
    await _set(session, department, facts)
    await outbox.add(session, department, _changed(department), now=now)
    try:
        await session.flush()
    except IntegrityError as error:
        raise DepartmentExists from error
    return department


async def _set(session: AsyncSession, department: Department, facts: DepartmentFacts) -> None:
    await _check_parent(session, department.id, facts.parent_id)
    department.uscc = normal_credit_code(facts.uscc)
    department.unit_suffix = facts.unit_suffix
    department.name = facts.name
    department.short_name = facts.short_name
    department.division = normal_area_code(facts.division)
    department.parent_id = facts.parent_id
    department.is_active = facts.is_active


async def _check_parent(session: AsyncSession, own_id: UUID | None, parent_id: UUID | None) -> None:
    """Climbs to the root: the tree of a province is a handful deep."""
    above = parent_id
    while above is not None:
        parent = await session.get(Department, above)
        if parent is None or parent.id == own_id or not parent.is_active:
            raise DepartmentTreeBroken
        above = parent.parent_id


def _changed(department: Department) -> DepartmentChanged:
    return DepartmentChanged(
        department_id=department.id,
        uscc=department.uscc,
        name=department.name,
        short_name=department.short_name,
        division=department.division,
        parent_id=department.parent_id,
        active=department.is_active,
    )


async def get_department(session: AsyncSession, department_id: UUID) -> Department:
    """Raises: NoSuchDepartment."""
    department = await session.get(Department, department_id)
    if department is None:
        raise NoSuchDepartment
    return department


async def list_departments(
    session: AsyncSession,
    *,
    uscc: str | None,
    division: str | None,
    after: tuple[str, UUID] | None,
    limit: int,
) -> Sequence[Department]:
    """Departments by division, then in the order of their making; one more than ``limit``."""
    query = select(Department).order_by(Department.division, Department.id).limit(limit + 1)
    if uscc is not None:
        query = query.where(Department.uscc == uscc)
    if division is not None:
        query = query.where(Department.division == division)
    if after is not None:
        query = query.where(tuple_(Department.division, Department.id) > after)
    return (await session.scalars(query)).all()


async def snapshot_departments(session: AsyncSession) -> Sequence[Department]:
    """Every department, for projections."""
    return (await session.scalars(select(Department).order_by(Department.id))).all()
