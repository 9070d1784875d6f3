"""New credentials for somebody in office who can no longer log in, or whose account somebody else has used."""

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from identity_service.accounts import handlers as accounts
from identity_service.accounts import passwords
from identity_service.inbox.domain import Template
from identity_service.inbox.handlers import Notice, tell
from identity_service.organisation.domain import (
    RESET_REASON_LABELS,
    NotForOneself,
    NotInOffice,
    ResetReason,
    Role,
    needs_second_operator,
)
from identity_service.organisation.handlers import role_requests
from identity_service.organisation.handlers.staff import new_password, new_totp_secret
from identity_service.organisation.models import RoleRequest, Staff
from identity_service.passkeys import handlers as passkeys
from identity_service.sessions import handlers as sessions
from service_common import timeline
from service_common.auth import Caller
from service_common.contracts.identity import SessionEndReason
from service_common.crypto import KeyRing
from service_common.db import new_id
from service_common.timeline import Actor


@dataclass(frozen=True, slots=True)
class Fresh:
    """A new password and second factor, shown once to who hands them over. Its repr shows neither."""

    password: str = field(repr=False)
    password_hash: str = field(repr=False)
    totp_secret: str = field(repr=False)


async def new_credentials() -> Fresh:
    """Made before the transaction: hashing takes long."""
    password = new_password()
    return Fresh(password, await passwords.hash_password(password), new_totp_secret())


async def reset_credentials(
    session: AsyncSession,
    ring: KeyRing,
    caller: Caller,
    staff: Staff,
    fresh: Fresh,
    *,
    reason: ResetReason,
    high: Collection[Role],
    now: datetime,
) -> RoleRequest | None:
    """Replaces the credentials at once, or asks a second operator when the person holds a high role.

    Raises: NotForOneself, NotInOffice.
    """
    if caller.staff_id == staff.id:
        raise NotForOneself
    if not staff.is_active:
        raise NotInOffice
    actor = Actor("staff", str(caller.staff_id))
    if needs_second_operator(staff.roles, high=high):
        request = await role_requests.ask_for_credentials(session, caller, staff, reason, now=now)
        facts = {"reason": reason, "request_id": str(request.id)}
        await timeline.append(
            session, staff.id, "credentials-reset-requested", actor=actor, at=now, facts=facts
        )
        return request
    await _replace(session, ring, staff, fresh, reason=reason, actor=actor, facts={}, now=now)
    return None


async def decide(
    session: AsyncSession,
    ring: KeyRing,
    caller: Caller,
    request: RoleRequest,
    fresh: Fresh | None,
    *,
    now: datetime,
) -> None:
    """What follows from a second operator's word: with ``fresh`` credentials a yes."""
    assert request.reason is not None
    staff = await session.get_one(Staff, request.staff_id, with_for_update=True)
    actor = Actor("staff", str(caller.staff_id))
    facts = {"request_id": str(request.id), "requested_by": str(request.requested_by)}
    if fresh is None:
        facts["reason"] = request.reason
        await timeline.append(
            session, staff.id, "credentials-reset-refused", actor=actor, at=now, facts=facts
        )
        return
    await _replace(session, ring, staff, fresh, reason=request.reason, actor=actor, facts=facts, now=now)


async def _replace(
    session: AsyncSession,
    ring: KeyRing,
    staff: Staff,
    fresh: Fresh,
    *,
    reason: ResetReason,
    actor: Actor,
    facts: dict[str, str],
    now: datetime,
) -> None:
    """Password, second factor and passkeys: none of the old ones opens the account any longer; every session ends."""
    await accounts.replace_credentials(
        session, ring, staff.id, password_hash=fresh.password_hash, totp_secret=fresh.totp_secret, now=now
    )
    await passkeys.remove_all(session, staff.id)
    await sessions.end_everything_of(session, staff.id, reason=SessionEndReason.SUSPICION, now=now)
    signed = {**facts, "reason": str(reason)}
    await timeline.append(session, staff.id, "credentials-reset", actor=actor, at=now, facts=signed)
    zh, en = RESET_REASON_LABELS[reason]
    notice = Notice(
        new_id(), Template.CREDENTIALS_RESET, "ACCOUNT", staff.id, {"reason_zh": zh, "reason_en": en}, now
    )
    await tell(session, [staff.id], notice)
