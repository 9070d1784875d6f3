"""A service's application on a real database whose one transaction is never committed, with a verifier of its own."""

import base64
import importlib
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from fastapi.routing import iter_route_contexts
from joserfc.jwk import ECKey, KeySet
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, async_sessionmaker, create_async_engine
from sqlalchemy.pool import NullPool
from tests.guards.authorization.cast import ISSUER, Credentials

from lianban_local.deployables import DEPLOYABLES
from lianban_local.testing.brokers import TestNats
from lianban_local.testing.databases import TestPostgres
from service_common.app import create_app
from service_common.db import Database, async_url, new_id
from service_common.migrations import migrate
from service_common.tokens import IssuerKeys, TokenVerifier

SERVICES = {one.name: one for one in DEPLOYABLES}
_NOBODY = "http://127.0.0.1:1"


@dataclass(frozen=True)
class Objects:
    """Ids by the name of the path parameter; bodies and queries where the documented example is not about these objects.

    ``others``: ids of a route that is about another object of the same name.
    """

    ids: Mapping[str, str]
    bodies: Mapping[str, Any] = field(default_factory=dict)
    queries: Mapping[str, str] = field(default_factory=dict)
    others: Mapping[str, Mapping[str, str]] = field(default_factory=dict)


@dataclass(frozen=True)
class Room:
    """One service with everything that a request of the matrix needs."""

    name: str
    app: FastAPI
    http: httpx.AsyncClient
    connection: AsyncConnection
    tokens: Mapping[str, dict[str, str]]

    @property
    def routes(self) -> set[str]:
        """Every route as the table names it: ``GET /hotline/v1/tickets``."""
        return {
            f"{method} {context.path}"
            for context in iter_route_contexts(self.app.router.routes)
            for method in getattr(context, "methods", None) or {"MOUNT"}
        }

    async def ask(
        self, caller: str, method: str, path: str, *, json: Any = None, **headers: str
    ) -> httpx.Response:
        """A request as the app or system of this caller sends it: with a fresh key, and a tag for what is decided."""
        sent = {**self.tokens[caller], "Idempotency-Key": str(new_id()), "If-Match": '"1"', **headers}
        return await self.http.request(method, path, json=json, headers=sent)

    async def create(self, caller: str, path: str, body: Any) -> dict[str, Any]:
        """An object made by a caller who may."""
        answer = await self.ask(caller, "POST", path, json=body)
        assert answer.status_code == 201, answer.text
        made: dict[str, Any] = answer.json()
        return made

    async def furnish(self) -> Objects:
        """Makes the objects of this service's table."""
        module = importlib.import_module(f"tests.guards.authorization.objects.{self.name}")
        made: Objects = await module.furnish(self)
        return made

    async def effects(self) -> int:
        """How many events and lines of history there are: whoever is refused adds none."""
        tables = ["outbox", "timeline_entries"]
        there = await self.connection.scalars(
            text("SELECT relname FROM pg_class WHERE relkind = 'r' AND relname = ANY(:names)"),
            {"names": tables},
        )
        counts = " + ".join(f"(SELECT count(*) FROM {name})" for name in sorted(there))
        return int(await self.connection.scalar(text(f"SELECT {counts or 0}")) or 0)


@asynccontextmanager
async def open_room(
    name: str, postgres: TestPostgres, nats: TestNats, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Room]:
    """The API role of a service; each request's transaction is a savepoint of the room's."""
    deployable = SERVICES[name]
    url = postgres.create_database(name, lambda url: migrate(url, deployable.migrations))
    for variable, value in _environment(url, nats.url, folder).items():
        monkeypatch.setenv(deployable.prefix + variable, value)
    engine = create_async_engine(async_url(url), poolclass=NullPool)
    async with engine.connect() as connection:
        transaction = await connection.begin()
        sessions = async_sessionmaker(
            connection, expire_on_commit=False, join_transaction_mode="create_savepoint"
        )
        database = Database(engine, sessions)
        monkeypatch.setattr(Database, "connect", lambda _settings: database)
        app = create_app(importlib.import_module(f"{deployable.module}.app").define_service(), worker=False)
        key = ECKey.generate_key("P-256", parameters={"kid": "matrix", "alg": "ES256", "use": "sig"})
        transport = httpx.ASGITransport(app, raise_app_exceptions=False)
        async with (
            app.router.lifespan_context(app),
            httpx.AsyncClient(transport=httpx.ASGITransport(_issuer(key))) as issuer,
            httpx.AsyncClient(transport=transport, base_url="http://localhost") as http,
        ):
            app.state.token_verifier = TokenVerifier(
                issuer=ISSUER,
                audience=f"urn:lianban:{name}",
                keys=IssuerKeys("http://issuer/identity/jwks", issuer),
                revoked=app.state.revoked_sessions,
            )
            yield Room(name, app, http, connection, _Tokens(Credentials(key, name)))
        await transaction.rollback()
    await engine.dispose()


class _Tokens(dict[str, dict[str, str]]):
    """Signed once each."""

    def __init__(self, credentials: Credentials) -> None:
        super().__init__()
        self._credentials = credentials

    def __missing__(self, caller: str) -> dict[str, str]:
        self[caller] = self._credentials.of(caller)
        return self[caller]


def _issuer(key: ECKey) -> FastAPI:
    issuer = FastAPI()

    @issuer.get("/identity/jwks")
    async def keys() -> dict[str, Any]:
        return dict(KeySet([key]).as_dict(private=False))

    return issuer


def _environment(database_url: str, nats_url: str, folder: Path) -> dict[str, str]:
    key = base64.b64encode(b"m" * 32).decode()
    peers = {f"{one.upper()}_URL": _NOBODY for one in (*SERVICES, "authority")}
    return {
        "DATABASE_URL": database_url,
        "NATS_URL": nats_url,
        "STREAM_MAX_BYTES": str(64 * 1024**2),
        "ISSUER": ISSUER,
        "DATA_KEYS": f"1:{key}",
        "INDEX_KEY": key,
        "FILES_FOLDER": str(folder),
        "SMS_OUTBOX_FILE": str(folder / "sms.jsonl"),
        **peers,
    }
