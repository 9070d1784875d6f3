"""Use cases of reviews."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from evaluation_service.indicators.domain import Counts, count_of_grade
from evaluation_service.indicators.handlers import count
from evaluation_service.invitations.handlers import person_index, take_invitation
from evaluation_service.rectifications.domain import RectificationLimits
from evaluation_service.rectifications.handlers.answering import AnswerForReviewer, answers_for_reviewer
from evaluation_service.rectifications.handlers.opening import BadReview, open_rectification
from evaluation_service.rectifications.handlers.supervising import keep_re_review
from evaluation_service.reviews.domain import NoSuchReview, check_reasons, check_reviewer, is_bad, screen
from evaluation_service.reviews.models import Review
from service_common import outbox, timeline
from service_common.auth import Caller
from service_common.contracts.evaluation import Grade, ReviewSubmitted
from service_common.crypto import KeyRing, UnreadableValue
from service_common.db import new_id
from service_common.timeline import Actor

_TEXT = "reviews.text"
_PLACE = "reviews.place"


@dataclass(frozen=True, slots=True)
class NewReview:
    """What a person says about a contact."""

    invitation_id: UUID
    grade: Grade
    reasons: Sequence[str]
    text: str | None


async def submit_review(
    session: AsyncSession,
    ring: KeyRing,
    new: NewReview,
    *,
    limits: RectificationLimits,
    caller: Caller,
    now: datetime,
) -> Review:
    """Takes the one review of a contact; a bad one opens a rectification, and the indicators move with it.

    Raises: NotAPerson, NoSuchInvitation, AlreadyReviewed, InvitationExpired, OwnDepartment, WrongReasons.
    """
    check_reasons(new.grade, new.reasons)
    person_id = caller.person_id
    invitation = await take_invitation(session, ring, new.invitation_id, person_id=person_id, now=now)
    check_reviewer(caller.department_id, invitation.department_id)
    review = Review(
        id=new_id(),
        invitation_id=invitation.id,
        contact_kind=invitation.contact_kind,
        contact_id=invitation.contact_id,
        contact_no=invitation.contact_no,
        department_id=invitation.department_id,
        division=invitation.division,
        item_code=invitation.item_code,
        item_name=invitation.item_name,
        period=invitation.period,
        grade=new.grade,
        reasons=list(new.reasons),
        text=ring.encrypt(new.text, column=_TEXT) if new.text else None,
        reviewer_index=person_index(ring, person_id),
        reviewer_sealed=ring.encrypt(str(person_id), column="reviews.reviewer_sealed"),
        revision=0,
    )
    session.add(review)
    submitted = ReviewSubmitted(
        review_id=review.id,
        grade=review.grade,
        department_id=review.department_id,
        division=review.division,
        item_code=review.item_code,
    )
    await outbox.add(session, review, submitted, now=now)
    await timeline.append(
        session,
        review.id,
        "submitted",
        actor=_reviewer(review),
        at=now,
        facts={"grade": new.grade.value, "reasons": list(new.reasons), "text": _commitment(ring, new.text)},
        first=True,
    )
    more = [(invitation.reviewed, count_of_grade(new.grade))]
    await session.flush()
    if is_bad(new.grade):
        bad = BadReview(
            review_id=review.id,
            invitation_id=invitation.id,
            department_id=review.department_id,
            division=review.division,
            item_code=review.item_code,
            grade=review.grade,
            reasons=review.reasons,
            text=screen(new.text) if new.text else None,
        )
        await open_rectification(session, ring, bad, limits=limits, now=now)
        more.append((invitation.reviewed, Counts(rectifications=1)))
    await count(session, *more)
    return review


@dataclass(frozen=True, slots=True)
class OwnReview:
    """A review as its author sees it, with what the department said to it."""

    row: Review
    text: str | None
    answer: AnswerForReviewer | None


async def read_own_review(
    session: AsyncSession, ring: KeyRing, review_id: UUID, *, caller: Caller
) -> OwnReview:
    """Raises: NoSuchReview."""
    review = await _own(session, ring, review_id, caller)
    return await show_own_review(session, ring, review)


async def show_own_review(session: AsyncSession, ring: KeyRing, review: Review) -> OwnReview:
    """Opens what its author wrote, and what the department answered."""
    answers = await answers_for_reviewer(session, ring, [review.id])
    return own_review(ring, review, answers.get(review.id))


def own_review(ring: KeyRing, review: Review, answer: AnswerForReviewer | None) -> OwnReview:
    """A review with its text opened."""
    return OwnReview(review, ring.decrypt(review.text, column=_TEXT) if review.text else None, answer)


async def list_own_reviews(
    session: AsyncSession, ring: KeyRing, *, before: UUID | None, limit: int, caller: Caller
) -> Sequence[Review]:
    """A person's own reviews, newest first."""
    index = person_index(ring, caller.person_id)
    query = select(Review).where(Review.reviewer_index == index).order_by(Review.id.desc()).limit(limit)
    if before is not None:
        query = query.where(Review.id < before)
    return (await session.scalars(query)).all()


