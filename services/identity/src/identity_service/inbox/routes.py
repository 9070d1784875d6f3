"""HTTP of the inbox."""

from typing import Annotated
from uuid import UUID

from fastapi import Query, Request, status

from identity_service.inbox import handlers
from identity_service.inbox.domain import Category
from identity_service.inbox.schemas import MessageRead, UnreadSummary
from service_common.app import Now, api_router
from service_common.auth import Caller, require, scope
from service_common.db import Session
from service_common.pages import Page, Paging
from service_common.problem import language_of

router = api_router("inbox", prefix="/identity/v1/me/inbox")

INBOX = scope("identity:inbox", zh="查看站内消息", en="Read your inbox", roles={"citizen", "company_agent"})
Reader = Annotated[Caller, require(INBOX)]


@router.get("", summary="List messages 消息列表", description="Newest first, in the language of the request.")
async def list_messages(
    *,
    request: Request,
    session: Session,
    caller: Reader,
    paging: Paging,
    unread: Annotated[bool, Query(description="Only those not read yet.")] = False,
    category: Annotated[Category | None, Query(description="Only of this category.")] = None,
) -> Page[MessageRead]:
    before = paging.after(UUID)
    rows = await handlers.list_messages(
        session,
        caller.person_id,
        unread_only=unread,
        category=category,
        before=before[0] if before else None,
        limit=paging.limit,
    )
    language = language_of(request)
    return paging.page(rows, key=lambda row: (row.id,), show=lambda row: MessageRead.of(row, language))


@router.get(
    "/summary",
    summary="Count unread messages 未读消息数",
    description="In all, and of each category.",
)
async def count_unread(session: Session, caller: Reader) -> UnreadSummary:
    return UnreadSummary.of(await handlers.count_unread(session, caller.person_id))


@router.post(
    "/read-all",
    status_code=status.HTTP_204_NO_CONTENT,
    summary="Mark all messages as read 全部标为已读",
    description="All, or all of one category. Repeating it changes nothing, so no `Idempotency-Key` is needed.",
)
async def mark_all_read(
    session: Session,
    caller: Reader,
    now: Now,
    category: Annotated[Category | None, Query(description="Only of this category.")] = None,
) -> None:
    await handlers.mark_all_read(session, caller.person_id, category, now=now)


@router.post(
    "/{message_id}/read",
    summary="Mark a message as read 标为已读",
    description="The first time counts; repeating it changes nothing, so no `Idempotency-Key` is needed.",
)
async def mark_read(
    message_id: UUID, request: Request, session: Session, caller: Reader, now: Now
) -> MessageRead:
    message = await handlers.mark_read(session, caller.person_id, message_id, now=now)
    return MessageRead.of(message, language_of(request))
