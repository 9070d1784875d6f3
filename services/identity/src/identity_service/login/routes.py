"""The log-in pages. Their forms can be posted by a script as well: see the service's README."""

from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Form, Query, Response
from fastapi.responses import JSONResponse
from pydantic import Json

from identity_service.accounts.domain import (
    PASSKEYS_OF_ADDRESS,
    CredentialsChanged,
    HashingBusy,
    PasswordUnsuitable,
    WrongCredentials,
    WrongSecondFactor,
)
from identity_service.accounts.throttling import Bucket, admit, network_of
from identity_service.db import InTransactions, Transactions
from identity_service.edge import session_limits
from identity_service.login import handlers
from identity_service.login.domain import FormNotOurs, asks_for_fresh_login
from identity_service.login.handlers import Browser, Credentials, Entered, Next
from identity_service.login.models import Interaction
from identity_service.pages import cookies
from identity_service.pages.browsers import CurrentVisit, PageRoute, Visit
from identity_service.pages.onward import ONWARD, OwnPage
from identity_service.pages.rendering import page, see_other
from identity_service.passkeys.domain import PasskeyRefused
from identity_service.passkeys.edge import Us
from identity_service.passkeys.handlers import Signed
from identity_service.sessions.browsing import login_at
from service_common.app import Now, Ring
from service_common.auth import PUBLIC
from service_common.errors import DomainError, TooMany

router = APIRouter(
    prefix="/identity/login", include_in_schema=False, dependencies=[PUBLIC], route_class=PageRoute
)

_Text = Annotated[str, Form(max_length=200)]
_BUSY_SECONDS = "2"
_PROBLEMS = {Next.WRONG_CODE: WrongSecondFactor, Next.ALL_ANEW: CredentialsChanged}
Done = Literal["signed_up", "password_reset"]
"""What somebody has just finished that leads here."""


@router.get("")
async def show_login(
    visit: CurrentVisit,
    transactions: InTransactions,
    now: Now,
    *,
    interaction: Annotated[UUID | None, Query()] = None,
    done: Annotated[Done | None, Query()] = None,
    onward: Annotated[OwnPage, Query()] = OwnPage.ACCOUNT,
    again: Annotated[bool, Query()] = False,
) -> Response:
    async with transactions() as session:
        if interaction is not None:
            found = await handlers.find_interaction(session, interaction, visit.browser_hash, now=now)
            return _form(visit, found, done=done)
        if not again and await login_at(visit, session, now) is not None:
            return see_other(onward.path)
        begun = await handlers.begin_interaction(
            session,
            visit.ring,
            visit.browser_hash,
            client_name=None,
            parameters={ONWARD: onward},
            life=handlers.life_of(visit.settings),
            now=now,
        )
    finished = f"&done={done}" if done else ""
    return visit.remember(see_other(f"/identity/login?interaction={begun.id}{finished}"))


@router.post("")
async def log_in(
    *,
    visit: CurrentVisit,
    transactions: InTransactions,
    now: Now,
    interaction: Annotated[UUID, Form()],
    form_token: _Text,
    username: _Text,
    password: _Text,
) -> Response:
    _check_form(visit, interaction, form_token)
    try:
        outcome = await handlers.log_in(
            transactions,
            visit.ring,
            _browser(visit),
            interaction,
            Credentials(username, password),
            limits=session_limits(visit.settings),
            now=now,
        )
    except (WrongCredentials, TooMany, HashingBusy) as error:
        return await _again(visit, transactions, interaction, error, now)
    return await _onward(visit, transactions, interaction, outcome, now)


@router.post("/second-factor")
async def pass_second_factor(
    *,
    visit: CurrentVisit,
    transactions: InTransactions,
    now: Now,
    interaction: Annotated[UUID, Form()],
    form_token: _Text,
    code: _Text,
) -> Response:
    _check_form(visit, interaction, form_token)
    try:
        async with transactions() as session:
            outcome = await handlers.pass_second_factor(
                session,
                visit.ring,
                _browser(visit),
                interaction,
                code,
                limits=session_limits(visit.settings),
                now=now,
            )
    except TooMany as error:
        return await _again(visit, transactions, interaction, error, now)
    return await _onward(visit, transactions, interaction, outcome, now)


@router.post("/new-password")
async def choose_password(
    *,
    visit: CurrentVisit,
    transactions: InTransactions,
    now: Now,
    interaction: Annotated[UUID, Form()],
    form_token: _Text,
    password: _Text,
) -> Response:
    """Instead of one that was handed over."""
    _check_form(visit, interaction, form_token)
    try:
        outcome = await handlers.choose_password(
            transactions,
            visit.ring,
            _browser(visit),
            interaction,
            password,
            limits=session_limits(visit.settings),
            now=now,
        )
    except (PasswordUnsuitable, HashingBusy) as error:
        return await _again(visit, transactions, interaction, error, now)
    return await _onward(visit, transactions, interaction, outcome, now)


