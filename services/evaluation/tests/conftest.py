"""Evaluation on the real database and broker, with tokens signed by a key of the test's own."""

import base64
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import httpx
import pytest
from fastapi import FastAPI
from pydantic import SecretStr
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from evaluation_service.app import MIGRATIONS, define_service
from evaluation_service.invitations.domain import Contact
from evaluation_service.invitations.handlers import invite
from evaluation_service.invitations.models import Invitation
from evaluation_service.rectifications.domain import RectificationLimits
from evaluation_service.settings import Settings
from lianban_local.testing.brokers import TestNats
from lianban_local.testing.databases import TestPostgres
from lianban_local.testing.services import TestIssuer
from service_common.app import create_app, key_ring
from service_common.auth import Caller
from service_common.contracts.evaluation import ContactKind
from service_common.crypto import KeyRing
from service_common.db import Database, new_id
from service_common.migrations import migrate

CITY = "430300000000"
MARKET = UUID("01930000-0000-7000-8000-000000000401")
HEALTH = UUID("01930000-0000-7000-8000-000000000402")


@dataclass(frozen=True)
class Cast:
    """Who plays in the tests, all invented; tests get it as the fixture ``cast``."""

    wang: Caller
    li: Caller
    market_clerk: Caller
    market_partner: Caller
    health_clerk: Caller
    supervisor: Caller
    far_supervisor: Caller
    market: UUID = MARKET
    health: UUID = HEALTH
    city: str = CITY
    monday: datetime = datetime(2026, 11, 23, 2, tzinfo=UTC)
    limits: RectificationLimits = field(default_factory=lambda: RectificationLimits(1, 3, 15))


def person(number: int) -> Caller:
    return Caller(f"01930000-0000-7000-8000-0000000005{number:02d}", "person", "app", frozenset())


def staff(number: int, department_id: UUID, role: str, division: str = CITY) -> Caller:
    return Caller(
        f"01930000-0000-7000-8000-0000000006{number:02d}",
        "staff",
        "desk",
        frozenset(),
        department_id=department_id,
        division=division,
        roles=frozenset({role}),
    )


CAST = Cast(
    wang=person(1),
    li=person(2),
    market_clerk=staff(1, MARKET, "clerk"),
    market_partner=Caller(
        "market-system", "client", "market-system", frozenset(), department_id=MARKET, division=CITY
    ),
    health_clerk=staff(2, HEALTH, "clerk"),
    supervisor=staff(3, new_id(), "supervisor"),
    far_supervisor=staff(4, new_id(), "supervisor", "430200000000"),
)


@pytest.fixture(scope="session")
def cast() -> Cast:
    return CAST


@pytest.fixture(scope="session")
def new_settings(postgres: TestPostgres, nats_server: TestNats) -> Callable[[], Settings]:
    """Settings with a fresh database each time."""
    key = base64.b64encode(b"e" * 32).decode()

    def make() -> Settings:
        url = postgres.create_database("evaluation", lambda url: migrate(url, MIGRATIONS))
        return Settings(
            database_url=SecretStr(url),
            nats_url=SecretStr(nats_server.url),
            issuer=TestIssuer.url,
            identity_url="http://identity.invalid",
            data_keys=SecretStr(f"1:{key}"),
            index_key=SecretStr(key),
            stream_max_bytes=64 * 1024**2,
        )

    return make


@pytest.fixture(scope="session")
def ring(new_settings: Callable[[], Settings]) -> KeyRing:
    return key_ring(new_settings())


@pytest.fixture(scope="session")
async def empty_database(new_settings: Callable[[], Settings]) -> AsyncIterator[Database]:
    """Nothing is ever committed here."""
    database = Database.connect(new_settings())
    yield database
    await database.close()


@pytest.fixture
async def database(new_settings: Callable[[], Settings]) -> AsyncIterator[Database]:
    """One of its own for a test that commits."""
    database = Database.connect(new_settings())
    yield database
    await database.close()


@pytest.fixture
async def session(empty_database: Database) -> AsyncIterator[AsyncSession]:
    """One transaction, rolled back."""
    async with empty_database.sessions() as session, session.begin() as transaction:
        yield session
        await transaction.rollback()


Invite = Callable[..., Any]


@pytest.fixture(scope="session")
def invite_to(ring: KeyRing) -> Invite:
    """Makes an invitation: ``await invite_to(session, caller, item_code=…)``."""

    async def make(
        session: AsyncSession,
        caller: Caller,
        *,
        department_id: UUID = MARKET,
        division: str = CITY,
        item_code: str | None = "XT-FOOD-LICENCE",
        contact_id: UUID | None = None,
        contact_no: int = 1,
        now: datetime = CAST.monday,
    ) -> Invitation:
        contact = Contact(
            kind=ContactKind.CASE,
            id=contact_id or new_id(),
            number=contact_no,
            reference="11990301MB0000017W30001310240002026112200001",
            department_id=department_id,
            division=division,
            item_code=item_code,
            item_name="食品经营许可",
        )
        await invite(session, ring, contact, person_id=caller.person_id, valid_days=10, now=now)
        found = await session.scalars(
            select(Invitation).where(Invitation.contact_id == contact.id, Invitation.contact_no == contact_no)
        )
        return found.one()

    return make


@pytest.fixture(scope="session")
async def app(new_settings: Callable[[], Settings], issuer: TestIssuer) -> AsyncIterator[FastAPI]:
    """The application on a database of its own."""
    app = create_app(define_service(new_settings()), worker=False)
    async with app.router.lifespan_context(app):
        issuer.be_believed(app)
        yield app


@pytest.fixture(scope="session")
async def http(app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    """As the edge reaches it."""
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://evaluation") as client:
        yield client


@pytest.fixture(scope="session")
def sign_in(issuer: TestIssuer) -> Callable[..., dict[str, str]]:
    """Headers of a caller with scopes: ``sign_in(cast.wang, "reviews.write")``."""

    def headers(caller: Caller, *scopes: str) -> dict[str, str]:
        token = issuer.token(
            "evaluation",
            sub=caller.subject_id,
            subject_type=caller.subject_type,
            client_id=caller.client_id,
            scope=" ".join(f"evaluation:{one}" for one in scopes),
            roles=sorted(caller.roles),
            department_id=str(caller.department_id) if caller.department_id else None,
            division=caller.division,
        )
        return {"Authorization": f"Bearer {token}"}

    return headers
