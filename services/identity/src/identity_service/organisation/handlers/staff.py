"""Staff: joining, moving, leaving; and what the other services may know of them."""

import base64
import os
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import pyotp
from sqlalchemy import Row, select
from sqlalchemy.ext.asyncio import AsyncSession

from identity_service.accounts import handlers as accounts
from identity_service.accounts.domain import SubjectKind
from identity_service.organisation.domain import NoSuchDepartment, NoSuchStaff, NotYourDepartment, Role
from identity_service.organisation.handlers.departments import get_department
from identity_service.organisation.models import Department, Staff
from identity_service.sessions import handlers as sessions
from service_common import outbox
from service_common.auth import Caller
from service_common.contracts.identity import SessionEndReason, StaffChanged
from service_common.crypto import KeyRing
from service_common.db import new_id
from service_common.etag import check_version

_NAME_COLUMN = "staff.name"


@dataclass(frozen=True, slots=True)
class NewStaff:
    """Somebody who takes office. The password was hashed before the transaction."""

    username: str
    password_hash: str
    totp_secret: str
    name: str
    department_id: UUID
    roles: Collection[Role]
    position: str | None = None
    must_change_password: bool = False


def new_password() -> str:
    """A first password that nobody guesses: 120 bits."""
    return base64.b32encode(os.urandom(15)).decode().lower()


def new_totp_secret() -> str:
    """160 bits, as RFC 4226 §4 asks for."""
    return pyotp.random_base32()


async def add_staff(session: AsyncSession, ring: KeyRing, new: NewStaff, *, now: datetime) -> Staff:
    """Opens a staff account with its second factor. Raises: NoSuchDepartment, UsernameTaken."""
    department = await _active_department(session, new.department_id)
    staff = Staff(
        id=new_id(),
        name=ring.encrypt(new.name, column=_NAME_COLUMN),
        department_id=department.id,
        position=new.position,
        roles=[str(role) for role in sorted(set(new.roles))],
        is_active=True,
    )
    account = accounts.NewAccount(
        staff.id,
        SubjectKind.STAFF,
        new.username,
        new.password_hash,
        totp_secret=new.totp_secret,
        must_change_password=new.must_change_password,
    )
    await accounts.open_account(session, ring, account, now=now)
    session.add(staff)
    await session.flush()
    await outbox.add(session, staff, _changed(staff, department.division), now=now)
    await session.flush()
    return staff


async def reassign_staff(
    session: AsyncSession,
    staff_id: UUID,
    *,
    department_id: UUID,
    roles: Collection[Role],
    position: str | None = None,
    is_active: bool,
    expected_version: int,
    now: datetime,
) -> Staff:
    """Moves somebody, changes the roles, or ends the office. Every session ends: its tokens carry the old assignment.

    The roles are those of the new place: none of the old one is kept that is not named again.
    Raises: NoSuchStaff, NoSuchDepartment, Stale.
    """
    staff = await session.get(Staff, staff_id, with_for_update=True)
    if staff is None:
        raise NoSuchStaff
    check_version(staff.version, expected_version)
    # Who leaves may leave a department that is closed already.
    find = _active_department if is_active else get_department
    department = await find(session, department_id)
    staff.department_id = department.id
    staff.position = position
    staff.roles = [str(role) for role in sorted(set(roles))]
    staff.is_active = is_active
    await accounts.set_active(session, staff_id, active=is_active)
    await sessions.end_everything_of(session, staff_id, reason=SessionEndReason.CLOSED, now=now)
    await outbox.add(session, staff, _changed(staff, department.division), now=now)
    await session.flush()
    return staff


async def tell_assignment(session: AsyncSession, staff: Staff, *, now: datetime) -> None:
    """Tells the whole assignment after a change of it."""
    department = await get_department(session, staff.department_id)
    await outbox.add(session, staff, _changed(staff, department.division), now=now)


async def held_there(session: AsyncSession, staff_id: UUID, department_id: UUID) -> frozenset[str]:
    """The roles that somebody holds in a department now: of a mover none. Raises: NoSuchStaff."""
    staff = await session.get(Staff, staff_id)
    if staff is None:
        raise NoSuchStaff
    return frozenset(staff.roles) if staff.is_active and staff.department_id == department_id else frozenset()


async def _active_department(session: AsyncSession, department_id: UUID) -> Department:
    department = await session.get(Department, department_id)
    if department is None or not department.is_active:
        raise NoSuchDepartment
    return department


def _changed(staff: Staff, division: str) -> StaffChanged:
    return StaffChanged(
        staff_id=staff.id,
        department_id=staff.department_id,
        division=division,
        roles=staff.roles,
        active=staff.is_active,
    )


async def get_staff(
    session: AsyncSession, staff_id: UUID, caller: Caller, *, for_update: bool = False
) -> Staff:
    """One staff member, of the caller's own department unless the caller is an operator. Raises: NoSuchStaff."""
    staff = await session.get(Staff, staff_id, with_for_update=for_update)
    if staff is None or not _may_see(caller, staff.department_id):
        raise NoSuchStaff
    return staff


async def username_of(session: AsyncSession, staff_id: UUID) -> str:
    """With what somebody in office logs in."""
    account = await accounts.find_account(session, staff_id)
    assert account is not None
    return account.username


async def list_staff(
    session: AsyncSession, caller: Caller, *, department_id: UUID | None, after: UUID | None, limit: int
) -> Sequence[Staff]:
    """Staff in the order of joining; one more than ``limit``. Raises: NotYourDepartment."""
    if Role.OPERATOR not in caller.roles:
        department_id = department_id or caller.department_id
        if department_id is None or not _may_see(caller, department_id):
            raise NotYourDepartment
    query = select(Staff).order_by(Staff.id).limit(limit + 1)
    if department_id is not None:
        query = query.where(Staff.department_id == department_id)
    if after is not None:
        query = query.where(Staff.id > after)
    return (await session.scalars(query)).all()


def _may_see(caller: Caller, department_id: UUID) -> bool:
    return Role.OPERATOR in caller.roles or caller.department_id == department_id


def name_of(staff: Staff, ring: KeyRing) -> str:
    """The name in clear; callers mask it in lists."""
    return ring.decrypt(staff.name, column=_NAME_COLUMN)


async def find_helper(session: AsyncSession, ring: KeyRing, username: str) -> tuple[UUID, str] | None:
    """The id and name of the window clerk with this user name, who may help people 帮代办."""
    account_id = await accounts.find_account_id(session, username)
    member = await session.get(Staff, account_id) if account_id else None
    if member is None or not member.is_active or Role.CLERK not in member.roles:
        return None
    return member.id, name_of(member, ring)


async def snapshot_staff(session: AsyncSession) -> Sequence[Row[Staff, str]]:
    """Everybody with the division of the department, for projections."""
    found = await session.execute(
        select(Staff, Department.division)
        .join(Department, Department.id == Staff.department_id)
        .order_by(Staff.id)
    )
    return found.all()
