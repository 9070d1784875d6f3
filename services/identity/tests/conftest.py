"""Identity on a real database and broker, with the real register of the demo population behind its adapter."""

import base64
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from pathlib import Path

import httpx
import pytest
from argon2 import PasswordHasher
from fastapi import FastAPI
from pydantic import SecretStr
from services.identity.tests.factories import Population, Tokens

from identity_service.accounts import passwords
from identity_service.app import MIGRATIONS, define_service
from identity_service.clients.authority import Authority
from identity_service.db import Transactions, transactions_of
from identity_service.settings import Settings
from lianban_local.authority.app import app as register
from lianban_local.testing.brokers import TestNats
from lianban_local.testing.databases import TestPostgres
from lianban_local.testing.services import LentDatabase, one_life
from service_common.app import create_app, key_ring
from service_common.clock import utc_now
from service_common.crypto import KeyRing
from service_common.db import Database
from service_common.migrations import migrate

ISSUER = "http://localhost/identity"


class Clock:
    """The time that routes are told; moved by hand."""

    def __init__(self) -> None:
        self._ahead = timedelta()
        self._stands_at: datetime | None = None

    def now(self) -> datetime:
        return (self._stands_at or utc_now()) + self._ahead

    def stand_still(self) -> None:
        """From now on it is moved by hand alone."""
        self._stands_at = utc_now()

    def pass_(self, **delta: float) -> None:
        self._ahead += timedelta(**delta)


_QUICK = PasswordHasher(time_cost=1, memory_cost=64, parallelism=1)
_QUICK_NOBODY = _QUICK.hash("nobody")


@pytest.fixture
def real_hash_cost() -> None:
    """For a test that is about the cost of a password's hash."""


@pytest.fixture(autouse=True)
def quick_hashes(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same Argon2id with little memory and one pass, unless the test asks for ``real_hash_cost``.

    Hundreds of log-ins at the real cost were a quarter of what all tests of identity compute.
    """
    if "real_hash_cost" not in request.fixturenames:
        monkeypatch.setattr(passwords, "_hasher", _QUICK)
        monkeypatch.setattr(passwords, "_NOBODY", _QUICK_NOBODY)


@pytest.fixture(scope="session")
def database_url(postgres: TestPostgres) -> str:
    """One database for all tests of this worker: several hundred clones would fill a small disk."""
    return postgres.create_database("identity", lambda url: migrate(url, MIGRATIONS))


@pytest.fixture(scope="session")
def common_settings(database_url: str, nats_server: TestNats) -> Settings:
    key = base64.b64encode(b"k" * 32).decode()
    return Settings(
        database_url=SecretStr(database_url),
        nats_url=SecretStr(nats_server.url),
        issuer=ISSUER,
        identity_url="http://identity.invalid",
        authority_url="http://register",
        data_keys=SecretStr(f"1:{key}"),
        index_key=SecretStr(key),
        allow_fixture_identities=True,
        further_id_token_algorithms=frozenset(),  # making an RSA key takes longer than most tests
        representative_least_level=2,
        delegation_least_level=2,  # that of the people of the register
        event_max_tries=3,
        stream_max_bytes=64 * 1024**2,
    )


@pytest.fixture
async def settings(
    common_settings: Settings,
    postgres: TestPostgres,
    database_url: str,
    nats_server: TestNats,
    tmp_path: Path,
) -> Settings:
    postgres.empty(database_url)
    await nats_server.clear()
    return common_settings.model_copy(update={"sms_outbox_file": tmp_path / "sms.jsonl"})


@pytest.fixture
def ring(settings: Settings) -> KeyRing:
    return key_ring(settings)


@pytest.fixture(scope="session")
async def pool(common_settings: Settings) -> AsyncIterator[LentDatabase]:
    """One for all tests of this worker."""
    database = Database.connect(common_settings)
    yield LentDatabase(database.engine, database.sessions)
    await database.close()


@pytest.fixture
def database(settings: Settings, pool: LentDatabase) -> Database:
    """Emptied, by ``settings``."""
    return pool


@pytest.fixture
def transactions(database: Database) -> Transactions:
    return transactions_of(database)


@pytest.fixture
async def authority() -> AsyncIterator[Authority]:
    """The register itself, called in this process."""
    async with httpx.AsyncClient(transport=httpx.ASGITransport(register)) as http:
        yield Authority("http://register", http)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture(scope="session")
def application(common_settings: Settings) -> FastAPI:
    """Built once: FastAPI makes what its routes need with the first request, which takes longer than most tests."""
    return create_app(define_service(common_settings), worker=False)


@pytest.fixture
async def app(
    application: FastAPI,
    settings: Settings,
    authority: Authority,
    clock: Clock,
    pool: LentDatabase,
) -> AsyncIterator[FastAPI]:
    application.state.settings = settings
    application.state.now = clock.now
    async with one_life(application, pool):
        application.state.authority = authority
        yield application


@pytest.fixture
def still_clock(clock: Clock) -> None:
    """For a test of waits: a slow machine would serve some of them while it works.

    Not for one that asks for tokens: the key that signs them would be of a later moment.
    """
    clock.stand_still()


@pytest.fixture
async def client(app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    """A browser or a program: keeps its cookies."""
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
        yield client


@pytest.fixture
def population(transactions: Transactions, ring: KeyRing, authority: Authority, clock: Clock) -> Population:
    """Makes persons, staff and clients the way the product does."""
    return Population(transactions, ring, authority, clock.now)


@pytest.fixture
async def tokens(app: FastAPI) -> Tokens:
    """Access tokens of any caller, signed with the key of this identity."""
    return Tokens(await app.state.signing_keys.current(), ISSUER)