@router.post("/passkey/options")
async def ask_for_passkey(
    *,
    visit: CurrentVisit,
    transactions: InTransactions,
    ring: Ring,
    us: Us,
    now: Now,
    interaction: Annotated[UUID, Form()],
    form_token: _Text,
) -> Response:
    """For the script of the log-in page."""
    _check_form(visit, interaction, form_token)
    async with transactions() as session:
        await admit(session, ring, [Bucket(PASSKEYS_OF_ADDRESS, network_of(visit.address))], now=now)
        asked = await handlers.ask_for_passkey(session, us, _browser(visit), interaction, now=now)
    body = {"challenge_id": str(asked.challenge_id), "options": asked.options}
    return JSONResponse(body, headers={"Cache-Control": "no-store"})


@router.post("/passkey")
async def log_in_with_passkey(
    *,
    visit: CurrentVisit,
    transactions: InTransactions,
    us: Us,
    now: Now,
    interaction: Annotated[UUID, Form()],
    form_token: _Text,
    challenge_id: Annotated[UUID, Form()],
    credential: Annotated[Json[dict[str, Any]], Form(max_length=20_000)],
) -> Response:
    _check_form(visit, interaction, form_token)
    try:
        async with transactions() as session:
            outcome = await handlers.pass_passkey(
                session,
                visit.ring,
                _browser(visit),
                interaction,
                Signed(challenge_id, credential),
                us=us,
                limits=session_limits(visit.settings),
                now=now,
            )
    except PasskeyRefused as error:
        return await _again(visit, transactions, interaction, error, now)
    return await _onward(visit, transactions, interaction, outcome, now)


def _browser(visit: Visit) -> Browser:
    user_agent = visit.request.headers.get("user-agent", "")
    return Browser(visit.browser_hash, visit.address, visit.session_secret, user_agent)


def _check_form(visit: Visit, interaction: UUID, token: str) -> None:
    if not visit.form_is_ours(str(interaction), token):
        raise FormNotOurs


async def _onward(
    visit: Visit, transactions: Transactions, interaction: UUID, outcome: Entered | Next, now: Now
) -> Response:
    """In, or to the page that asks for what is missing."""
    if isinstance(outcome, Entered):
        response = see_other(f"/identity/authorize/resume?interaction={interaction}")
        cookies.keep_session(response, outcome.secret, visit.settings)
        return response
    problem = _PROBLEMS.get(outcome)
    if problem is not None:
        return await _again(visit, transactions, interaction, problem(), now)
    return see_other(f"/identity/login?interaction={interaction}")


async def _again(
    visit: Visit, transactions: InTransactions, interaction: UUID, error: DomainError, now: Now
) -> Response:
    """The form once more with what was wrong. The user name is not repeated: it would tell nothing new."""
    async with transactions() as session:
        found = await handlers.find_interaction(session, interaction, visit.browser_hash, now=now)
    status, headers = 422, {}
    if isinstance(error, TooMany):
        status, headers = 429, {"Retry-After": str(error.retry_after)}
    elif isinstance(error, HashingBusy):
        status, headers = 503, {"Retry-After": _BUSY_SECONDS}
    return _form(visit, found, status=status, headers=headers, problem=error)


def _form(
    visit: Visit,
    interaction: Interaction,
    *,
    status: int = 200,
    headers: dict[str, str] | None = None,
    problem: DomainError | None = None,
    done: Done | None = None,
) -> Response:
    parameters = handlers.parameters_of(visit.ring, interaction)
    return page(
        visit.request,
        _template(interaction),
        status=status,
        headers=headers,
        leads_to=parameters.get("redirect_uri"),
        interaction=interaction.id,
        form_token=visit.form_token(str(interaction.id)),
        client_name=interaction.client_name,
        username=parameters.get("login_hint", "")[:60],
        problem=problem,
        done=done,
        offers_scan=not asks_for_fresh_login(parameters),
        script="passkeys.js",
        ui_locales=parameters.get("ui_locales", ""),
        again=f"/identity/login?interaction={interaction.id}",
    )


def _template(interaction: Interaction) -> str:
    """The page of the step that somebody is at."""
    if interaction.pending_account_id is None:
        return "login.html"
    return "second_factor.html" if interaction.pending_methods is None else "new_password.html"
