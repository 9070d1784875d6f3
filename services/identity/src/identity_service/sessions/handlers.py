"""Starting, finding and ending sessions and grants. Every living grant that ends is told to all services."""

import base64
import os
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import ColumnElement, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from identity_service.accounts.domain import SubjectKind
from identity_service.sessions.domain import Method, session_end
from identity_service.sessions.models import Grant, LoginSession
from service_common import outbox
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


def _hash(ring: KeyRing, secret: str) -> bytes:
    return ring.blind_index(secret, column="login_sessions.secret_hash")


async def start_session(
    session: AsyncSession,
    ring: KeyRing,
    *,
    account_id: UUID,
    kind: SubjectKind,
    methods: Sequence[Method],
    now: datetime,
) -> tuple[LoginSession, str]:
    """A new session, and the secret for its cookie, which is stored nowhere."""
    secret = _new_secret()
    login = LoginSession(
        account_id=account_id,
        kind=kind,
        secret_hash=_hash(ring, secret),
        methods=[str(method) for method in methods],
        authenticated_at=now,
        last_seen_at=now,
    )
    session.add(login)
    await session.flush()
    return login, secret


def authenticate_again(
    login: LoginSession, ring: KeyRing, *, methods: Sequence[Method], now: datetime
) -> str:
    """The same person has logged in once more: the session lives on with a new secret, which is returned."""
    secret = _new_secret()
    login.secret_hash = _hash(ring, secret)
    login.methods = [str(method) for method in methods]
    login.authenticated_at = now
    login.last_seen_at = now
    return secret


async def find_session(
    session: AsyncSession, ring: KeyRing, secret: str | None, *, limits: SessionLimits, now: datetime
) -> LoginSession | None:
    """The living session of a cookie; notes that it is in use."""
    if not secret:
        return None
    login = await session.scalar(select(LoginSession).where(LoginSession.secret_hash == _hash(ring, secret)))
    if login is None or login.ended_at is not None:
        return None
    if now >= session_end(
        login.authenticated_at, login.last_seen_at, idle=limits.idle, longest=limits.longest
    ):
        return None
    await _note_use(session, login, now)
    return login


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
    if login.ended_at is not None or now >= login.authenticated_at + limits.longest:
        return False
    await _note_use(session, login, now)
    return True


async def end_session(
    session: AsyncSession, login_session_id: UUID, *, reason: SessionEndReason, now: datetime
) -> None:
    """Logs a browser out, and with it every client it was logged in to, except for offline access."""
    of_session = (Grant.login_session_id == login_session_id, ~Grant.is_offline)
    await _end_grants(session, *of_session, reason=reason, now=now)
    login = await session.get_one(LoginSession, login_session_id)
    if login.ended_at is None:
        login.ended_at = now


async def end_everything_of(
    session: AsyncSession, subject_id: UUID, *, reason: SessionEndReason, now: datetime
) -> None:
    """Ends all sessions and grants of a subject who may not be here any longer."""
    await _end_grants(session, Grant.subject_id == subject_id, reason=reason, now=now)
    logins = await session.scalars(
        select(LoginSession).where(LoginSession.account_id == subject_id, LoginSession.ended_at.is_(None))
    )
    for login in logins:
        login.ended_at = now


async def end_grant(session: AsyncSession, grant: Grant, *, reason: SessionEndReason, now: datetime) -> None:
    """Ends what one client was allowed; its access tokens are refused everywhere within a second."""
    if grant.ended_at is not None:
        return
    grant.ended_at = now
    grant.end_reason = reason
    ended = SessionEnded(session_id=grant.id, subject_id=grant.subject_id, reason=reason)
    await outbox.add(session, grant, ended, now=now)


async def _end_grants(
    session: AsyncSession, *which: ColumnElement[bool], reason: SessionEndReason, now: datetime
) -> None:
    grants = await session.scalars(
        select(Grant).where(*which, Grant.ended_at.is_(None)).order_by(Grant.id).with_for_update()
    )
    for grant in grants:
        await end_grant(session, grant, reason=reason, now=now)


async def find_grant(session: AsyncSession, grant_id: UUID) -> Grant | None:
    """A grant by the ``sid`` of a token."""
    return await session.get(Grant, grant_id)
