"""The endpoints that browsers come to: authorization, consent, logout."""

from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Annotated
from urllib.parse import urlencode
from uuid import UUID

from authlib.oauth2 import OAuth2Error
from authlib.oidc.rpinitiated.end_session import EndSessionRequest
from fastapi import APIRouter, Form, Query, Request, Response

from identity_service.db import InTransactions
from identity_service.edge import session_limits
from identity_service.login import handlers as login_handlers
from identity_service.login.domain import FormNotOurs
from identity_service.login.models import Interaction
from identity_service.oidc.authorization import (
    NeedsConsent,
    NeedsLevel,
    NeedsLogin,
    Outcome,
    Refused,
    ToClient,
    authorize,
    give_consent,
    pairs_of,
)
from identity_service.oidc.endpoints import read_logout
from identity_service.oidc.logout import log_out as end_logins
from identity_service.oidc.logout import plan_logout
from identity_service.oidc.provider import Work
from identity_service.oidc.pushed import find_pushed
from identity_service.oidc.routes.device_pages import DEVICE_PAGE, USER_CODE
from identity_service.oidc.routes.direct import DirectPageRoute
from identity_service.oidc.routes.work import CurrentBench, at_work
from identity_service.oidc.visitors import Visitor, find_visitor
from identity_service.pages import cookies
from identity_service.pages.browsers import CurrentVisit, PageRoute, Visit, refusal, visit_of
from identity_service.pages.onward import ONWARD, OwnPage
from identity_service.pages.rendering import page, see_other
from identity_service.sessions.handlers import find_session
from identity_service.sessions.models import LoginSession
from service_common.auth import PUBLIC
from service_common.errors import Invalid

router = APIRouter(prefix="/identity", include_in_schema=False, dependencies=[PUBLIC], route_class=PageRoute)
direct = APIRouter(
    prefix="/identity", include_in_schema=False, dependencies=[PUBLIC], route_class=DirectPageRoute
)


_LOCALES = "ui_locales"
_NOTHING_ASKED: Mapping[str, str] = MappingProxyType({})
_PAGES = {NeedsLogin: "login", NeedsLevel: "verification", NeedsConsent: "consent"}


class BadRequestOfClient(Invalid):
    """A request that no answer may be sent back for: whoever asked is not known to be who they say."""

    code = "invalid_request"
    zh = "应用发来的请求不正确，未转到任何其他网站。"
    en = "The application sent a wrong request. You were not sent on to any other site."


async def login_of(visit: Visit, work: Work) -> LoginSession | None:
    return await find_session(
        work.session, visit.ring, visit.session_secret, limits=session_limits(visit.settings), now=work.now
    )


async def visitor_of(visit: Visit, work: Work, asked: Mapping[str, str]) -> Visitor | None:
    """Who is logged in at this browser, with what was allowed to the client that asks."""
    client_id = asked.get("client_id", "")
    # Refused a moment later; but PostgreSQL is not to see a NUL before.
    return await find_visitor(work, visit.session_secret, client_id.replace("\x00", ""))


@direct.get("/authorize")
async def begin(request: Request) -> Response:
    return await _begin(request, request.query_params.multi_items())


@direct.post("/authorize")
async def begin_by_post(request: Request) -> Response:
    form = await request.form()
    return await _begin(
        request, [(name, value) for name, value in form.multi_items() if isinstance(value, str)]
    )


async def _begin(request: Request, asked: list[tuple[str, str]]) -> Response:
    visit = visit_of(request)
    # What is read, and the code with its grant or the interaction, are one statement each; a pushed request needs more.
    is_plain = all(name != "request_uri" for name, _ in asked)
    async with at_work(request, stands_alone=is_plain) as work:
        try:
            asked = await find_pushed(work, asked) or asked
        except OAuth2Error as error:
            return _leave(visit, Refused(error.error, error.description or ""), dict(asked))
        outcome = await authorize(work, asked, await visitor_of(visit, work, dict(asked)), None)
        if isinstance(outcome, NeedsLogin | NeedsLevel | NeedsConsent):
            begun = await _remember(visit, work, outcome, dict(asked))
            return visit.remember(_to_page(outcome, begun.id))
    return _leave(visit, outcome, dict(asked))


async def _remember(
    visit: Visit, work: Work, outcome: NeedsLogin | NeedsLevel | NeedsConsent, asked: dict[str, str]
) -> Interaction:
    name = outcome.client.name if isinstance(outcome, NeedsConsent) else outcome.client_name
    return await login_handlers.begin_interaction(
        work.session,
        visit.ring,
        visit.browser_hash,
        client_name=name,
        parameters=asked,
        life=login_handlers.life_of(visit.settings),
        now=work.now,
    )


@router.get("/authorize/resume")
async def resume(
    visit: CurrentVisit,
    bench: CurrentBench,
    transactions: InTransactions,
    interaction: Annotated[UUID, Query()],
) -> Response:
    async with transactions() as session:
        work = bench.work(session)
        found, asked = await interaction_of(visit, work, interaction)
        if set(asked) <= {ONWARD}:
            found.finished_at = work.now
            return see_other(OwnPage(asked.get(ONWARD, OwnPage.ACCOUNT)).path)
        if set(asked) == {USER_CODE}:
            found.finished_at = work.now
            return see_other(f"{DEVICE_PAGE}?{urlencode(asked)}")
        outcome = await authorize(work, pairs_of(asked), await visitor_of(visit, work, asked), found)
        return go_on(visit, work, outcome, found)


