"""Acceptance's tests: a real database, rolled back after each test; the application without its broker; tokens.

``session`` is on an empty database, ``catalogue_session`` on one where the project's whole catalogue is published.
"""

import asyncio
import base64
import json
import time
import uuid
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from joserfc import jwt
from joserfc.jwk import ECKey, KeySet
from pydantic import SecretStr
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.pool import NullPool

from acceptance_service.app import MIGRATIONS, define_service
from acceptance_service.catalogue.domain import Action, ImportKind
from acceptance_service.catalogue.handlers.imports import import_file
from acceptance_service.catalogue.handlers.review import Decision, act_on_import
from acceptance_service.departments.domain import DepartmentState
from acceptance_service.departments.handlers import apply_departments
from acceptance_service.settings import Settings
from lianban_local.testing.databases import TestPostgres
from service_common.app import create_app
from service_common.db import Database, async_url
from service_common.migrations import migrate
from service_common.tokens import IssuerKeys, RevokedSessions, TokenVerifier

ISSUER = "http://localhost/identity"
CATALOGUE = Path(__file__).resolve().parents[3] / "data" / "catalogue"
# Sunday 22 November 2026, 09:00 in Shanghai.
NOW = datetime(2026, 11, 22, 1, 0, tzinfo=UTC)

FILES = (
    (ImportKind.DEPARTMENTS, "departments.json"),
    (ImportKind.SYNONYMS, "synonyms.csv"),
    (ImportKind.THEMES, "themes.csv"),
    (ImportKind.ITEMS, "items/guangan.jsonl"),
    (ImportKind.ITEMS, "items/hunan.jsonl"),
)


def department_id(code: str) -> uuid.UUID:
    """The id that identity would have given: the same in every test."""
    return uuid.uuid5(uuid.NAMESPACE_URL, code)


async def _load_catalogue(url: str) -> None:
    departments = json.loads((CATALOGUE / "departments.json").read_text())["departments"]
    states = [
        DepartmentState(
            department_id=department_id(one["code"]),
            uscc=one["uscc"],
            name=one["name"],
            short_name=one["name"],
            division=one["division"],
            parent_id=None,
            active=True,
            revision=1,
        )
        for one in departments
    ]
    files = [(kind, CATALOGUE / name) for kind, name in FILES]
    files += [(ImportKind.BUNDLE, path) for path in sorted((CATALOGUE / "bundles").glob("*.json"))]
    engine = create_async_engine(async_url(url), poolclass=NullPool)
    async with async_sessionmaker(engine)() as session, session.begin():
        await apply_departments(session, states)
        for kind, path in files:
            brought = await import_file(
                session, kind=kind, body=path.read_bytes(), operator="staff:editor", now=NOW
            )
            for action in (Action.SUBMIT_REVIEW, Action.APPROVE, Action.PUBLISH):
                operator = "staff:reviewer" if action is Action.APPROVE else "staff:editor"
                await act_on_import(session, brought.row.id, Decision(action, operator, None, NOW))
    await engine.dispose()


def _migrate_and_load(url: str) -> None:
    migrate(url, MIGRATIONS)
    asyncio.run(_load_catalogue(url))


@pytest.fixture(scope="session")
def database_url(postgres: TestPostgres) -> str:
    """Migrated and empty."""
    return postgres.create_database("acceptance", lambda url: migrate(url, MIGRATIONS))


@pytest.fixture(scope="session")
def catalogue_url(postgres: TestPostgres) -> str:
    """Migrated, with the whole catalogue published."""
    return postgres.create_database("acceptance_catalogue", _migrate_and_load)


async def _rolled_back(url: str) -> AsyncIterator[AsyncConnection]:
    engine = create_async_engine(async_url(url), poolclass=NullPool)
    async with engine.connect() as connection:
        transaction = await connection.begin()
        yield connection
        await transaction.rollback()
    await engine.dispose()


def _sessions(connection: AsyncConnection) -> "async_sessionmaker[AsyncSession]":
    return async_sessionmaker(connection, expire_on_commit=False, join_transaction_mode="create_savepoint")


@pytest.fixture
async def connection(database_url: str) -> AsyncIterator[AsyncConnection]:
    async for one in _rolled_back(database_url):
        yield one


@pytest.fixture
async def session(connection: AsyncConnection) -> AsyncIterator[AsyncSession]:
    async with _sessions(connection)() as session:
        yield session


@pytest.fixture
async def catalogue_connection(catalogue_url: str) -> AsyncIterator[AsyncConnection]:
    async for one in _rolled_back(catalogue_url):
        yield one


@pytest.fixture
async def catalogue_session(catalogue_connection: AsyncConnection) -> AsyncIterator[AsyncSession]:
    async with _sessions(catalogue_connection)() as session:
        yield session


@pytest.fixture(scope="session")
def signing_key() -> ECKey:
    return ECKey.generate_key("P-256", parameters={"kid": "k1", "alg": "ES256", "use": "sig"})


@pytest.fixture(scope="session")
def token(signing_key: ECKey) -> Callable[..., str]:
    """Access tokens as identity issues them; claims are given by name, ``scope`` as it stands in the token."""

    def make(**claims: Any) -> str:
        now = int(time.time())
        payload = {
            "iss": ISSUER,
            "aud": ["urn:lianban:acceptance"],
            "sub": "00000000-0000-7000-8000-000000000001",
            "subject_type": "person",
            "client_id": "app",
            "acr": "urn:lianban:loa:3",
            "exp": now + 300,
            "iat": now,
            **claims,
        }
        return jwt.encode({"alg": "ES256", "kid": signing_key.kid, "typ": "at+jwt"}, payload, signing_key)

    return make


@pytest.fixture(scope="session")
def settings() -> Settings:
    """The database is put in by the fixtures, and nothing in these tests talks to a broker."""
    key = base64.b64encode(b"k" * 32).decode()
    return Settings(
        database_url=SecretStr("postgresql://nobody@localhost:1/none"),
        nats_url=SecretStr("nats://localhost:1"),
        issuer=ISSUER,
        identity_url="http://identity.invalid",
        data_keys=SecretStr(f"1:{key}"),
        index_key=SecretStr(key),
    )


def _app_on(connection: AsyncConnection, settings: Settings, signing_key: ECKey) -> FastAPI:
    app = create_app(define_service(settings), worker=False)
    keys = KeySet([signing_key]).as_dict(private=False)
    http = httpx.AsyncClient(transport=httpx.MockTransport(lambda _: httpx.Response(200, json=keys)))
    app.state.database = Database(connection.engine, _sessions(connection))
    app.state.token_verifier = TokenVerifier(
        issuer=ISSUER,
        audience="urn:lianban:acceptance",
        keys=IssuerKeys("http://identity.invalid/identity/jwks", http),
        revoked=RevokedSessions(),
    )
    return app


def _client_of(app: FastAPI) -> httpx.AsyncClient:
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    return httpx.AsyncClient(transport=transport, base_url="http://acceptance")


@pytest.fixture
async def client(
    connection: AsyncConnection, settings: Settings, signing_key: ECKey
) -> AsyncIterator[httpx.AsyncClient]:
    """The application on the empty database; each request's transaction is a savepoint of the test's."""
    async with _client_of(_app_on(connection, settings, signing_key)) as client:
        yield client


@pytest.fixture
async def catalogue_client(
    catalogue_connection: AsyncConnection, settings: Settings, signing_key: ECKey
) -> AsyncIterator[httpx.AsyncClient]:
    """The application on the published catalogue."""
    async with _client_of(_app_on(catalogue_connection, settings, signing_key)) as client:
        yield client
