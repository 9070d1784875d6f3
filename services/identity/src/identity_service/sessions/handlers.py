"""Starting, finding and ending sessions and grants. Every living grant that ends is told to all services."""

import base64
import os
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import ColumnElement, bindparam, func, or_, select, union_all, update
from sqlalchemy.ext.asyncio import AsyncSession

from identity_service.accounts.domain import SubjectKind
from identity_service.accounts.models import Account
from identity_service.sessions.domain import (
    LogInAgain,
    Method,
    NoAccount,
    NoSuchSession,
    Origin,
    check_fresh,
    session_end,
)
from identity_service.sessions.models import Grant, LoginSession
from service_common import outbox
from service_common.auth import Caller
from service_common.contracts.identity import SessionEnded, SessionEndReason
from service_common.crypto import KeyRing

# Use is noted at most this often: a page with ten calls must not be ten writes.
_NOTE_USE_EVERY = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class SessionLimits:
    """How long a session lives: unused, and at the longest."""

    idle: timedelta
    longest: timedelta


def _new_secret() -> str:
    return base64.urlsafe_b64encode(os.urandom(32)).rstrip(b"=").decode()


def hash_secret(ring: KeyRing, secret: str) -> bytes:
    """How the secret of a cookie is stored."""
    return ring.blind_index(secret, column="login_sessions.secret_hash")


_BY_SECRET = select(LoginSession).where(LoginSession.secret_hash == bindparam("secret_hash"))


async def start_session(
    session: AsyncSession,
    ring: KeyRing,
    *,
    account_id: UUID,
    kind: SubjectKind,
    methods: Sequence[Method],
    origin: Origin | None = None,
    authenticated_at: datetime | None = None,
    secret: str | None = None,
    now: datetime,
) -> tuple[LoginSession, str]:
    """A new session, and the secret for its cookie, which is stored nowhere: drawn, unless it is given.

    ``authenticated_at`` is given when somebody authenticated earlier and elsewhere, and only lets this session in.
    """
    secret = secret or _new_secret()
    login = LoginSession(
        account_id=account_id,
        kind=kind,
        secret_hash=hash_secret(ring, secret),
        methods=[str(method) for method in methods],
        authenticated_at=authenticated_at or now,
        is_let_in=authenticated_at is not None,
        last_seen_at=now,
        device=origin.device if origin else None,
        place=origin.place if origin else None,
        created_at=now,
    )
    session.add(login)
    await session.flush()
    return login, secret


def authenticate_again(
    login: LoginSession, ring: KeyRing, *, methods: Sequence[Method], now: datetime
) -> str:
    """The same person has logged in once more: the session lives on with a new secret, which is returned."""
    secret = _new_secret()
    login.secret_hash = hash_secret(ring, secret)
    login.methods = [str(method) for method in methods]
    login.authenticated_at = now
    login.is_let_in = False
    login.last_seen_at = now
    return secret


async def find_session(
    session: AsyncSession, ring: KeyRing, secret: str | None, *, limits: SessionLimits, now: datetime
) -> LoginSession | None:
    """The living session of a cookie; notes that it is in use."""
    if not secret:
        return None
    login = await session.scalar(_BY_SECRET, {"secret_hash": hash_secret(ring, secret)})
    return login if login and await is_living(session, login, limits=limits, now=now) else None


async def is_living(
    session: AsyncSession, login: LoginSession, *, limits: SessionLimits, now: datetime
) -> bool:
    """Whether a session has not ended, in one way or another; if so notes that it is in use."""
    if login.ended_at is not None:
        return False
    if now >= session_end(login.began_at, login.last_seen_at, idle=limits.idle, longest=limits.longest):
        return False
    await _note_use(session, login, now)
    return True


async def _note_use(session: AsyncSession, login: LoginSession, now: datetime) -> None:
    """Never waits: who ends the session locks the same rows in another order."""
    if now - login.last_seen_at < _NOTE_USE_EVERY:
        return
    free = select(LoginSession.id).where(LoginSession.id == login.id).with_for_update(skip_locked=True)
    await session.execute(
        update(LoginSession)
        .where(LoginSession.id.in_(free))
        .values(last_seen_at=now)
        .execution_options(synchronize_session=False)
    )


async def living_session(
    session: AsyncSession, login_session_id: UUID, *, limits: SessionLimits, now: datetime
) -> bool:
    """Whether a grant that is not for offline access may still be refreshed."""
    login = await session.get_one(LoginSession, login_session_id)
    # Refreshing is use: a browser application that refreshes every five minutes keeps its user logged in.
    if login.ended_at is not None or now >= login.began_at + limits.longest:
        return False
    await _note_use(session, login, now)
    return True


async def hold_open(session: AsyncSession, place: LoginSession | Grant) -> bool:
    """Whether somebody is still logged in there. It stays so until this transaction is over: who ends it waits for what it opens."""
    await _share(session, place.account_id if isinstance(place, LoginSession) else place.subject_id)
    kind = type(place)
    living = select(kind.id).where(kind.id == place.id, kind.ended_at.is_(None))
    return await session.scalar(living) is not None


