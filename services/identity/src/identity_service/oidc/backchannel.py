"""Telling clients of ended sessions (OpenID Connect Back-Channel Logout 1.0): noted with the event, sent by the worker."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from sqlalchemy import ColumnElement, delete, func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from identity_service.oidc.clients import find_client
from identity_service.oidc.domain import NoticeStatus, next_notice
from identity_service.oidc.models import LogoutNotice
from identity_service.oidc.provider import Work
from identity_service.oidc.subjects import subject_identifier
from identity_service.relying_parties.handlers import get_client
from identity_service.relying_parties.models import Client
from identity_service.sessions.models import Grant
from service_common.auth import Caller
from service_common.callouts import Answer
from service_common.db import new_id

FORM = "application/x-www-form-urlencoded"
LOGOUT_TOKEN_TYPE = "logout+jwt"  # noqa: S105 - Back-Channel Logout 1.0 §2.4
LOGOUT_EVENT = "http://schemas.openid.net/event/backchannel-logout"
_TOKEN_SECONDS = 120
# Longer than a try can take with everything around it: when this process dies in between, the notice is due again.
_LEASE = timedelta(seconds=60)
_KEPT = timedelta(days=30)


async def note_logouts(session: AsyncSession, which: ColumnElement[bool], *, now: datetime) -> None:
    """Puts a notice on its way for each of these grants whose client wants one. Once for each grant, however often called.

    A sitting for somebody else has no log-in of its own: its end logs nobody out.
    """
    wanted = await session.execute(
        select(Grant.id, Grant.client_id)
        .join(Client, Client.client_id == Grant.client_id)
        .where(
            which, Grant.sits_in_id.is_(None), Client.is_active, Client.backchannel_logout_uri.is_not(None)
        )
    )
    rows = [
        {
            "id": new_id(),
            "grant_id": grant_id,
            "client_id": client_id,
            "status": NoticeStatus.PENDING,
            "tries": 0,
            "next_try_at": now,
            "created_at": now,
        }
        for grant_id, client_id in wanted
    ]
    if rows:
        await session.execute(insert(LogoutNotice).values(rows).on_conflict_do_nothing())


@dataclass(frozen=True, slots=True)
class Try:
    """One claimed notice, with all that is needed to send it."""

    notice_id: UUID
    client_id: str
    tries: int
    url: str
    body: bytes = field(repr=False)


async def claim_due(work: Work, *, busy: Collection[str], each: int, most: int) -> Sequence[Try]:
    """Takes notices that are due, at most ``each`` of one client, none of the ``busy`` ones."""
    place = func.row_number().over(partition_by=LogoutNotice.client_id, order_by=LogoutNotice.next_try_at)
    due = (
        select(LogoutNotice.id, place.label("place"))
        .where(
            LogoutNotice.status == NoticeStatus.PENDING,
            LogoutNotice.next_try_at <= work.now,
            LogoutNotice.client_id.not_in(busy),
        )
        .subquery()
    )
    rows = await work.session.scalars(
        select(LogoutNotice)
        .where(
            LogoutNotice.id.in_(select(due.c.id).where(due.c.place <= each)),
            LogoutNotice.status == NoticeStatus.PENDING,
            LogoutNotice.next_try_at <= work.now,
        )
        .order_by(LogoutNotice.next_try_at)
        .limit(most)
        .with_for_update(skip_locked=True)
    )
    return [made for row in rows.all() if (made := await _prepare(work, row))]


async def _prepare(work: Work, notice: LogoutNotice) -> Try | None:
    """The request to send; a notice for a client that was stopped meanwhile is given up."""
    url = await work.session.scalar(
        select(Client.backchannel_logout_uri).where(Client.client_id == notice.client_id, Client.is_active)
    )
    if url is None:
        notice.status, notice.next_try_at, notice.error = NoticeStatus.FAILED, None, "client stopped"
        return None
    notice.tries += 1
    notice.next_try_at = work.now + _LEASE
    token = await logout_token(work, await work.session.get_one(Grant, notice.grant_id))
    body = urlencode({"logout_token": token}).encode()
    return Try(notice.id, notice.client_id, notice.tries, url, body)


async def logout_token(work: Work, grant: Grant) -> str:
    """Says that a session is over (§2.4). Each try has a ``jti`` of its own: to repeat a logout is no replay."""
    client = await find_client(work.session, work.ring, work.services, work.catalogue, grant.client_id)
    assert client is not None
    issued = int(work.now.timestamp())
    claims: dict[str, Any] = {
        "iss": work.settings.issuer,
        "sub": subject_identifier(work.ring, client, grant.subject_id),
        "aud": client.client_id,
        "iat": issued,
        "exp": issued + _TOKEN_SECONDS,
        "jti": str(new_id()),
        "sid": str(grant.id),
        "events": {LOGOUT_EVENT: {}},
    }
    return work.keys.sign(claims, kind=LOGOUT_TOKEN_TYPE, now=work.now, algorithm=client.id_token_algorithm)


async def record_answer(
    session: AsyncSession, one: Try, answer: Answer, *, now: datetime, chance: float
) -> NoticeStatus | None:
    """Writes down how a try ended and what follows; None when another try overtook it."""
    notice = await session.get(LogoutNotice, one.notice_id, with_for_update=True)
    if notice is None or notice.tries != one.tries or notice.status is not NoticeStatus.PENDING:
        return None
    notice.response_code, notice.error = answer.status, answer.error
    if answer.accepted:
        notice.status, notice.next_try_at, notice.delivered_at = NoticeStatus.DELIVERED, None, now
        return notice.status
    notice.next_try_at = next_notice(one.tries, now=now, chance=chance, retry_after=answer.retry_after)
    if notice.next_try_at is None:
        notice.status = NoticeStatus.FAILED
    return notice.status


async def list_notices(
    session: AsyncSession, caller: Caller, client_id: str, *, before: UUID | None, limit: int
) -> Sequence[LogoutNotice]:
    """What a client was told, newest first; one more than ``limit``. Raises: NoSuchClient."""
    await get_client(session, caller, client_id)
    query = select(LogoutNotice).where(LogoutNotice.client_id == client_id)
    if before is not None:
        query = query.where(LogoutNotice.id < before)
    return (await session.scalars(query.order_by(LogoutNotice.id.desc()).limit(limit + 1))).all()


async def prune_notices(session: AsyncSession, *, now: datetime) -> None:
    """Forgets what is told and old."""
    await session.execute(
        delete(LogoutNotice).where(
            LogoutNotice.created_at < now - _KEPT, LogoutNotice.status != NoticeStatus.PENDING
        )
    )
