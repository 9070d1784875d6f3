"""Changing a known password in the browser. Works without JavaScript."""

from typing import Annotated

from fastapi import APIRouter, Form, Response

from identity_service.accounts.domain import PasswordUnsuitable
from identity_service.accounts.handlers import find_account
from identity_service.credentials.domain import WrongCurrentPassword
from identity_service.credentials.handlers import Place, change_password
from identity_service.db import InTransactions
from identity_service.login.domain import FormNotOurs
from identity_service.pages.browsers import CurrentVisit, PageRoute, Visit
from identity_service.pages.onward import OwnPage, log_in_first
from identity_service.pages.rendering import page, see_other
from identity_service.sessions.browsing import login_at
from service_common.app import Now
from service_common.auth import PUBLIC
from service_common.errors import DomainError, TooMany

PASSWORD_PAGE = OwnPage.PASSWORD.path

router = APIRouter(
    prefix=PASSWORD_PAGE, include_in_schema=False, dependencies=[PUBLIC], route_class=PageRoute
)

_PURPOSE = "password"
_Text = Annotated[str, Form(max_length=200)]


@router.get("")
async def show(visit: CurrentVisit, transactions: InTransactions, now: Now) -> Response:
    async with transactions() as session:
        login = await login_at(visit, session, now)
        if login is None:
            return log_in_first(visit, OwnPage.PASSWORD)
        account = await find_account(session, login.account_id)
    return _form(visit, account.username if account else "")


@router.post("")
async def change(
    *,
    visit: CurrentVisit,
    transactions: InTransactions,
    now: Now,
    form_token: _Text,
    current_password: _Text,
    password: _Text,
) -> Response:
    if not visit.form_is_ours(_PURPOSE, form_token):
        raise FormNotOurs
    async with transactions() as session:
        login = await login_at(visit, session, now)
        if login is None:
            return log_in_first(visit, OwnPage.PASSWORD)
        account = await find_account(session, login.account_id)
    username = account.username if account else ""
    place = Place(login.account_id, login.id)
    try:
        await change_password(
            transactions, visit.ring, place, current=current_password, new=password, now=now
        )
    except PasswordUnsuitable as error:
        return _form(visit, username, error, wrong_field="password")
    except (WrongCurrentPassword, TooMany) as error:
        return _form(visit, username, error)
    return see_other(f"{OwnPage.ACCOUNT.path}?done=password_changed")


def _form(
    visit: Visit, username: str, error: DomainError | None = None, *, wrong_field: str = "current_password"
) -> Response:
    """The user name is for password managers, which keep the new one with it."""
    waits = {"Retry-After": str(error.retry_after)} if isinstance(error, TooMany) else None
    return page(
        visit.request,
        "password.html",
        status=429 if waits else 422 if error else 200,
        headers=waits,
        problem=error,
        wrong_field=wrong_field,
        username=username,
        form_token=visit.form_token(_PURPOSE),
        again=PASSWORD_PAGE,
    )
