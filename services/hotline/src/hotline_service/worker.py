"""Everything the hotline listens to, and what it does by itself."""

import asyncio
from collections.abc import Sequence
from typing import Any

import structlog
from fastapi import FastAPI

from hotline_service.departments.models import Department
from hotline_service.settings import Settings
from hotline_service.tickets.handlers.recount import recount_deadlines
from service_common.app import Background
from service_common.clock import utc_now
from service_common.db import Database, is_passing_fault
from service_common.departments import departments_subscriber
from service_common.messaging import Subscriber
from service_common.work_calendar import calendar_subscriber

logger = structlog.get_logger()


def subscribers(_app: FastAPI) -> Sequence[Subscriber[Any]]:
    """Who listens to what."""
    return (departments_subscriber("hotline", Department), calendar_subscriber("hotline"))


async def sweep(app: FastAPI) -> None:
    """Counts deadlines again after a holiday notice, for ever. Several workers may sweep at once."""
    settings: Settings = app.state.settings
    while True:
        try:
            while await sweep_once(app.state.database):
                pass
        except Exception as error:
            if not is_passing_fault(error):
                raise
            logger.warning("sweep_waits_for_database", error=type(error).__name__)
        await asyncio.sleep(settings.sweep_seconds)


async def sweep_once(database: Database) -> int:
    """One batch in a transaction of its own. Returns how many tickets were counted again."""
    async with database.sessions() as session, session.begin():
        return await recount_deadlines(session, now=utc_now())


background: Sequence[Background] = (sweep,)
