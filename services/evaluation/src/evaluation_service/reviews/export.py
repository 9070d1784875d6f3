"""A person's own invitations and reviews in clear, for the person alone."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from evaluation_service.invitations.handlers import list_invitations
from evaluation_service.invitations.models import Invitation
from evaluation_service.rectifications.handlers.answering import answers_for_reviewer
from evaluation_service.reviews.handlers import OwnReview, own_review
from evaluation_service.reviews.models import Review
from service_common.auth import Caller
from service_common.crypto import KeyRing
from service_common.exports import check_exporter


@dataclass(frozen=True, slots=True)
class ExportedContact:
    """A service contact that could be reviewed, and the review if there is one."""

    invitation: Invitation
    review: OwnReview | None


async def export_contacts(
    session: AsyncSession, ring: KeyRing, *, caller: Caller, before: UUID | None, limit: int, now: datetime
) -> Sequence[ExportedContact]:
    """A page of the person's contacts, newest first. Raises: NotAPerson, LoginTooOld."""
    invitations = await list_invitations(
        session,
        ring,
        person_id=check_exporter(caller, now=now),
        open_at=None,
        before=before,
        limit=limit,
    )
    reviews = await _reviews_of(session, ring, [one.id for one in invitations])
    return [ExportedContact(one, reviews.get(one.id)) for one in invitations]


async def _reviews_of(
    session: AsyncSession, ring: KeyRing, invitation_ids: Sequence[UUID]
) -> Mapping[UUID, OwnReview]:
    rows = (await session.scalars(select(Review).where(Review.invitation_id.in_(invitation_ids)))).all()
    answers = await answers_for_reviewer(session, ring, [row.id for row in rows])
    return {row.invitation_id: own_review(ring, row, answers.get(row.id)) for row in rows}
