"""HTTP of rectifications."""

from typing import Annotated
from uuid import UUID

from fastapi import Query, Response

from evaluation_service.rectifications.domain import Stage
from evaluation_service.rectifications.handlers import answering, reading, supervising
from evaluation_service.rectifications.models import Rectification
from evaluation_service.rectifications.schemas import (
    AnswerBody,
    AssignBody,
    CloseBody,
    ContactBody,
    RectificationRead,
    RectificationSummary,
    TimelineRead,
)
from evaluation_service.scopes import (
    RECTIFICATIONS_HANDLE,
    RECTIFICATIONS_READ,
    RECTIFICATIONS_SUPERVISE,
)
from service_common.app import Now, Ring, api_router
from service_common.auth import Caller, require
from service_common.crypto import KeyRing
from service_common.db import Session
from service_common.etag import ExpectedVersion, set_etag
from service_common.idempotency import Once
from service_common.pages import Page, Paging

router = api_router("rectifications", prefix="/evaluation/v1/rectifications")

Reader = Annotated[Caller, require(RECTIFICATIONS_READ)]
Handler = Annotated[Caller, require(RECTIFICATIONS_HANDLE)]
Supervisor = Annotated[Caller, require(RECTIFICATIONS_SUPERVISE)]


@router.get("", summary="Rectifications of your department or area")
async def list_rectifications(
    *,
    session: Session,
    paging: Paging,
    caller: Reader,
    stage: Annotated[Stage | None, Query(description="Only these.")] = None,
    overdue: Annotated[bool | None, Query(description="Only those that missed a limit, or did not.")] = None,
) -> Page[RectificationSummary]:
    """Newest first."""
    after = paging.after(UUID)
    rows = await reading.list_rectifications(
        session,
        stage=stage,
        overdue=overdue,
        before=after[0] if after else None,
        limit=paging.limit + 1,
        caller=caller,
    )
    return paging.page(rows, lambda row: (row.id,), RectificationSummary.of)


@router.get("/{rectification_id}", summary="One rectification")
async def read_rectification(
    *, rectification_id: UUID, session: Session, ring: Ring, response: Response, caller: Reader
) -> RectificationRead:
    """The review as it was screened; never its author."""
    row = await reading.read_rectification(session, rectification_id, caller=caller)
    return _show(ring, row, response)


@router.get("/{rectification_id}/timeline", summary="History of a rectification")
async def read_timeline(*, rectification_id: UUID, session: Session, caller: Reader) -> TimelineRead:
    """Every step, chained by hashes."""
    return TimelineRead.of(await reading.read_timeline(session, rectification_id, caller=caller))


@router.post("/{rectification_id}/assign", summary="Name who handles it 交办")
async def assign_rectification(
    *,
    rectification_id: UUID,
    body: AssignBody,
    session: Session,
    ring: Ring,
    now: Now,
    response: Response,
    caller: Handler,
    expected: ExpectedVersion,
    _once: Once,
) -> RectificationRead:
    """By its department, within a working day by default."""
    row = await answering.assign_rectification(
        session, rectification_id, assignee=body.assignee, expected=expected, caller=caller, now=now
    )
    return _show(ring, row, response)


@router.post("/{rectification_id}/contact", summary="Write to the reviewer 联系评价人")
async def contact_reviewer(
    *,
    rectification_id: UUID,
    body: ContactBody,
    session: Session,
    ring: Ring,
    now: Now,
    response: Response,
    caller: Handler,
    expected: ExpectedVersion,
    _once: Once,
) -> RectificationRead:
    """Through the platform: the reviewer reads it with the own review, the department does not learn who that is."""
    row = await answering.contact_reviewer(
        session, ring, rectification_id, message=body.message, expected=expected, caller=caller, now=now
    )
    return _show(ring, row, response)


@router.post("/{rectification_id}/answer", summary="Answer the reviewer 答复")
async def answer_rectification(
    *,
    rectification_id: UUID,
    body: AnswerBody,
    session: Session,
    ring: Ring,
    now: Now,
    response: Response,
    caller: Handler,
    expected: ExpectedVersion,
    _once: Once,
) -> RectificationRead:
    """What was mended, or why it cannot be."""
    row = await answering.answer_rectification(
        session, ring, rectification_id, answer=body.answer, expected=expected, caller=caller, now=now
    )
    return _show(ring, row, response)


@router.post("/{rectification_id}/send-back", summary="Have it mended again")
async def send_back(
    *,
    rectification_id: UUID,
    session: Session,
    ring: Ring,
    now: Now,
    response: Response,
    caller: Supervisor,
    expected: ExpectedVersion,
    _once: Once,
) -> RectificationRead:
    """The limit stays what it was."""
    row = await supervising.send_back(session, rectification_id, expected=expected, caller=caller, now=now)
    return _show(ring, row, response)


@router.post("/{rectification_id}/close", summary="Close it when verified 办结")
async def close_rectification(
    *,
    rectification_id: UUID,
    body: CloseBody,
    session: Session,
    ring: Ring,
    now: Now,
    response: Response,
    caller: Supervisor,
    expected: ExpectedVersion,
    _once: Once,
) -> RectificationRead:
    """By the supervisor. From here it counts in the rates."""
    row = await supervising.close_rectification(
        session, rectification_id, outcome=body.outcome, expected=expected, caller=caller, now=now
    )
    return _show(ring, row, response)


def _show(ring: KeyRing, row: Rectification, response: Response) -> RectificationRead:
    set_etag(response, row.version)
    return RectificationRead.with_texts(row, answering.open_texts(ring, row))
