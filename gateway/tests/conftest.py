"""The gateway's Python part on the real database and broker, with small real servers in the places of its peers."""

import asyncio
import base64
import contextlib
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import pytest
from fastapi import FastAPI
from pydantic import SecretStr

from gateway_service.app import MIGRATIONS, define_service
from gateway_service.settings import Settings
from lianban_local.testing.brokers import TestNats
from lianban_local.testing.databases import TestPostgres
from lianban_local.testing.services import LentDatabase, TestIssuer, one_life
from service_common.app import create_app
from service_common.db import Database
from service_common.migrations import migrate

DEPARTMENT = UUID("01930000-0000-7000-8000-0000000000d1")
OTHER_DEPARTMENT = UUID("01930000-0000-7000-8000-0000000000d2")


@dataclass
class Asked:
    """One request to a small server."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)


@dataclass
class Reply:
    """What a small server answers; ``None`` instead of it means: the connection is cut."""

    status: int = 200
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)


Behaviour = Callable[[Asked], Awaitable[Reply | None]]


@dataclass
class Peer:
    """A real HTTP server of a few lines, whose behaviour a test can change while it runs."""

    behaviour: Behaviour
    asked: list[Asked] = field(default_factory=list)
    port: int = 0
    _server: asyncio.Server | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def start(self) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        assert self._server
        self._server.close()
        await self._server.wait_closed()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        broken = (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError)
        with contextlib.suppress(*broken):
            asked = await _read(reader)
            self.asked.append(asked)
            reply = await self.behaviour(asked)
            if reply is not None:
                content = reply.body if isinstance(reply.body, bytes) else json.dumps(reply.body).encode()
                headers = {"content-length": str(len(content)), "connection": "close", **reply.headers}
                lines = [
                    f"HTTP/1.1 {reply.status} Answer",
                    *(f"{key}: {value}" for key, value in headers.items()),
                ]
                writer.write("\r\n".join(lines).encode() + b"\r\n\r\n" + content)
                await writer.drain()
        writer.close()


async def _read(reader: asyncio.StreamReader) -> Asked:
    head = await reader.readuntil(b"\r\n\r\n")
    first, *lines = head.decode("latin-1").split("\r\n")[:-2]
    method, path, _ = first.split(" ", 2)
    pairs = (line.split(":", 1) for line in lines)
    headers = {name.lower(): value.strip() for name, value in pairs}
    body = await reader.readexactly(int(headers.get("content-length", 0)))
    return Asked(method, path, headers, body)


StartPeer = Callable[[Behaviour], AbstractAsyncContextManager[Peer]]


@pytest.fixture
def start_peer() -> StartPeer:
    """``async with start_peer(behaviour) as peer``."""

    @asynccontextmanager
    async def start(behaviour: Behaviour) -> AsyncIterator[Peer]:
        peer = Peer(behaviour)
        await peer.start()
        try:
            yield peer
        finally:
            await peer.stop()

    return start


@pytest.fixture
def reply() -> type[Reply]:
    return Reply


@dataclass
class Services:
    """All services behind the gateway, played by one small server: answers by path, and what an answer waits for."""

    peer: Peer
    answers: dict[str, Reply]
    waits: dict[str, Callable[[], Awaitable[object]]]


@pytest.fixture
async def services(start_peer: StartPeer, issuer: TestIssuer) -> AsyncIterator[Services]:
    answers = {"/identity/jwks": Reply(body=issuer.jwks)}
    waits: dict[str, Callable[[], Awaitable[object]]] = {}

    async def answer(asked: Asked) -> Reply | None:
        path = asked.path.split("?")[0]
        if path in waits:
            await waits[path]()
        return answers.get(path, Reply(404, {"code": "not_found"}))

    async with start_peer(answer) as peer:
        yield Services(peer, answers, waits)


@pytest.fixture(scope="session")
def database_url(postgres: TestPostgres) -> str:
    return postgres.create_database("gateway", lambda url: migrate(url, MIGRATIONS))


@pytest.fixture(scope="session")
def common_settings(database_url: str, nats_server: TestNats) -> Settings:
    key = base64.b64encode(b"k" * 32).decode()
    url = "http://services.invalid"
    return Settings(
        database_url=SecretStr(database_url),
        nats_url=SecretStr(nats_server.url),
        issuer=TestIssuer.url,
        identity_url=url,
        acceptance_url=url,
        certificates_url=url,
        hotline_url=url,
        evaluation_url=url,
        data_keys=SecretStr(f"1:{key}"),
        index_key=SecretStr(key),
        public_origin="http://localhost",
        stream_max_bytes=64 * 1024**2,
        webhook_loopback_allowed=True,
    )


@pytest.fixture
async def settings(
    common_settings: Settings,
    postgres: TestPostgres,
    database_url: str,
    nats_server: TestNats,
    services: Services,
) -> Settings:
    """With the peers of this test, on an emptied database."""
    postgres.empty(database_url)
    await nats_server.clear()
    peers = ("identity", "acceptance", "certificates", "hotline", "evaluation")
    return common_settings.model_copy(update={f"{name}_url": services.peer.url for name in peers})


@pytest.fixture(scope="session")
async def pool(common_settings: Settings) -> AsyncIterator[LentDatabase]:
    """One for all tests of this worker."""
    database = Database.connect(common_settings)
    yield LentDatabase(database.engine, database.sessions)
    await database.close()


@pytest.fixture
async def app(settings: Settings, pool: LentDatabase) -> AsyncIterator[FastAPI]:
    """The API role; a test that needs the worker starts it itself."""
    app = create_app(define_service(settings), worker=False)
    async with one_life(app, pool):
        yield app


@pytest.fixture
def database(app: FastAPI) -> Database:
    database: Database = app.state.database
    return database


@pytest.fixture
def token(issuer: TestIssuer) -> Callable[..., str]:
    return partial(issuer.token, "gateway", scope="gateway:home.read")


@asynccontextmanager
async def _client(app: FastAPI, headers: dict[str, str]) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost", headers=headers) as client:
        yield client


@pytest.fixture
async def citizen(app: FastAPI, token: Callable[..., str]) -> AsyncIterator[httpx.AsyncClient]:
    async with _client(app, {"Authorization": f"Bearer {token()}"}) as client:
        yield client


@pytest.fixture
async def anybody(app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    async with _client(app, {}) as client:
        yield client


def _partner_token(token: Callable[..., str], department: UUID | None) -> str:
    return token(
        sub="approval-system",
        subject_type="client",
        client_id="approval-system",
        scope="gateway:webhooks.manage",
        department_id=str(department) if department else None,
    )


@pytest.fixture
async def partner(app: FastAPI, token: Callable[..., str]) -> AsyncIterator[httpx.AsyncClient]:
    """The system of DEPARTMENT."""
    async with _client(app, {"Authorization": f"Bearer {_partner_token(token, DEPARTMENT)}"}) as client:
        yield client


@pytest.fixture
async def other_partner(app: FastAPI, token: Callable[..., str]) -> AsyncIterator[httpx.AsyncClient]:
    """The system of another department."""
    async with _client(app, {"Authorization": f"Bearer {_partner_token(token, OTHER_DEPARTMENT)}"}) as client:
        yield client


@pytest.fixture
async def homeless(app: FastAPI, token: Callable[..., str]) -> AsyncIterator[httpx.AsyncClient]:
    """A client of no department."""
    async with _client(app, {"Authorization": f"Bearer {_partner_token(token, None)}"}) as client:
        yield client


@pytest.fixture
def department() -> UUID:
    return DEPARTMENT


@pytest.fixture
def samples() -> Path:
    """The saved sample of every event."""
    return Path(__file__).parents[2] / "tests" / "contracts" / "samples"
