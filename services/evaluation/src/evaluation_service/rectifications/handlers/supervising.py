"""After the answer: the reviewer judges it, the supervisor closes or sends it back."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from evaluation_service.indicators.domain import Counts
from evaluation_service.indicators.handlers import count
from evaluation_service.invitations.handlers import reviewed_of
from evaluation_service.rectifications.domain import (
    NothingAnswered,
    Outcome,
    Step,
    check_re_review,
    is_put_right,
    next_stage,
)
from evaluation_service.rectifications.handlers.access import take_for_supervisor
from evaluation_service.rectifications.handlers.opening import facts_of
from evaluation_service.rectifications.models import Rectification
from service_common import outbox, timeline
from service_common.auth import Caller
from service_common.contracts.evaluation import RectificationClosed
from service_common.timeline import Actor


async def keep_re_review(
    session: AsyncSession, review_id: UUID, *, satisfied: bool, reviewer: Actor, now: datetime
) -> None:
    """The reviewer's word on the answer. Raises: NothingAnswered, AlreadyReReviewed."""
    row = (
        await session.scalars(
            select(Rectification).where(Rectification.review_id == review_id).with_for_update()
        )
    ).one_or_none()
    if row is None:  # a good review has nothing to rectify
        raise NothingAnswered
    check_re_review(row.stage, row.re_review_satisfied)
    row.re_review_satisfied = satisfied
    await timeline.append(
        session, row.id, "re_reviewed", actor=reviewer, at=now, facts={"satisfied": satisfied}
    )
    await session.flush()


async def send_back(
    session: AsyncSession, rectification_id: UUID, *, expected: int, caller: Caller, now: datetime
) -> Rectification:
    """The answer is not enough: the department mends it again. The limit stays what it was.

    Raises: NoSuchRectification, Stale, StepNotNow.
    """
    row = await take_for_supervisor(session, rectification_id, expected=expected, caller=caller)
    row.stage = next_stage(row.stage, Step.SEND_BACK)
    await timeline.append(session, row.id, "sent_back", actor=caller.actor, at=now)
    await session.flush()
    return row


async def close_rectification(
    session: AsyncSession,
    rectification_id: UUID,
    *,
    outcome: Outcome,
    expected: int,
    caller: Caller,
    now: datetime,
) -> Rectification:
    """The supervisor has verified it; from here it counts in the rates.

    Raises: NoSuchRectification, Stale, StepNotNow.
    """
    row = await take_for_supervisor(session, rectification_id, expected=expected, caller=caller)
    row.stage = next_stage(row.stage, Step.CLOSE)
    row.outcome, row.closed_at = outcome, now
    await outbox.add(session, row, RectificationClosed(**facts_of(row)), now=now)
    facts = {"outcome": outcome.value, "on_time": row.is_on_time, "satisfied": row.re_review_satisfied}
    await timeline.append(session, row.id, "closed", actor=caller.actor, at=now, facts=facts)
    await session.flush()
    if is_put_right(outcome):
        reviewed = await reviewed_of(session, row.invitation_id)
        await count(session, (reviewed, Counts(rectified=1, rectified_on_time=int(row.is_on_time))))
    return row
