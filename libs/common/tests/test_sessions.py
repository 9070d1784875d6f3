"""A log-out at identity is heard by every API process."""

import asyncio
import time
from collections.abc import Callable
from uuid import UUID

import nats
import pytest
from fastapi import FastAPI

from lianban_local.testing.brokers import TestNats
from service_common import outbox, relay
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
    async with asyncio.timeout(60):
        while str(session_id) not in app.state.token_verifier._revoked:
            await asyncio.sleep(0.01)
    return time.monotonic() - began


async def test_a_session_ended_elsewhere_is_refused_within_a_second(
    toy: Callable[..., FastAPI], database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Told, not found by looking again. Three tries: a busy machine can take a second from us, but not each time."""
    monkeypatch.setattr(relay, "_LOOK_AGAIN_SECONDS", 3600.0)
    sender, other = toy(worker=True), toy()
    async with sender.router.lifespan_context(sender), other.router.lifespan_context(other):
        await _end(database, warm_up := new_id())
        await _wait_until_refused(other, warm_up)
        waited: list[float] = []
        while len(waited) < 3 and min(waited, default=1) >= 1:
            await _end(database, session_id := new_id())
            waited.append(await _wait_until_refused(other, session_id))
        assert min(waited) < 1, waited
    # A process that starts later has heard what ended while its tokens could still be alive before it answers anybody.
    late = toy()
    async with late.router.lifespan_context(late):
        assert str(session_id) in late.state.token_verifier._revoked


async def test_an_api_whose_broker_was_killed_hears_of_ended_sessions_again(
    toy: Callable[..., FastAPI], database: Database, nats_server: TestNats
) -> None:
    """Its consumer died with the broker, which tells nobody."""
    app = toy(worker=True)
    async with app.router.lifespan_context(app):
        await _end(database, before := new_id())
        await _wait_until_refused(app, before)
        nats_server.server.kill()
        nats_server.server.start()
        nats_server.server.wait_ready()
        await _end(database, after := new_id())
        await _wait_until_refused(app, after)


async def test_an_api_whose_consumer_is_lost_hears_of_ended_sessions_again(
    toy: Callable[..., FastAPI], database: Database, nats_server: TestNats
) -> None:
    """It lives on one server of a cluster: when that dies, the connection to another one does not break."""
    app = toy(worker=True)
    async with app.router.lifespan_context(app):
        await _end(database, before := new_id())
        await _wait_until_refused(app, before)
        client = await nats.connect(nats_server.url)
        jetstream = client.jetstream()
        for consumer in await jetstream.consumers_info("IDENTITY"):
            await jetstream.delete_consumer("IDENTITY", consumer.name)
        await client.close()
        await _end(database, after := new_id())
        await _wait_until_refused(app, after)
