"""Closing one's account in the browser. Works without JavaScript; asks for the password and for a word that it is meant."""

from typing import Annotated, Literal

from fastapi import APIRouter, Form, Response

from identity_service.accounts.domain import SubjectKind
from identity_service.credentials.domain import WrongCurrentPassword
from identity_service.db import InTransactions
from identity_service.legal_persons.domain import StillRepresents
from identity_service.login.domain import FormNotOurs
from identity_service.pages import cookies
from identity_service.pages.browsers import CurrentVisit, PageRoute, Visit
from identity_service.pages.onward import OwnPage, log_in_first
from identity_service.pages.rendering import page, see_other
from identity_service.sessions.browsing import login_at
from identity_service.sessions.models import LoginSession
from identity_service.space.handlers import closing
from service_common.app import Now
from service_common.auth import PUBLIC, Caller
from service_common.errors import DomainError, TooMany

CLOSING_PAGE = OwnPage.CLOSING.path

router = APIRouter(prefix=CLOSING_PAGE, include_in_schema=False, dependencies=[PUBLIC], route_class=PageRoute)

_PURPOSE = "closing"
_Text = Annotated[str, Form(max_length=200)]


@router.get("")
async def show(visit: CurrentVisit, transactions: InTransactions, now: Now) -> Response:
    async with transactions() as session:
        login = await login_at(visit, session, now)
    return _elsewhere(visit, login) or _form(visit)


@router.post("")
async def close(
    *,
    visit: CurrentVisit,
    transactions: InTransactions,
    now: Now,
    form_token: _Text,
    password: _Text,
    meant: Annotated[Literal["yes"], Form()],  # noqa: ARG001 - that it is there is what counts
) -> Response:
    if not visit.form_is_ours(_PURPOSE, form_token):
        raise FormNotOurs
    async with transactions() as session:
        login = await login_at(visit, session, now)
    elsewhere = _elsewhere(visit, login)
    if login is None or elsewhere is not None:
        return elsewhere or _form(visit)
    caller = Caller(str(login.account_id), "person", "", frozenset())
    try:
        await closing.close_account(transactions, visit.ring, caller, password, now=now)
    except (WrongCurrentPassword, StillRepresents, TooMany) as error:
        return _form(visit, error)
    response = page(visit.request, "closed.html")
    cookies.forget_session(response)
    return response


def _elsewhere(visit: Visit, login: LoginSession | None) -> Response | None:
    """To the log-in; of staff, whose account their department closes, to their account."""
    if login is None:
        return log_in_first(visit, OwnPage.CLOSING)
    return None if login.kind is SubjectKind.PERSON else see_other(OwnPage.ACCOUNT.path)


def _form(visit: Visit, error: DomainError | None = None) -> Response:
    waits = {"Retry-After": str(error.retry_after)} if isinstance(error, TooMany) else None
    return page(
        visit.request,
        "closing.html",
        status=429 if waits else 422 if error else 200,
        headers=waits,
        problem=error,
        form_token=visit.form_token(_PURPOSE),
        again=CLOSING_PAGE,
    )
