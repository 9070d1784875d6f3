"""The page on which a browser's user sees, adds and removes passkeys."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Form, Response
from fastapi.responses import JSONResponse
from pydantic import Json
from sqlalchemy.ext.asyncio import AsyncSession

from identity_service.db import InTransactions
from identity_service.pages.browsers import CurrentVisit, PageRoute, Visit
from identity_service.pages.onward import OwnPage, log_in_again, log_in_first
from identity_service.pages.rendering import page, see_other
from identity_service.passkeys import handlers
from identity_service.passkeys.edge import Us
from identity_service.sessions.browsing import login_at
from identity_service.sessions.domain import check_fresh, device_of, is_fresh
from identity_service.sessions.models import LoginSession
from service_common.app import Now
from service_common.auth import PUBLIC
from service_common.clock import SHANGHAI
from service_common.errors import Invalid

router = APIRouter(
    prefix="/identity/passkeys", include_in_schema=False, dependencies=[PUBLIC], route_class=PageRoute
)

_PURPOSE = "passkeys"
_Text = Annotated[str, Form(max_length=200)]


class NotSignedIn(Invalid):
    """The browser has no session."""

    code = "not_signed_in"
    zh = "请先登录，再管理通行密钥。"
    en = "Log in first to manage passkeys."


class FormNotOurs(Invalid):
    """The form was not shown to this browser."""

    code = "form_not_ours"
    zh = "页面已失效，请刷新后重试；浏览器需允许使用 Cookie。"
    en = "This page is no longer valid: reload it. Cookies must be allowed."


@router.get("")
async def show(visit: CurrentVisit, transactions: InTransactions, now: Now) -> Response:
    async with transactions() as session:
        login = await login_at(visit, session, now)
        if login is None:
            return log_in_first(visit, OwnPage.PASSKEYS)
        rows = await handlers.list_passkeys(session, login.account_id)
        fresh = is_fresh(login.authenticated_at, is_let_in=login.is_let_in, now=now)
    return page(
        visit.request,
        "passkeys.html",
        passkeys=[
            {
                "id": row.id,
                "name": row.name,
                "created_at": f"{row.created_at.astimezone(SHANGHAI):%Y-%m-%d}",
                "last_used_at": f"{row.last_used_at.astimezone(SHANGHAI):%Y-%m-%d}"
                if row.last_used_at
                else None,
            }
            for row in rows
        ],
        log_in_again=None if fresh else log_in_again(OwnPage.PASSKEYS),
        suggested_name=device_of(visit.request.headers.get("user-agent", "")),
        form_token=visit.form_token(_PURPOSE),
        script="passkeys.js",
    )


@router.post("/options")
async def begin(
    visit: CurrentVisit, transactions: InTransactions, us: Us, now: Now, form_token: _Text
) -> Response:
    """For the script of the page."""
    _check_form(visit, form_token)
    async with transactions() as session:
        login = await _login(visit, session, now)
        check_fresh(login.authenticated_at, is_let_in=login.is_let_in, now=now)
        asked = await handlers.begin_registration(session, us, login.account_id, now=now)
    body = {"challenge_id": str(asked.challenge_id), "options": asked.options}
    return JSONResponse(body, headers={"Cache-Control": "no-store"})


@router.post("")
async def register(
    *,
    visit: CurrentVisit,
    transactions: InTransactions,
    us: Us,
    now: Now,
    form_token: _Text,
    name: Annotated[str, Form(min_length=1, max_length=60)],
    challenge_id: Annotated[UUID, Form()],
    credential: Annotated[Json[dict[str, Any]], Form(max_length=20_000)],
) -> Response:
    _check_form(visit, form_token)
    async with transactions() as session:
        login = await _login(visit, session, now)
        await handlers.finish_registration(
            session, us, login.account_id, handlers.Signed(challenge_id, credential), name=name, now=now
        )
    return see_other("/identity/passkeys")


@router.post("/{passkey_id}/remove")
async def remove(
    passkey_id: UUID, visit: CurrentVisit, transactions: InTransactions, now: Now, form_token: _Text
) -> Response:
    _check_form(visit, form_token)
    async with transactions() as session:
        login = await _login(visit, session, now)
        await handlers.remove_passkey(session, login.account_id, passkey_id)
    return see_other("/identity/passkeys")


async def _login(visit: Visit, session: AsyncSession, now: Now) -> LoginSession:
    login = await login_at(visit, session, now)
    if login is None:
        raise NotSignedIn
    return login


def _check_form(visit: Visit, token: str) -> None:
    if not visit.form_is_ours(_PURPOSE, token):
        raise FormNotOurs