async def re_review(
    session: AsyncSession, ring: KeyRing, review_id: UUID, *, satisfied: bool, caller: Caller, now: datetime
) -> OwnReview:
    """The author says whether the rectification is satisfactory, once for each answer.

    Raises: NoSuchReview, NothingAnswered, AlreadyReReviewed.
    """
    review = await _own(session, ring, review_id, caller)
    await keep_re_review(session, review.id, satisfied=satisfied, reviewer=_reviewer(review), now=now)
    return await show_own_review(session, ring, review)


@dataclass(frozen=True, slots=True)
class PublishedReview:
    """A review as everybody may see it: screened, and with no day or number that leads to a person.

    ``id`` is another one than the review's own, which tells the millisecond of its making (RFC 9562 §5.7).
    """

    row: Review
    id: UUID
    text: str | None


async def list_published_reviews(
    session: AsyncSession,
    ring: KeyRing,
    *,
    department_id: UUID | None,
    item_code: str | None,
    before: UUID | None,
    limit: int,
) -> Sequence[PublishedReview]:
    """What the public, and the reviewed department, may read. Newest first."""
    query = select(Review).order_by(Review.id.desc()).limit(limit)
    if department_id is not None:
        query = query.where(Review.department_id == department_id)
    if item_code is not None:
        query = query.where(Review.item_code == item_code)
    if before is not None:
        query = query.where(Review.id < before)
    return [
        PublishedReview(row, _published_id(ring, row.id), _screened(ring, row))
        for row in await session.scalars(query)
    ]


def write_place(ring: KeyRing, review_id: UUID) -> str:
    """A place in the list of published reviews, for a cursor that tells no time."""
    return ring.encrypt(str(review_id), column=_PLACE).hex()


def read_place(ring: KeyRing, place: str) -> UUID:
    """Raises: ValueError for what ``write_place`` did not write."""
    try:
        return UUID(ring.decrypt(bytes.fromhex(place), column=_PLACE))
    except UnreadableValue as error:
        raise ValueError("no place in this list") from error


def _published_id(ring: KeyRing, review_id: UUID) -> UUID:
    return UUID(bytes=ring.blind_index(str(review_id), column="reviews.published")[:16], version=4)


def _screened(ring: KeyRing, row: Review) -> str | None:
    return screen(ring.decrypt(row.text, column=_TEXT)) if row.text else None


async def _own(session: AsyncSession, ring: KeyRing, review_id: UUID, caller: Caller) -> Review:
    review = await session.get(Review, review_id)
    if review is None or review.reviewer_index != person_index(ring, caller.person_id):
        raise NoSuchReview
    return review


def _reviewer(review: Review) -> Actor:
    """The author in histories: a keyed hash, never the person's id."""
    return Actor("reviewer", review.reviewer_index.hex())


def _commitment(ring: KeyRing, text: str | None) -> str | None:
    return ring.blind_index(text, column="timeline").hex() if text else None
