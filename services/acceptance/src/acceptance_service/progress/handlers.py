"""Use case: progress by query number and password."""

import hmac
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import case, delete, select, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from acceptance_service.applications.models import Application
from acceptance_service.cases.models import Case
from acceptance_service.cases.repository import cases_of
from acceptance_service.progress.domain import WINDOW, ProgressNotFound, blocked_seconds
from acceptance_service.progress.models import LookupFailures
from acceptance_service.submissions.handlers.submit import password_hash
from gov_rules.identifiers import InvalidIdentifier, parse_query_number
from service_common.crypto import KeyRing
from service_common.db import Database
from service_common.errors import TooMany

_COLUMN = "lookup_failures.number_hash"
_TURN = text("SELECT pg_advisory_xact_lock(:lock)")


@dataclass(frozen=True)
class Progress:
    """The little that is shown without login: no person, no form, no reason."""

    application: Application
    cases: Sequence[Case]


async def look_up_progress(
    database: Database, ring: KeyRing, query_number: str, password: str, *, now: datetime
) -> Progress:
    """Finds an application by the numbers on its receipt. Failures count in a transaction of their own.

    Raises: ProgressNotFound, TooMany.
    """
    try:
        number = parse_query_number(query_number)
    except InvalidIdentifier as error:
        raise ProgressNotFound from error
    async with database.sessions() as session, session.begin():
        await _need_open(session, ring, number, now)
        found = await _find(session, ring, number, password)
        if found is None:
            await _count_failure(session, ring, number, now)
    if found is None:
        raise ProgressNotFound
    return found


async def forget_old_failures(session: AsyncSession, *, now: datetime) -> None:
    """Windows that are over."""
    await session.execute(delete(LookupFailures).where(LookupFailures.window_started_at < now - WINDOW))


async def _find(session: AsyncSession, ring: KeyRing, number: str, password: str) -> Progress | None:
    application = await session.scalar(select(Application).where(Application.query_number == number))
    given = password_hash(ring, number, password)
    kept = application.query_password_hash if application else None
    # Compared also when there is no such number, so that the time tells nothing.
    if not hmac.compare_digest(given, kept or b"\x00" * 32) or application is None:
        return None
    return Progress(application, await cases_of(session, application.id))


async def _need_open(session: AsyncSession, ring: KeyRing, number: str, now: datetime) -> None:
    """Guesses at one number queue up, or all of a burst would be let in before the first one counts. Raises: TooMany."""
    index = ring.blind_index(number, column=_COLUMN)
    await session.execute(_TURN, {"lock": int.from_bytes(index[:8], "big", signed=True)})
    row = await session.get(LookupFailures, index)
    if row is not None:
        seconds = blocked_seconds(row.failures, row.window_started_at, now)
        if seconds:
            raise TooMany(retry_after=seconds)


async def _count_failure(session: AsyncSession, ring: KeyRing, number: str, now: datetime) -> None:
    over = LookupFailures.window_started_at < now - WINDOW
    await session.execute(
        insert(LookupFailures)
        .values(number_hash=ring.blind_index(number, column=_COLUMN), failures=1, window_started_at=now)
        .on_conflict_do_update(
            index_elements=["number_hash"],
            set_={
                "failures": case((over, 1), else_=LookupFailures.failures + 1),
                "window_started_at": case((over, now), else_=LookupFailures.window_started_at),
            },
        )
    )
