"""HTTP of reviews."""

from functools import partial
from typing import Annotated
from uuid import UUID

from fastapi import Depends, Query, Request, Response

from evaluation_service.rectifications.domain import RectificationLimits
from evaluation_service.reviews import handlers
from evaluation_service.reviews.schemas import (
    OwnReviewRead,
    PublishedReviewRead,
    ReReviewBody,
    ReviewCreate,
    ReviewOption,
    ReviewRead,
)
from evaluation_service.scopes import REVIEWS_WRITE
from evaluation_service.settings import Settings
from service_common.app import Now, Ring, api_router
from service_common.auth import PUBLIC, Caller, require
from service_common.contracts.evaluation import Grade
from service_common.db import Session
from service_common.idempotency import Once
from service_common.pages import Page, Paging

router = api_router("reviews", prefix="/evaluation/v1")

Author = Annotated[Caller, require(REVIEWS_WRITE)]


async def _limits(request: Request) -> RectificationLimits:
    settings: Settings = request.app.state.settings
    return RectificationLimits(settings.assign_workdays, settings.contact_workdays, settings.rectify_workdays)


Limits = Annotated[RectificationLimits, Depends(_limits)]


@router.get("/review-options", dependencies=[PUBLIC], summary="Grades and their reason codes")
async def list_review_options() -> list[ReviewOption]:
    """Best grade first, with both codings that other systems use."""
    return [ReviewOption.of(grade) for grade in Grade]


@router.post("/reviews", status_code=201, summary="Review a service contact")
async def submit_review(
    *,
    body: ReviewCreate,
    session: Session,
    ring: Ring,
    now: Now,
    limits: Limits,
    response: Response,
    caller: Author,
    _once: Once,
) -> OwnReviewRead:
    """Once for each contact, by the person who was invited. A bad one opens a rectification."""
    review = await handlers.submit_review(
        session, ring, body.new_review(), limits=limits, caller=caller, now=now
    )
    response.headers["Location"] = f"/evaluation/v1/reviews/{review.id}"
    return OwnReviewRead.with_text(await handlers.show_own_review(session, ring, review))


@router.get("/reviews", summary="Your own reviews")
async def list_own_reviews(
    *, session: Session, ring: Ring, paging: Paging, caller: Author
) -> Page[ReviewRead]:
    """Newest first."""
    after = paging.after(UUID)
    rows = await handlers.list_own_reviews(
        session, ring, before=after[0] if after else None, limit=paging.limit + 1, caller=caller
    )
    return paging.page(rows, lambda row: (row.id,), ReviewRead.of)


@router.get("/published-reviews", dependencies=[PUBLIC], summary="Reviews as they are published")
async def list_published_reviews(
    *,
    session: Session,
    ring: Ring,
    paging: Paging,
    department_id: Annotated[UUID | None, Query(description="Only of this department.")] = None,
    item_code: Annotated[str | None, Query(max_length=60, description="Only of this item.")] = None,
) -> Page[PublishedReviewRead]:
    """Screened of personal numbers, by month, without contact or author: what the reviewed department sees as well."""
    after = paging.after(partial(handlers.read_place, ring))
    rows = await handlers.list_published_reviews(
        session,
        ring,
        department_id=department_id,
        item_code=item_code,
        before=after[0] if after else None,
        limit=paging.limit + 1,
    )
    return paging.page(rows, lambda one: (handlers.write_place(ring, one.row.id),), PublishedReviewRead.of)


@router.get("/reviews/{review_id}", summary="One of your own reviews")
async def read_own_review(*, review_id: UUID, session: Session, ring: Ring, caller: Author) -> OwnReviewRead:
    """With what the department wrote and answered to a bad one."""
    return OwnReviewRead.with_text(await handlers.read_own_review(session, ring, review_id, caller=caller))


@router.post("/reviews/{review_id}/re-review", summary="Judge the rectification 整改满意度")
async def re_review(
    *,
    review_id: UUID,
    body: ReReviewBody,
    session: Session,
    ring: Ring,
    now: Now,
    caller: Author,
    _once: Once,
) -> OwnReviewRead:
    """Once for each answer, by the author of the bad review."""
    own = await handlers.re_review(session, ring, review_id, satisfied=body.satisfied, caller=caller, now=now)
    return OwnReviewRead.with_text(own)
