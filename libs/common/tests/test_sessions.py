"""A log-out at identity is heard by every API process."""

import asyncio
import time
from collections.abc import Callable
from types import SimpleNamespace
from uuid import UUID

from fastapi import FastAPI

from service_common import outbox
from service_common.clock import utc_now
from service_common.contracts.identity import SessionEnded, SessionEndReason
from service_common.db import Database, new_id


class Session:
    def __init__(self) -> None:
        self.id = new_id()
        self.revision = 0


async def _end(database: Database, session_id: UUID) -> None:
    event = SessionEnded(session_id=session_id, subject_id=new_id(), reason=SessionEndReason.LOGOUT)
    async with database.sessions() as session, session.begin():
        await outbox.add(session, Session(), event, now=utc_now())


async def _wait_until_refused(app: FastAPI, session_id: UUID) -> float:
    began = time.monotonic()
    async with asyncio.timeout(15):
        while str(session_id) not in app.state.token_verifier._revoked:
            await asyncio.sleep(0.01)
    return time.monotonic() - began


async def test_a_session_ended_elsewhere_is_refused_within_a_second(
    toy: Callable[..., FastAPI], database: Database, jwks: SimpleNamespace
) -> None:
    sender, other = toy(worker=True), toy()
    async with sender.router.lifespan_context(sender), other.router.lifespan_context(other):
        warm_up, session_id = new_id(), new_id()
        await _end(database, warm_up)
        await _wait_until_refused(other, warm_up)
        await _end(database, session_id)
        assert await _wait_until_refused(other, session_id) < 1
    # A process that starts later hears what ended while its tokens could still be alive.
    late = toy()
    async with late.router.lifespan_context(late):
        await _wait_until_refused(late, session_id)