async def nothing_ended(session: AsyncSession, account_id: UUID, *, since: datetime) -> bool:
    """Whether none of somebody's sessions and grants was ended since then: what was promised in one of them still holds.

    It stays so until this transaction is over.
    """
    await _share(session, account_id)
    ended = union_all(
        select(LoginSession.id).where(LoginSession.account_id == account_id, LoginSession.ended_at >= since),
        select(Grant.id).where(Grant.subject_id == account_id, Grant.ended_at >= since),
    )
    return await session.scalar(ended.limit(1)) is None


async def _share(session: AsyncSession, account_id: UUID) -> None:
    await session.execute(select(Account.id).where(Account.id == account_id).with_for_update(read=True))


async def _hold_alone(session: AsyncSession, account_id: UUID) -> None:
    """While something of somebody's is ended nothing is opened that it would not see: the other side of ``hold_open``."""
    alone = select(Account.id).where(Account.id == account_id).with_for_update(key_share=True)
    await session.execute(alone)


async def end_session(
    session: AsyncSession,
    login_session_id: UUID,
    *,
    reason: SessionEndReason,
    now: datetime,
) -> None:
    """Logs a browser out, and with it every client it was logged in to, except for offline access."""
    login = await session.get_one(LoginSession, login_session_id)
    await _hold_alone(session, login.account_id)
    of_browser = (Grant.login_session_id == login.id, ~Grant.is_offline)
    await _end_grants(session, *of_browser, reason=reason, now=now)
    if login.ended_at is None:
        login.ended_at = now


async def end_everything_of(
    session: AsyncSession, subject_id: UUID, *, reason: SessionEndReason, now: datetime
) -> None:
    """Ends all sessions and grants of a subject who may not be here any longer."""
    await _hold_alone(session, subject_id)
    await _end_grants(session, Grant.subject_id == subject_id, reason=reason, now=now)
    logins = await session.scalars(
        select(LoginSession).where(LoginSession.account_id == subject_id, LoginSession.ended_at.is_(None))
    )
    for login in logins:
        login.ended_at = now


async def end_grants_of_client(
    session: AsyncSession, subject_id: UUID, client_id: str, *, reason: SessionEndReason, now: datetime
) -> None:
    """Ends what a subject lets one client do, in every sitting."""
    await _hold_alone(session, subject_id)
    of_client = (Grant.subject_id == subject_id, Grant.client_id == client_id)
    await _end_grants(session, *of_client, reason=reason, now=now)


async def end_grant(session: AsyncSession, grant: Grant, *, reason: SessionEndReason, now: datetime) -> None:
    """Ends what one client was allowed; its access tokens are refused everywhere within a second. The caller holds the grant."""
    if grant.ended_at is not None:
        return
    grant.ended_at = now
    grant.end_reason = reason
    ended = SessionEnded(session_id=grant.id, subject_id=grant.subject_id, reason=reason)
    await outbox.add(session, grant, ended, now=now)
    if grant.delegation_id is None:
        await _end_grants(session, Grant.sits_in_id == grant.id, reason=reason, now=now)


async def _end_grants(
    session: AsyncSession, *which: ColumnElement[bool], reason: SessionEndReason, now: datetime
) -> None:
    grants = await session.scalars(
        select(Grant).where(*which, Grant.ended_at.is_(None)).order_by(Grant.id).with_for_update()
    )
    for grant in grants:
        await end_grant(session, grant, reason=reason, now=now)


async def find_sitting(
    session: AsyncSession, sits_in: Grant, delegation_id: UUID, *, since: datetime
) -> Grant | None:
    """The living sitting of an agent for a delegation that began since then."""
    found: Grant | None = await session.scalar(
        select(Grant).where(
            Grant.sits_in_id == sits_in.id,
            Grant.delegation_id == delegation_id,
            Grant.ended_at.is_(None),
            Grant.created_at > since,
        )
    )
    return found


async def open_sitting(session: AsyncSession, sits_in: Grant, delegation_id: UUID, *, now: datetime) -> Grant:
    """A grant in which an agent acts for somebody else, within the agent's own: it ends with that, and with the delegation."""
    grant = Grant(
        login_session_id=sits_in.login_session_id,
        subject_id=sits_in.subject_id,
        kind=sits_in.kind,
        client_id=sits_in.client_id,
        scope="",
        resource=None,
        is_offline=sits_in.is_offline,
        methods=sits_in.methods,
        authenticated_at=sits_in.authenticated_at,
        created_at=now,
        delegation_id=delegation_id,
        sits_in_id=sits_in.id,
    )
    session.add(grant)
    await session.flush()
    return grant


async def end_grants_of_delegation(
    session: AsyncSession, delegation_id: UUID, *, reason: SessionEndReason, now: datetime
) -> None:
    """Ends every sitting for a delegation that is over."""
    await _end_grants(session, Grant.delegation_id == delegation_id, reason=reason, now=now)