async def interaction_of(
    visit: Visit, work: Work, interaction_id: UUID
) -> tuple[Interaction, login_handlers.Parameters]:
    found = await login_handlers.find_interaction(
        work.session, interaction_id, visit.browser_hash, now=work.now, for_update=True
    )
    return found, login_handlers.parameters_of(visit.ring, found)


def go_on(visit: Visit, work: Work, outcome: Outcome, interaction: Interaction) -> Response:
    if isinstance(outcome, NeedsLogin | NeedsLevel | NeedsConsent):
        return _to_page(outcome, interaction.id)
    interaction.finished_at = work.now
    return _leave(visit, outcome)


def _to_page(outcome: NeedsLogin | NeedsLevel | NeedsConsent, interaction_id: UUID) -> Response:
    return see_other(f"/identity/{_PAGES[type(outcome)]}?interaction={interaction_id}")


def _leave(visit: Visit, outcome: Outcome, asked: Mapping[str, str] = _NOTHING_ASKED) -> Response:
    if isinstance(outcome, ToClient):
        return see_other(outcome.address)
    assert isinstance(outcome, Refused)
    return refusal(
        visit.request,
        BadRequestOfClient(),
        code=f"{outcome.error}: {outcome.description}",
        ui_locales=asked.get(_LOCALES, ""),
    )


@router.get("/consent")
async def show_consent(
    visit: CurrentVisit,
    bench: CurrentBench,
    transactions: InTransactions,
    interaction: Annotated[UUID, Query()],
) -> Response:
    async with transactions() as session:
        work = bench.work(session)
        found, asked = await interaction_of(visit, work, interaction)
        outcome = await authorize(work, pairs_of(asked), await visitor_of(visit, work, asked), found)
        if not isinstance(outcome, NeedsConsent):
            return go_on(visit, work, outcome, found)
        return page(
            visit.request,
            "consent.html",
            leads_to=asked.get("redirect_uri"),
            interaction=found.id,
            form_token=visit.form_token(str(found.id)),
            ui_locales=asked.get(_LOCALES, ""),
            client_name=outcome.client.name,
            scopes=outcome.scopes,
        )


@router.post("/consent")
async def decide_consent(
    *,
    visit: CurrentVisit,
    bench: CurrentBench,
    transactions: InTransactions,
    interaction: Annotated[UUID, Form()],
    form_token: Annotated[str, Form(max_length=200)],
    decision: Annotated[str, Form(pattern="^(allow|deny)$")],
) -> Response:
    if not visit.form_is_ours(str(interaction), form_token):
        raise FormNotOurs
    async with transactions() as session:
        work = bench.work(session)
        found, asked = await interaction_of(visit, work, interaction)
        visitor = await visitor_of(visit, work, asked)
        outcome = await authorize(work, pairs_of(asked), visitor, found, denied=decision == "deny")
        if isinstance(outcome, NeedsConsent):
            await give_consent(work, outcome, found)
            outcome = await authorize(work, pairs_of(asked), visitor, found)
        return go_on(visit, work, outcome, found)


@router.get("/logout")
async def ask_logout(
    request: Request, visit: CurrentVisit, bench: CurrentBench, transactions: InTransactions
) -> Response:
    return await _logout(visit, bench, transactions, request.query_params.multi_items(), confirmed=False)


@router.post("/logout")
async def log_out(
    request: Request, visit: CurrentVisit, bench: CurrentBench, transactions: InTransactions
) -> Response:
    form = await request.form()
    pairs = [(name, value) for name, value in form.multi_items() if isinstance(value, str)]
    token = next((value for name, value in pairs if name == "form_token"), "")
    asked = [(name, value) for name, value in pairs if name != "form_token"]
    confirmed = visit.form_is_ours("logout", token)
    return await _logout(visit, bench, transactions, asked, confirmed=confirmed)


async def _logout(
    visit: Visit,
    bench: CurrentBench,
    transactions: InTransactions,
    pairs: Iterable[tuple[str, str]],
    *,
    confirmed: bool,
) -> Response:
    asked = list(pairs)
    async with transactions() as session:
        work = bench.work(session)
        try:
            wish = await read_logout(work, asked)
        except OAuth2Error as error:
            return _leave(visit, Refused(error.error, error.description or ""))
        plan = await plan_logout(work, wish, await login_of(visit, work))
        if plan.needs_confirmation and not confirmed:
            return _confirm(visit, wish, dict(asked))
        frames = await end_logins(work, plan)
    response = _signed_out(visit, frames, wish.redirect_uri, dict(asked))
    cookies.forget_session(response)
    return response


def _signed_out(
    visit: Visit, frames: Sequence[str], onward: str | None, asked: Mapping[str, str]
) -> Response:
    """Straight back to the client, unless the browser has to visit others first."""
    if onward and not frames:
        return see_other(onward)
    return page(
        visit.request,
        "signed_out.html",
        frames=frames,
        script="signed-out.js" if onward else None,
        ui_locales=asked.get(_LOCALES, ""),
        onward=onward,
    )


def _confirm(visit: Visit, wish: EndSessionRequest, asked: dict[str, str]) -> Response:
    return page(
        visit.request,
        "logout.html",
        leads_to=wish.redirect_uri,
        form_token=visit.form_token("logout"),
        ui_locales=asked.get(_LOCALES, ""),
        client_name=wish.client.name if wish.client else None,
        parameters=asked,
    )
