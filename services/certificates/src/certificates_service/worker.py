"""Everything the library listens to, and what it does by itself."""

import asyncio
from collections.abc import Sequence
from datetime import datetime, time, timedelta
from typing import Any

import structlog
from fastapi import FastAPI

from certificates_service.departments.models import Department
from certificates_service.licences.handlers.change import expire_overdue
from certificates_service.presentation.repository import forget_ended_codes
from certificates_service.presentation.subscribers import SUBSCRIBERS as PRESENTATION
from service_common.app import Background
from service_common.clock import SHANGHAI, local_date, utc_now
from service_common.db import Database, is_passing_fault
from service_common.departments import departments_subscriber
from service_common.messaging import Subscriber

logger = structlog.get_logger()

_BATCH = 200
_TRY_AGAIN_SECONDS = 60.0
# A little after midnight: the law's day has surely begun on every machine.
_NIGHTLY_AT = time(0, 5)


def subscribers(_app: FastAPI) -> Sequence[Subscriber[Any]]:
    """Who listens to what."""
    return (departments_subscriber("certificates", Department), *PRESENTATION)


async def nightly(app: FastAPI) -> None:
    """At start and after each midnight in Asia/Shanghai: expired licences are written down, old codes forgotten.

    Safe on several workers at once: each takes the rows that no other one holds.
    """
    database: Database = app.state.database
    while True:
        try:
            await run_nightly(database, now=utc_now())
        except Exception as error:
            if not is_passing_fault(error):
                raise
            logger.warning("nightly_put_off", error=type(error).__name__)
            await asyncio.sleep(_TRY_AGAIN_SECONDS)
            continue
        await asyncio.sleep(seconds_until_night(utc_now()))


async def run_nightly(database: Database, *, now: datetime) -> int:
    """Returns how many licences expired."""
    expired = 0
    while True:
        async with database.sessions() as session, session.begin():
            done = await expire_overdue(session, now=now, limit=_BATCH)
        expired += done
        if done < _BATCH:
            break
    async with database.sessions() as session, session.begin():
        await forget_ended_codes(session, now=now)
    if expired:
        logger.info("licences_expired", count=expired)
    return expired


def seconds_until_night(now: datetime) -> float:
    """Until the next run."""
    tonight = datetime.combine(local_date(now), _NIGHTLY_AT, SHANGHAI)
    return ((tonight if tonight > now else tonight + timedelta(days=1)) - now).total_seconds()


background: Sequence[Background] = (nightly,)
