"""The timer of the service: looks at cases whose moment has come, recounts after a notice, sweeps what is left over.

One process leads, by an advisory lock; each case is looked at in a transaction of its own, so a crash loses nothing.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime, timedelta
from uuid import UUID

import structlog
from fastapi import FastAPI
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncSession

from acceptance_service.applications.handlers.drafts import give_up_drafts
from acceptance_service.files.handlers import FilePort, forget_orphans, unknown_objects
from acceptance_service.progress.handlers import forget_old_failures
from acceptance_service.supervision.handlers import (
    cases_on_older_calendars,
    cases_to_look_at,
    look_at_case,
    recount_deadlines,
)
from gov_rules.errors import RuleBroken
from service_common.clock import utc_now
from service_common.crypto import KeyRing
from service_common.db import Database
from service_common.errors import DomainError

logger = structlog.get_logger()

# Any constant: "one sweeper leads" within this service's own database.
_LEADER_LOCK = 7_210_101
_HOUSEKEEPING = timedelta(hours=1)
_OBJECT_AGE = timedelta(hours=24)


async def sweep_forever(app: FastAPI) -> None:
    """A background job of the worker: a lost database is waited for."""
    every = app.state.settings.sweep_seconds
    database: Database = app.state.database
    kept_house_at: datetime | None = None
    while True:
        try:
            now = utc_now()
            led = await sweep_if_leading(database, app.state.key_ring, now=now)
            if led and (kept_house_at is None or now - kept_house_at >= _HOUSEKEEPING):
                untouched = timedelta(days=app.state.settings.draft_days)
                await keep_house(database, app.state.files, untouched=untouched, now=now)
                kept_house_at = now
        except (DBAPIError, OSError) as error:
            logger.warning("sweeper_lost_database", error=type(error).__name__)
        await asyncio.sleep(every)


async def sweep_if_leading(database: Database, ring: KeyRing, *, now: datetime) -> bool:
    """One round, unless another process is at it. Returns whether this one led."""
    async with database.engine.connect() as connection:
        led = await connection.scalar(text("SELECT pg_try_advisory_lock(:lock)"), {"lock": _LEADER_LOCK})
        await connection.commit()
        if not led:
            return False
        try:
            await sweep(database, ring, now=now)
        finally:
            await connection.execute(text("SELECT pg_advisory_unlock(:lock)"), {"lock": _LEADER_LOCK})
            await connection.commit()
    return True


async def sweep(database: Database, ring: KeyRing, *, now: datetime) -> int:
    """Everything that is due now. Returns how many cases were looked at."""
    looked_at = 0
    while case_ids := await _stale(database):
        done = await _each(database, case_ids, lambda session, one: recount_deadlines(session, one, now=now))
        if done < len(case_ids):
            break
    while case_ids := await _due(database, now):
        looked_at += await _each(
            database, case_ids, lambda session, one: look_at_case(session, ring, one, now=now)
        )
    return looked_at


async def keep_house(database: Database, port: FilePort, *, untouched: timedelta, now: datetime) -> None:
    """Gives up drafts nobody touched for so long; forgets orphaned uploads, objects that a crash left behind, old failures."""
    async with database.sessions() as session, session.begin():
        await forget_old_failures(session, now=now)
    more = True
    while more:
        async with database.sessions() as session, session.begin():
            more = await give_up_drafts(session, untouched=untouched, now=now)
    more = True
    while more:
        async with database.sessions() as session, session.begin():
            unused, more = await forget_orphans(session, now=now)
        for key in unused:
            await port.store.delete(key)
    old = await port.store.keys_older_than((now - _OBJECT_AGE).timestamp())
    for start in range(0, len(old), 1000):
        async with database.sessions() as session:
            lost = await unknown_objects(session, old[start : start + 1000])
        for key in lost:
            await port.store.delete(key)


async def _due(database: Database, now: datetime) -> Sequence[UUID]:
    async with database.sessions() as session, session.begin():
        return await cases_to_look_at(session, now=now)


async def _stale(database: Database) -> Sequence[UUID]:
    async with database.sessions() as session:
        return await cases_on_older_calendars(session)


async def _each(
    database: Database,
    case_ids: Sequence[UUID],
    act: Callable[[AsyncSession, UUID], Awaitable[None]],
) -> int:
    done = 0
    for case_id in case_ids:
        try:
            async with database.sessions() as session, session.begin():
                await act(session, case_id)
            done += 1
        except (DBAPIError, DomainError, RuleBroken):
            logger.exception("sweep_failed", case_id=str(case_id))
    return done
