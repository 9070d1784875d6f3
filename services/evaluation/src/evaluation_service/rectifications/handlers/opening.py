"""A bad review opens its rectification."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from evaluation_service.rectifications.domain import Deadlines, RectificationLimits, Stage
from evaluation_service.rectifications.models import Rectification
from service_common import outbox, timeline
from service_common.contracts.evaluation import Grade, RectificationOpened
from service_common.crypto import KeyRing
from service_common.db import new_id
from service_common.timeline import SYSTEM
from service_common.work_calendar import current_calendar


@dataclass(frozen=True, slots=True)
class BadReview:
    """As much of a review as its rectification knows; ``text`` is the screened one."""

    review_id: UUID
    invitation_id: UUID
    department_id: UUID
    division: str
    item_code: str | None
    grade: Grade
    reasons: Sequence[str]
    text: str | None


async def open_rectification(
    session: AsyncSession, ring: KeyRing, bad: BadReview, *, limits: RectificationLimits, now: datetime
) -> Rectification:
    """Starts its three clocks; one for each review."""
    row = Rectification(
        id=new_id(),
        review_id=bad.review_id,
        invitation_id=bad.invitation_id,
        department_id=bad.department_id,
        division=bad.division,
        item_code=bad.item_code,
        grade=bad.grade,
        reasons=list(bad.reasons),
        text=ring.encrypt(bad.text, column="rectifications.text") if bad.text else None,
        stage=Stage.OPENED,
        opened_at=now,
        limit_workdays=limits.dump(),
        revision=0,
    )
    set_deadlines(row, Deadlines.count(limits, now, await current_calendar(session)))
    session.add(row)
    await outbox.add(session, row, RectificationOpened(**facts_of(row)), now=now)
    facts = {
        "review_id": str(bad.review_id),
        "rectify_due_at": row.rectify_due_at.isoformat(),
        "calendar": row.calendar_version,
    }
    await timeline.append(session, row.id, "opened", actor=SYSTEM, at=now, facts=facts, first=True)
    await session.flush()
    return row


def set_deadlines(row: Rectification, due: Deadlines) -> None:
    """All three, counted on one calendar."""
    row.assign_due_at, row.assign_due_date = due.assign.due_at, due.assign.due_date
    row.contact_due_at, row.contact_due_date = due.contact.due_at, due.contact.due_date
    row.rectify_due_at, row.rectify_due_date = due.rectify.due_at, due.rectify.due_date
    row.calendar_version, row.provisional = due.rectify.calendar_version, due.provisional


def facts_of(row: Rectification) -> dict[str, Any]:
    """What every event about a rectification says."""
    return {
        "rectification_id": row.id,
        "review_id": row.review_id,
        "department_id": row.department_id,
        "due_at": row.rectify_due_at,
    }
