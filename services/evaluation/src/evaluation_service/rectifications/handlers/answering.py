"""The department's part: a named handler, a word to the reviewer, the answer."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from evaluation_service.invitations.handlers import inform_reviewer
from evaluation_service.rectifications.domain import Stage, Step, next_stage
from evaluation_service.rectifications.handlers.access import take_for_department
from evaluation_service.rectifications.handlers.opening import facts_of
from evaluation_service.rectifications.models import Rectification
from service_common import outbox, timeline
from service_common.auth import Caller
from service_common.contracts.evaluation import RectificationAnswered
from service_common.crypto import KeyRing

_MESSAGE, _ANSWER = "rectifications.message", "rectifications.answer"


async def assign_rectification(
    session: AsyncSession,
    rectification_id: UUID,
    *,
    assignee: str,
    expected: int,
    caller: Caller,
    now: datetime,
) -> Rectification:
    """Names who in the department verifies and mends it.

    Raises: NoSuchRectification, Stale, StepNotNow.
    """
    row = await take_for_department(session, rectification_id, expected=expected, caller=caller)
    row.stage = next_stage(row.stage, Step.ASSIGN)
    row.assignee, row.assigned_at = assignee, now
    facts = {"assignee": assignee, "on_time": now < row.assign_due_at}
    await timeline.append(session, row.id, "assigned", actor=caller.actor, at=now, facts=facts)
    await session.flush()
    return row


async def contact_reviewer(
    session: AsyncSession,
    ring: KeyRing,
    rectification_id: UUID,
    *,
    message: str,
    expected: int,
    caller: Caller,
    now: datetime,
) -> Rectification:
    """Writes to the reviewer through the platform: the department does not learn to whom it writes.

    Raises: NoSuchRectification, Stale, StepNotNow.
    """
    row = await take_for_department(session, rectification_id, expected=expected, caller=caller)
    row.stage = next_stage(row.stage, Step.CONTACT)
    row.message, row.contacted_at = ring.encrypt(message, column=_MESSAGE), now
    facts = {"message": _commitment(ring, message), "on_time": now < row.contact_due_at}
    await timeline.append(session, row.id, "contacted", actor=caller.actor, at=now, facts=facts)
    await session.flush()
    await inform_reviewer(session, ring, row.invitation_id, now=now)
    return row


async def answer_rectification(
    session: AsyncSession,
    ring: KeyRing,
    rectification_id: UUID,
    *,
    answer: str,
    expected: int,
    caller: Caller,
    now: datetime,
) -> Rectification:
    """Says what was mended, or why it cannot be; the reviewer is asked to read and judge it.

    Raises: NoSuchRectification, Stale, StepNotNow.
    """
    row = await take_for_department(session, rectification_id, expected=expected, caller=caller)
    row.stage = next_stage(row.stage, Step.ANSWER)
    row.answer, row.answered_at = ring.encrypt(answer, column=_ANSWER), now
    row.re_review_satisfied = None
    await outbox.add(session, row, RectificationAnswered(**facts_of(row)), now=now)
    facts = {"answer": _commitment(ring, answer), "on_time": row.is_on_time}
    await timeline.append(session, row.id, "answered", actor=caller.actor, at=now, facts=facts)
    await session.flush()
    await inform_reviewer(session, ring, row.invitation_id, now=now)
    return row


@dataclass(frozen=True, slots=True)
class AnswerForReviewer:
    """What the reviewer may know of a rectification: no name of anybody in the department."""

    stage: Stage
    rectify_due_at: datetime
    message: str | None
    answer: str | None
    satisfied: bool | None


async def answers_for_reviewer(
    session: AsyncSession, ring: KeyRing, review_ids: Iterable[UUID]
) -> Mapping[UUID, AnswerForReviewer]:
    """The rectifications of one's own bad reviews, by review; a good one has none."""
    rows = await session.scalars(select(Rectification).where(Rectification.review_id.in_(list(review_ids))))
    return {row.review_id: _for_reviewer(ring, row) for row in rows}


def _for_reviewer(ring: KeyRing, row: Rectification) -> AnswerForReviewer:
    texts = open_texts(ring, row)
    return AnswerForReviewer(
        row.stage, row.rectify_due_at, texts.message, texts.answer, row.re_review_satisfied
    )


@dataclass(frozen=True, slots=True)
class Texts:
    """What stands sealed in a rectification."""

    review: str | None
    message: str | None
    answer: str | None


def open_texts(ring: KeyRing, row: Rectification) -> Texts:
    """The screened review, the message to its author and the answer, in clear."""
    return Texts(
        ring.decrypt(row.text, column="rectifications.text") if row.text else None,
        ring.decrypt(row.message, column=_MESSAGE) if row.message else None,
        ring.decrypt(row.answer, column=_ANSWER) if row.answer else None,
    )


def _commitment(ring: KeyRing, text: str) -> str:
    return ring.blind_index(text, column="timeline").hex()