async def hold_grant(session: AsyncSession, grant_id: UUID) -> Grant | None:
    """A living grant, held: it cannot end before what is opened within it is there to be ended too."""
    grant = await session.get(Grant, grant_id, with_for_update=True, populate_existing=True)
    return grant if grant is not None and grant.ended_at is None else None


async def find_grant(session: AsyncSession, grant_id: UUID) -> Grant | None:
    """A grant by the ``sid`` of a token."""
    return await session.get(Grant, grant_id)


def account_of(caller: Caller) -> UUID:
    """Whose account the caller manages: its own. Raises: NoAccount."""
    if caller.subject_type == "person":
        return caller.person_id
    if caller.subject_type == "staff":
        return caller.staff_id
    raise NoAccount


async def grant_of(session: AsyncSession, caller: Caller) -> Grant | None:
    """The caller's own living grant, by the ``sid`` of the token."""
    found = await session.get(Grant, UUID(caller.session_id)) if caller.session_id else None
    return found if found is not None and found.ended_at is None else None


async def check_fresh_caller(session: AsyncSession, caller: Caller, *, now: datetime) -> None:
    """For what must not be done from an open screen, nor from one that was only let in. Raises: LogInAgain."""
    grant = await grant_of(session, caller)
    if grant is None:
        raise LogInAgain
    login = await session.get_one(LoginSession, grant.login_session_id)
    check_fresh(grant.authenticated_at, is_let_in=login.is_let_in, now=now)


@dataclass(frozen=True, slots=True)
class Place:
    """A browser where somebody is logged in, with the apps that were opened from it."""

    login: LoginSession
    grants: Sequence[Grant]
    is_current: bool


async def list_sessions(
    session: AsyncSession, caller: Caller, *, limits: SessionLimits, now: datetime
) -> Sequence[Place]:
    """Where the caller is logged in: browsers, and apps that stay signed in after theirs; the latest first."""
    account_id = account_of(caller)
    grants = (
        await session.scalars(
            select(Grant)
            .where(Grant.subject_id == account_id, Grant.ended_at.is_(None), Grant.delegation_id.is_(None))
            .order_by(Grant.created_at)
        )
    ).all()
    with_apps = {grant.login_session_id for grant in grants if grant.is_offline}
    began_at = func.greatest(LoginSession.authenticated_at, LoginSession.created_at)
    logins = await session.scalars(
        select(LoginSession)
        .where(
            LoginSession.account_id == account_id,
            or_(
                LoginSession.id.in_(with_apps),
                LoginSession.ended_at.is_(None)
                & (began_at > now - limits.longest)
                & (LoginSession.last_seen_at > now - limits.idle),
            ),
        )
        .order_by(began_at.desc(), LoginSession.id.desc())
    )
    places = []
    for login in logins:
        own = [grant for grant in grants if grant.login_session_id == login.id]
        is_current = any(str(grant.id) == caller.session_id for grant in own)
        places.append(Place(login, own, is_current))
    return places


async def end_own_session(
    session: AsyncSession, caller: Caller, login_session_id: UUID, *, now: datetime
) -> None:
    """Logs the caller out of one browser and of every app opened from it. Raises: NoSuchSession, NoAccount."""
    login = await session.get(LoginSession, login_session_id)
    if login is None or login.account_id != account_of(caller):
        raise NoSuchSession
    await _end_whole(session, login, reason=SessionEndReason.LOGOUT, now=now)


async def login_of(session: AsyncSession, caller: Caller) -> UUID | None:
    """The log-in session in which the caller is logged in. Raises: NoAccount."""
    account_id = account_of(caller)
    grant = await session.get(Grant, UUID(caller.session_id)) if caller.session_id else None
    return grant.login_session_id if grant is not None and grant.subject_id == account_id else None


async def end_others(
    session: AsyncSession, caller: Caller, *, reason: SessionEndReason, now: datetime
) -> None:
    """Ends every session and app of the caller but the one that is calling. Raises: NoAccount."""
    kept = await login_of(session, caller)
    await end_all_but(session, account_of(caller), kept, reason=reason, now=now)


async def end_all_but(
    session: AsyncSession,
    account_id: UUID,
    kept_login: UUID | None,
    *,
    reason: SessionEndReason,
    now: datetime,
) -> None:
    """Ends every session and app of an account but one browser, and what was opened from that."""
    await _hold_alone(session, account_id)
    of_others = [Grant.subject_id == account_id]
    if kept_login is not None:
        of_others.append(Grant.login_session_id != kept_login)
    await _end_grants(session, *of_others, reason=reason, now=now)
    logins = await session.scalars(
        select(LoginSession).where(LoginSession.account_id == account_id, LoginSession.ended_at.is_(None))
    )
    for login in logins:
        if login.id != kept_login:
            login.ended_at = now


async def _end_whole(
    session: AsyncSession, login: LoginSession, *, reason: SessionEndReason, now: datetime
) -> None:
    await _hold_alone(session, login.account_id)
    await _end_grants(session, Grant.login_session_id == login.id, reason=reason, now=now)
    if login.ended_at is None:
        login.ended_at = now
