"""Suspending, giving back, revoking, withdrawing, cancelling; and the end of validity."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from certificates_service.licences.domain import (
    Action,
    ActionNotPossible,
    NoSuchLicence,
    Reason,
    Standing,
    effective_status,
    legal_basis,
    need_power,
)
from certificates_service.licences.handlers.recording import move
from certificates_service.licences.handlers.standing import standing_of
from certificates_service.licences.models import Licence
from certificates_service.licences.repository import licence_for_change, overdue_licences
from service_common.auth import Caller
from service_common.clock import local_date
from service_common.etag import check_version
from service_common.timeline import SYSTEM


@dataclass(frozen=True, slots=True)
class Decision:
    """What the issuing department has decided, and on what ground."""

    action: Action
    reason: Reason
    cited_law: str | None
    document_no: str | None


async def change_status(
    session: AsyncSession,
    licence_id: UUID,
    decision: Decision,
    *,
    expected_version: int,
    caller: Caller,
    now: datetime,
) -> Licence:
    """By the issuing department or who succeeds it; its superior may revoke. Others are not told that it exists.

    Raises: NoSuchLicence, SuperiorOnlyRevokes, WrongGround, Stale, ActionNotPossible.
    """
    basis = legal_basis(decision.action, decision.reason, decision.cited_law)
    licence = await licence_for_change(session, licence_id)
    if licence is None:
        raise NoSuchLicence
    standing = await standing_of(session, caller, licence)
    need_power(standing, decision.action)
    check_version(licence.version, expected_version)
    effective = effective_status(licence.status, licence.valid_until, local_date(now))
    if effective is not licence.status:
        raise ActionNotPossible(effective)
    facts = {
        "reason": decision.reason.value,
        "legal_basis": basis,
        "document_no": decision.document_no,
    }
    if standing is not Standing.ISSUER:
        facts["decided_by"] = str(caller.department_id)
    await move(session, licence, decision.action, actor=caller.actor, now=now, facts=facts)
    return licence


async def expire_overdue(session: AsyncSession, *, now: datetime, limit: int = 200) -> int:
    """Writes down licences whose last day is over. Returns how many; fewer than ``limit`` means all are done."""
    rows = await overdue_licences(session, local_date(now), limit)
    for licence in rows:
        await move(session, licence, Action.EXPIRE, actor=SYSTEM, now=now)
    return len(rows)
