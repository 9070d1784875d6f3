"""My account in the browser: who I am, where I am logged in, whom I have allowed what. Works without JavaScript."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Form, Query, Response
from sqlalchemy.ext.asyncio import AsyncSession

from identity_service.accounts.domain import SubjectKind
from identity_service.accounts.handlers import find_account
from identity_service.db import InTransactions
from identity_service.edge import Catalogue, session_limits
from identity_service.inbox.handlers import count_unread
from identity_service.login.domain import FormNotOurs
from identity_service.pages.browsers import CurrentVisit, PageRoute, Visit
from identity_service.pages.onward import log_in_first
from identity_service.pages.rendering import page, see_other
from identity_service.relying_parties.handlers import client_names
from identity_service.scopes import ScopeCatalogue, ScopeEntry
from identity_service.sessions import handlers as sessions
from identity_service.sessions.browsing import login_at
from identity_service.sessions.domain import UNKNOWN, recognisable
from identity_service.sessions.models import LoginSession
from identity_service.space.handlers import consents, profile
from service_common.app import Now
from service_common.auth import PUBLIC, Caller
from service_common.clock import SHANGHAI
from service_common.contracts.identity import SessionEndReason

ACCOUNT_PAGE = "/identity/account"

router = APIRouter(prefix=ACCOUNT_PAGE, include_in_schema=False, dependencies=[PUBLIC], route_class=PageRoute)

_PURPOSE = "account"
_SHOWN_FACTS = ("username", "name", "id_number", "phone", "trust_level")
_Text = Annotated[str, Form(max_length=200)]
Done = Literal[
    "session_ended",
    "others_ended",
    "consent_withdrawn",
    "password_changed",
    "phone_changed",
    "second_factor_changed",
]


@dataclass(frozen=True, slots=True)
class Line:
    """One line about the person: a value as it stands, or the key of a sentence. Its repr shows neither."""

    name: str
    value: str | None = None
    wording: str | None = None
    until: str | None = None

    def __repr__(self) -> str:
        return f"Line({self.name})"


@dataclass(frozen=True, slots=True)
class Browser:
    """A place where somebody is logged in."""

    id: UUID
    device: str | None
    network: str
    since: str
    apps: str
    is_current: bool


@dataclass(frozen=True, slots=True)
class Allowed:
    """What an application was allowed."""

    client_id: str
    client_name: str
    department_name: str | None
    scopes: Sequence[ScopeEntry]
    given_at: str


@router.get("")
async def show(
    visit: CurrentVisit,
    transactions: InTransactions,
    catalogue: Catalogue,
    now: Now,
    done: Annotated[Done | None, Query()] = None,
) -> Response:
    async with transactions() as session:
        login = await login_at(visit, session, now)
        if login is None:
            return log_in_first(visit)
        is_person = login.kind is SubjectKind.PERSON
        allowed = await _allowed(session, login, catalogue) if is_person else None
        return page(
            visit.request,
            "account.html",
            done=done,
            facts=await _about(visit, session, login, now),
            is_person=is_person,
            unread=sum((await count_unread(session, login.account_id)).values()),
            places=await _browsers(visit, session, login, now),
            consents=allowed,
            form_token=visit.form_token(_PURPOSE),
            logout_token=visit.form_token("logout"),
        )


@router.post("/sessions/end")
async def end_session(
    *,
    visit: CurrentVisit,
    transactions: InTransactions,
    now: Now,
    form_token: _Text,
    session_id: Annotated[UUID, Form()],
) -> Response:
    _check_form(visit, form_token)
    async with transactions() as session:
        login = await login_at(visit, session, now)
        if login is None:
            return see_other(ACCOUNT_PAGE)
        await sessions.end_own_session(session, _caller(login), session_id, now=now)
    return see_other(f"{ACCOUNT_PAGE}?done=session_ended")


@router.post("/sessions/end-others")
async def end_other_sessions(
    visit: CurrentVisit, transactions: InTransactions, now: Now, form_token: _Text
) -> Response:
    _check_form(visit, form_token)
    async with transactions() as session:
        login = await login_at(visit, session, now)
        if login is None:
            return see_other(ACCOUNT_PAGE)
        await sessions.end_all_but(
            session, login.account_id, login.id, reason=SessionEndReason.LOGOUT, now=now
        )
    return see_other(f"{ACCOUNT_PAGE}?done=others_ended")


@router.post("/consents/withdraw")
async def withdraw_consent(
    *,
    visit: CurrentVisit,
    transactions: InTransactions,
    now: Now,
    form_token: _Text,
    client_id: _Text,
) -> Response:
    _check_form(visit, form_token)
    async with transactions() as session:
        login = await login_at(visit, session, now)
        if login is None:
            return see_other(ACCOUNT_PAGE)
        await consents.withdraw_consent(session, _caller(login).person_id, client_id, now=now)
    return see_other(f"{ACCOUNT_PAGE}?done=consent_withdrawn")


async def _about(visit: Visit, session: AsyncSession, login: LoginSession, now: Now) -> list[Line]:
    if login.kind is SubjectKind.STAFF:
        account = await find_account(session, login.account_id)
        return [
            Line("username", account.username if account else None),
            Line("kind", wording="account.staff"),
        ]
    known = await profile.profile_facts(session, visit.ring, login.account_id, now=now)
    by_name = {fact.attribute: fact for fact in known}
    return [_line(by_name[name]) for name in _SHOWN_FACTS]


def _line(fact: profile.Fact) -> Line:
    if fact.attribute != "trust_level":
        return Line(fact.attribute, fact.value)
    until = _day(fact.expires_at) if fact.expires_at else None
    return Line("trust_level", wording=f"account.level_{fact.value}", until=until)


async def _browsers(visit: Visit, session: AsyncSession, login: LoginSession, now: Now) -> list[Browser]:
    limits = session_limits(visit.settings)
    places = await sessions.list_sessions(session, _caller(login), limits=limits, now=now)
    names = await client_names(session, (grant.client_id for place in places for grant in place.grants))
    return [_browser(place, names, is_current=place.login.id == login.id) for place in places]


def _browser(place: sessions.Place, names: Mapping[str, str], *, is_current: bool) -> Browser:
    apps = list(dict.fromkeys(names.get(grant.client_id, grant.client_id) for grant in place.grants))
    return Browser(
        id=place.login.id,
        device=recognisable(place.login.device, apps),
        network=place.login.place if place.login.place not in (None, UNKNOWN) else "–",
        since=f"{place.login.created_at.astimezone(SHANGHAI):%Y-%m-%d %H:%M}",
        apps=" · ".join(apps),
        is_current=is_current,
    )


async def _allowed(session: AsyncSession, login: LoginSession, catalogue: ScopeCatalogue) -> list[Allowed]:
    return [
        Allowed(
            client_id=one.consent.client_id,
            client_name=one.client_name or one.consent.client_id,
            department_name=one.department_name,
            scopes=[catalogue.entries[name] for name in one.consent.scopes if name in catalogue.entries],
            given_at=_day(one.consent.given_at),
        )
        for one in await consents.list_consents(session, login.account_id)
    ]


def _caller(login: LoginSession) -> Caller:
    """Whoever sits at the browser, to the handlers that the API uses. Without an app's session: none is kept or spared."""
    return Caller(
        str(login.account_id), "staff" if login.kind is SubjectKind.STAFF else "person", "", frozenset()
    )


def _check_form(visit: Visit, token: str) -> None:
    if not visit.form_is_ours(_PURPOSE, token):
        raise FormNotOurs


def _day(moment: datetime) -> str:
    return f"{moment.astimezone(SHANGHAI):%Y-%m-%d}"
