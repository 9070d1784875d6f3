"""Everything evaluation listens to, and what it does by itself."""

from collections.abc import Sequence
from functools import partial
from typing import Any

from fastapi import FastAPI

from evaluation_service.invitations.handlers import expire_invitations, invite_late
from evaluation_service.invitations.subscribers import invitation_subscribers
from evaluation_service.legal_persons.subscribers import SUBSCRIBERS as LEGAL_PERSONS
from evaluation_service.rectifications.handlers.overdue import mark_overdue
from evaluation_service.rectifications.handlers.recount import recount_deadlines
from evaluation_service.settings import Settings
from service_common.app import Background
from service_common.clock import utc_now
from service_common.crypto import KeyRing
from service_common.db import Database
from service_common.jobs import sweep_for_ever
from service_common.messaging import Subscriber
from service_common.work_calendar import calendar_subscriber


def subscribers(app: FastAPI) -> Sequence[Subscriber[Any]]:
    """Who listens to what."""
    settings: Settings = app.state.settings
    return (
        *LEGAL_PERSONS,
        *invitation_subscribers(app.state.key_ring, valid_days=settings.invitation_days),
        calendar_subscriber("evaluation"),
    )


async def sweep(app: FastAPI) -> None:
    """Invites late, closes the window of invitations, counts limits again and marks missed ones, for ever. Several workers may sweep at once."""
    settings: Settings = app.state.settings
    once = partial(sweep_once, app.state.database, app.state.key_ring, valid_days=settings.invitation_days)
    await sweep_for_ever(once, every_seconds=settings.sweep_seconds)


async def sweep_once(database: Database, ring: KeyRing, *, valid_days: int) -> int:
    """One batch of each kind, each in a transaction of its own. Returns how many rows were due."""
    async with database.sessions() as session, session.begin():
        invited = await invite_late(session, ring, valid_days=valid_days, now=utc_now())
    async with database.sessions() as session, session.begin():
        expired = await expire_invitations(session, now=utc_now())
    # First, so that nothing is marked by a limit that a newer calendar has moved.
    async with database.sessions() as session, session.begin():
        recounted = await recount_deadlines(session, now=utc_now())
    async with database.sessions() as session, session.begin():
        late = await mark_overdue(session, now=utc_now())
    return invited + expired + recounted + late


background: Sequence[Background] = (sweep,)
