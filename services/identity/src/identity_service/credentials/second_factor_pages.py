"""Staff change to another authenticator by themselves, as long as they can still log in with the old one or a passkey."""

from typing import Annotated

import pyotp
from fastapi import APIRouter, Form, Response
from sqlalchemy.ext.asyncio import AsyncSession

from identity_service.accounts.domain import SubjectKind, WrongSecondFactor
from identity_service.accounts.handlers import find_account, replace_second_factor
from identity_service.db import InTransactions
from identity_service.inbox.domain import Template
from identity_service.inbox.handlers import Notice, tell
from identity_service.login.domain import FormNotOurs
from identity_service.organisation.domain import ISSUER_NAME
from identity_service.organisation.handlers.staff import new_totp_secret
from identity_service.pages.browsers import CurrentVisit, PageRoute, Visit
from identity_service.pages.onward import OwnPage, log_in_again, log_in_first
from identity_service.pages.qr import qr_svg
from identity_service.pages.rendering import page, see_other
from identity_service.sessions.browsing import login_at
from identity_service.sessions.domain import is_fresh
from identity_service.sessions.models import LoginSession
from service_common.app import Now
from service_common.auth import PUBLIC
from service_common.db import new_id

SECOND_FACTOR_PAGE = OwnPage.SECOND_FACTOR.path

router = APIRouter(
    prefix=SECOND_FACTOR_PAGE, include_in_schema=False, dependencies=[PUBLIC], route_class=PageRoute
)

_Text = Annotated[str, Form(max_length=200)]


@router.get("")
async def show(visit: CurrentVisit, transactions: InTransactions, now: Now) -> Response:
    async with transactions() as session:
        login = await login_at(visit, session, now)
        return _elsewhere(visit, login, now) or await _form(visit, session, login, new_totp_secret())


@router.post("")
async def change(
    *,
    visit: CurrentVisit,
    transactions: InTransactions,
    now: Now,
    form_token: _Text,
    secret: _Text,
    code: _Text,
) -> Response:
    """The seed comes back from the page that showed it: the token of the form is of this browser and this seed."""
    if not visit.form_is_ours(_purpose(secret), form_token):
        raise FormNotOurs
    async with transactions() as session:
        login = await login_at(visit, session, now)
        elsewhere = _elsewhere(visit, login, now)
        if login is None or elsewhere is not None:
            return elsewhere or log_in_first(visit, OwnPage.SECOND_FACTOR)
        if not await replace_second_factor(session, visit.ring, login.account_id, secret, code, now=now):
            return await _form(visit, session, login, secret, WrongSecondFactor())
        notice = Notice(new_id(), Template.SECOND_FACTOR_CHANGED, "ACCOUNT", login.account_id, {}, now)
        await tell(session, [login.account_id], notice)
    return see_other(f"{OwnPage.ACCOUNT.path}?done=second_factor_changed")


def _elsewhere(visit: Visit, login: LoginSession | None, now: Now) -> Response | None:
    """To the log-in, anew when the last one was long ago; of persons, who need no second factor, to their account."""
    if login is None:
        return log_in_first(visit, OwnPage.SECOND_FACTOR)
    if login.kind is not SubjectKind.STAFF:
        return see_other(OwnPage.ACCOUNT.path)
    if not is_fresh(login.authenticated_at, is_let_in=login.is_let_in, now=now):
        return see_other(log_in_again(OwnPage.SECOND_FACTOR))
    return None


async def _form(
    visit: Visit,
    session: AsyncSession,
    login: LoginSession | None,
    secret: str,
    error: WrongSecondFactor | None = None,
) -> Response:
    account = await find_account(session, login.account_id) if login is not None else None
    name = account.username if account is not None else ""
    uri = pyotp.TOTP(secret).provisioning_uri(name=name, issuer_name=ISSUER_NAME)
    return page(
        visit.request,
        "second_factor_change.html",
        status=422 if error else 200,
        problem=error,
        secret=secret,
        in_groups=" ".join(secret[at : at + 4] for at in range(0, len(secret), 4)),
        qr=qr_svg(uri),
        form_token=visit.form_token(_purpose(secret)),
        again=SECOND_FACTOR_PAGE,
    )


def _purpose(secret: str) -> str:
    return f"second-factor:{secret}"
