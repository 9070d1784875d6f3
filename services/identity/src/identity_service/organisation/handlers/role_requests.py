"""Four eyes on high roles, and on the credentials of who holds one: one asks, another operator decides."""

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from identity_service.organisation.domain import (
    DecidedAlready,
    Decision,
    FourEyesNeeded,
    NoSuchRoleRequest,
    RequestKind,
    ResetReason,
    Role,
)
from identity_service.organisation.handlers.staff import tell_assignment
from identity_service.organisation.models import RoleRequest, Staff
from identity_service.sessions import handlers as sessions
from service_common.auth import Caller
from service_common.contracts.identity import SessionEndReason


async def ask_for(
    session: AsyncSession, caller: Caller, staff: Staff, roles: Collection[Role], *, now: datetime
) -> RoleRequest | None:
    """Asks for high roles, in place of what was asked before; nothing when there are none."""
    await _lapse(session, staff.id, RequestKind, now=now)
    if not roles:
        return None
    request = RoleRequest(
        staff_id=staff.id,
        department_id=staff.department_id,
        roles=sorted(str(role) for role in roles),
        requested_by=caller.staff_id,
        requested_at=now,
    )
    session.add(request)
    await session.flush()
    return request


async def ask_for_credentials(
    session: AsyncSession, caller: Caller, staff: Staff, reason: ResetReason, *, now: datetime
) -> RoleRequest:
    """Asks for new credentials of who holds a high role, in place of what was asked before."""
    await _lapse(session, staff.id, [RequestKind.CREDENTIALS], now=now)
    request = RoleRequest(
        staff_id=staff.id,
        department_id=staff.department_id,
        roles=list(staff.roles),
        requested_by=caller.staff_id,
        requested_at=now,
        kind=RequestKind.CREDENTIALS,
        reason=reason,
    )
    session.add(request)
    await session.flush()
    return request


async def _lapse(
    session: AsyncSession, staff_id: UUID, kinds: Iterable[RequestKind], *, now: datetime
) -> None:
    await session.execute(
        update(RoleRequest)
        .where(
            RoleRequest.staff_id == staff_id,
            RoleRequest.decision == Decision.PENDING,
            RoleRequest.kind.in_(list(kinds)),
        )
        .values(decision=Decision.LAPSED, decided_at=now)
    )


async def decide(
    session: AsyncSession, caller: Caller, request_id: UUID, *, approve: bool, now: datetime
) -> RoleRequest:
    """Grants what was asked for or refuses it. Roles end the sessions of who gets them: their tokens carry the old ones.

    New credentials follow by ``credentials.decide``.

    Raises: NoSuchRoleRequest, DecidedAlready, FourEyesNeeded.
    """
    request = await session.get(RoleRequest, request_id, with_for_update=True)
    if request is None:
        raise NoSuchRoleRequest
    if request.decision is not Decision.PENDING:
        raise DecidedAlready
    if caller.staff_id in (request.requested_by, request.staff_id):
        raise FourEyesNeeded
    staff = await session.get_one(Staff, request.staff_id, with_for_update=True)
    if not staff.is_active or staff.department_id != request.department_id:
        raise DecidedAlready
    request.decision = Decision.APPROVED if approve else Decision.REJECTED
    request.decided_by = caller.staff_id
    request.decided_at = now
    if approve and request.kind is RequestKind.ROLES:
        staff.roles = sorted({*staff.roles, *request.roles})
        await sessions.end_everything_of(session, staff.id, reason=SessionEndReason.CLOSED, now=now)
        await tell_assignment(session, staff, now=now)
    await session.flush()
    return request


async def list_requests(
    session: AsyncSession, *, pending_only: bool, before: UUID | None, limit: int
) -> Sequence[RoleRequest]:
    """The newest first; one more than ``limit``."""
    query = select(RoleRequest).order_by(RoleRequest.id.desc()).limit(limit + 1)
    if pending_only:
        query = query.where(RoleRequest.decision == Decision.PENDING)
    if before is not None:
        query = query.where(RoleRequest.id < before)
    return (await session.scalars(query)).all()
