"""The inbox in the browser. Works without JavaScript; messages are short, so each is read in the list itself."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Literal
from urllib.parse import urlencode
from uuid import UUID

from fastapi import APIRouter, Form, Query, Response
from sqlalchemy.ext.asyncio import AsyncSession

from identity_service.db import InTransactions
from identity_service.inbox import handlers
from identity_service.inbox.domain import WORDINGS, Text, wording
from identity_service.inbox.models import InboxMessage
from identity_service.login.domain import FormNotOurs
from identity_service.pages.browsers import CurrentVisit, PageRoute, Visit
from identity_service.pages.onward import OwnPage, log_in_first
from identity_service.pages.rendering import page, see_other
from identity_service.pages.wording import LANGUAGES, Language
from identity_service.sessions.browsing import login_at
from service_common.app import Now
from service_common.auth import PUBLIC
from service_common.clock import SHANGHAI

INBOX_PAGE = "/identity/inbox"

router = APIRouter(prefix=INBOX_PAGE, include_in_schema=False, dependencies=[PUBLIC], route_class=PageRoute)

_PURPOSE = "inbox"
_SHOWN_AT_ONCE = 20
_Token = Annotated[str, Form(max_length=200)]
_UnreadOnly = Annotated[bool, Query()]
Done = Literal["message_read", "all_read"]


@dataclass(frozen=True, slots=True)
class Shown:
    """A message as the page says it, in either language."""

    id: UUID
    category: str
    text: Mapping[Language, Text]
    at: str
    is_read: bool

    @classmethod
    def of(cls, row: InboxMessage) -> "Shown":
        return cls(
            row.id,
            f"inbox.category_{WORDINGS[row.template].category.lower()}",
            {language: wording(row.template, row.facts, language) for language in LANGUAGES},
            f"{row.created_at.astimezone(SHANGHAI):%Y-%m-%d %H:%M}",
            row.read_at is not None,
        )


@router.get("")
async def show(
    visit: CurrentVisit,
    transactions: InTransactions,
    now: Now,
    *,
    unread: _UnreadOnly = False,
    before: Annotated[UUID | None, Query()] = None,
    done: Annotated[Done | None, Query()] = None,
) -> Response:
    async with transactions() as session:
        reader = await _reader(visit, session, now)
        if reader is None:
            return log_in_first(visit, OwnPage.INBOX)
        rows = await handlers.list_messages(
            session, reader, unread_only=unread, before=before, limit=_SHOWN_AT_ONCE
        )
        waiting = sum((await handlers.count_unread(session, reader)).values())
    messages, more = rows[:_SHOWN_AT_ONCE], len(rows) > _SHOWN_AT_ONCE
    return page(
        visit.request,
        "inbox.html",
        done=done,
        messages=[Shown.of(row) for row in messages],
        waiting=waiting,
        unread_only=unread,
        older=_address(unread=unread, before=messages[-1].id) if more else None,
        form_token=visit.form_token(_PURPOSE),
    )


@router.post("/read-all")
async def mark_all_read(
    visit: CurrentVisit, transactions: InTransactions, now: Now, form_token: _Token
) -> Response:
    _check_form(visit, form_token)
    async with transactions() as session:
        reader = await _reader(visit, session, now)
        if reader is None:
            return see_other(INBOX_PAGE)
        await handlers.mark_all_read(session, reader, None, now=now)
    return see_other(_address(done="all_read"))


@router.post("/{message_id}/read")
async def mark_read(
    *,
    message_id: UUID,
    visit: CurrentVisit,
    transactions: InTransactions,
    now: Now,
    form_token: _Token,
    unread: _UnreadOnly = False,
) -> Response:
    _check_form(visit, form_token)
    async with transactions() as session:
        reader = await _reader(visit, session, now)
        if reader is None:
            return see_other(INBOX_PAGE)
        await handlers.mark_read(session, reader, message_id, now=now)
    return see_other(_address(unread=unread, done="message_read"))


async def _reader(visit: Visit, session: AsyncSession, now: Now) -> UUID | None:
    """Whose inbox it is: of staff as well, who are told there of what was done to their account."""
    login = await login_at(visit, session, now)
    return login.account_id if login is not None else None


def _check_form(visit: Visit, token: str) -> None:
    if not visit.form_is_ours(_PURPOSE, token):
        raise FormNotOurs


def _address(*, unread: bool = False, before: UUID | None = None, done: Done | None = None) -> str:
    asked = {"unread": "true" if unread else None, "before": before, "done": done}
    query = urlencode({name: value for name, value in asked.items() if value})
    return f"{INBOX_PAGE}?{query}" if query else INBOX_PAGE
