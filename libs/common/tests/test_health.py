"""When a process says that it is ready: behind a migration, ahead of one, and without its broker."""

import asyncio
import re
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from types import SimpleNamespace

import asyncpg
import httpx
import pytest
from fastapi import FastAPI
from pydantic import SecretStr

from lianban_local import ports
from lianban_local.testing.brokers import TestNats
from service_common import app as app_module
from service_common import backlog, outbox
from service_common.clock import utc_now
from service_common.contracts.identity import PersonVerified
from service_common.db import new_id
from service_common.relay import _LEADER_LOCK
from service_common.revisions import carries
from service_common.settings import ServiceSettings
from service_common.telemetry import configure_telemetry

ALL_WELL = {"database": True, "migrations": True, "nats": True}


@asynccontextmanager
async def running(app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://t") as client,
    ):
        yield client


@pytest.mark.parametrize(
    ("revision", "head", "enough"),
    [
        (None, "0001", False),
        ("0001", "0002", False),
        ("0002", "0002", True),
        ("0010", "0009", True),
        ("abcdef", "0009", False),
    ],
)
def test_a_schema_that_is_ahead_is_enough(revision: str | None, head: str, enough: bool) -> None:
    assert carries(revision, head) is enough


async def test_an_api_is_ready_on_its_schema_and_on_a_later_one(client: httpx.AsyncClient) -> None:
    ready = await client.get("/health/ready")
    assert (ready.status_code, ready.json()) == (200, {"status": "ready", "checks": ALL_WELL})
    client.app.state.migration_head = "0000"  # type: ignore[attr-defined]
    assert (await client.get("/health/ready")).json() == {"status": "ready", "checks": ALL_WELL}


async def test_nobody_is_ready_on_an_earlier_schema(client: httpx.AsyncClient) -> None:
    client.app.state.migration_head = "9999"  # type: ignore[attr-defined]
    answer = await client.get("/health/ready")
    assert answer.status_code == 503
    assert answer.json() == {"status": "not_ready", "checks": ALL_WELL | {"migrations": False}}


@pytest.mark.parametrize(
    ("api", "worker", "status"), [(True, False, 200), (True, True, 200), (False, True, 503)]
)
async def test_the_broker_decides_for_a_worker_alone(
    toy: Callable[..., FastAPI], nats_server: TestNats, api: bool, worker: bool, status: int
) -> None:
    async with running(toy(api=api, worker=worker)) as client:
        assert (await client.get("/health/ready")).status_code == 200
        nats_server.server.kill()
        try:
            async with asyncio.timeout(60):
                while (answer := await client.get("/health/ready")).json()["checks"]["nats"]:
                    await asyncio.sleep(0.02)
        finally:
            nats_server.server.start()
            nats_server.server.wait_ready()
        assert (answer.status_code, answer.json()["checks"]) == (status, ALL_WELL | {"nats": False})


async def test_a_stop_while_the_broker_is_lost_is_a_clean_one(
    toy: Callable[..., FastAPI], nats_server: TestNats
) -> None:
    app = toy(worker=True)
    try:
        async with running(app):
            nats_server.server.kill()
            async with asyncio.timeout(60):
                while not app.state.nats.is_reconnecting:
                    await asyncio.sleep(0.01)
            # Something left to write, and nobody there to take it.
            await app.state.nats.publish("nowhere", b"x")
    finally:
        nats_server.server.start()
        nats_server.server.wait_ready()
    assert app.state.nats.is_closed


async def test_an_api_starts_while_the_broker_is_away(
    toy: Callable[..., FastAPI], settings: ServiceSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(app_module, "_BROKER_PATIENCE_SECONDS", 0.1)
    nobody = SecretStr(f"nats://127.0.0.1:{ports.choose()}")
    async with running(toy(settings=settings.model_copy(update={"nats_url": nobody}))) as client:
        answer = await client.get("/health/ready")
        assert (answer.status_code, answer.json()["checks"]["nats"]) == (200, False)
        assert (await client.get("/identity/v1/notes")).status_code == 200


async def test_a_worker_that_does_not_lead_tells_how_long_events_wait(
    toy: Callable[..., FastAPI],
    settings: ServiceSettings,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    configure_telemetry("identity", settings)
    monkeypatch.setattr(backlog, "_LOOK_EVERY_SECONDS", 0.05)
    hanging_leader = await asyncpg.connect(settings.database_url.get_secret_value())
    await hanging_leader.execute("SELECT pg_advisory_lock($1)", _LEADER_LOCK)
    app = toy(worker=True)
    async with running(app) as client:
        assert await _waiting_seconds(client) == 0
        async with app.state.database.sessions() as session, session.begin():
            thing = SimpleNamespace(id=new_id(), revision=0)
            await outbox.add(session, thing, PersonVerified(person_id=thing.id, level=1), now=utc_now())
        async with asyncio.timeout(60):
            while not await _waiting_seconds(client) > 0.1:
                await asyncio.sleep(0.05)
        await hanging_leader.close()
        async with asyncio.timeout(60):
            while await _waiting_seconds(client) > 0:
                await asyncio.sleep(0.05)


async def _waiting_seconds(client: httpx.AsyncClient) -> float:
    """What Prometheus would read: the metric of the alarm ``OutboxStuck``."""
    async with asyncio.timeout(60):
        while True:
            said = re.search(
                r"^outbox_oldest_unsent_seconds(?:{.*})? (.+)$",
                (await client.get("/metrics")).text,
                re.MULTILINE,
            )
            if said:
                return float(said[1])
            await asyncio.sleep(0.05)
