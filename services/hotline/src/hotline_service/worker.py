"""Everything the hotline listens to, and what it does by itself."""

from collections.abc import Sequence
from functools import partial
from typing import Any

from fastapi import FastAPI

from hotline_service.departments.models import Department
from hotline_service.settings import Settings
from hotline_service.tickets.handlers.recount import recount_deadlines
from service_common.app import Background
from service_common.clock import utc_now
from service_common.db import Database
from service_common.departments import departments_subscriber
from service_common.jobs import sweep_for_ever
from service_common.messaging import Subscriber
from service_common.work_calendar import calendar_subscriber


def subscribers(_app: FastAPI) -> Sequence[Subscriber[Any]]:
    """Who listens to what."""
    return (departments_subscriber("hotline", Department), calendar_subscriber("hotline"))


async def sweep(app: FastAPI) -> None:
    """Counts deadlines again after a holiday notice, for ever. Several workers may sweep at once."""
    settings: Settings = app.state.settings
    await sweep_for_ever(partial(sweep_once, app.state.database), every_seconds=settings.sweep_seconds)


async def sweep_once(database: Database) -> int:
    """One batch in a transaction of its own. Returns how many tickets were counted again."""
    async with database.sessions() as session, session.begin():
        return await recount_deadlines(session, now=utc_now())


background: Sequence[Background] = (sweep,)
