"""The hotline on the real database and broker, with tokens signed by a key of the test's own."""

import base64
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

import httpx
import pytest
from fastapi import FastAPI
from pydantic import SecretStr
from sqlalchemy.ext.asyncio import AsyncSession

from hotline_service.app import MIGRATIONS, define_service
from hotline_service.departments.models import Department
from hotline_service.settings import Settings
from hotline_service.suggestions.classifier import load_classifier
from hotline_service.suggestions.domain import Classifier, DutyList
from hotline_service.suggestions.duties import load_duty_list
from hotline_service.tickets.clocks import load_clock_table
from hotline_service.tickets.domain import ClockTable
from lianban_local.testing.brokers import TestNats
from lianban_local.testing.databases import TestPostgres
from lianban_local.testing.services import TestIssuer
from service_common.app import create_app, key_ring
from service_common.auth import Caller
from service_common.crypto import KeyRing
from service_common.db import Database
from service_common.departments import DepartmentState, keep_departments
from service_common.migrations import migrate

CITY = "430300000000"
DISTRICT = "430304000000"

WANG = UUID("01930000-0000-7000-8000-000000000101")
LI = UUID("01930000-0000-7000-8000-000000000102")
CENTRE = UUID("01930000-0000-7000-8000-000000000201")
HOUSING = UUID("01930000-0000-7000-8000-000000000202")
URBAN = UUID("01930000-0000-7000-8000-000000000203")
ELSEWHERE = UUID("01930000-0000-7000-8000-000000000204")
# A Sunday in Shanghai, and the Monday after it at ten.
SUNDAY = datetime(2026, 11, 22, 8, tzinfo=UTC)
MONDAY = datetime(2026, 11, 23, 2, tzinfo=UTC)


def department(department_id: UUID, name: str, short_name: str, division: str) -> DepartmentState:
    return DepartmentState(department_id, "11990301MB0000017W", name, division, short_name=short_name)


DEPARTMENTS = (
    department(CENTRE, "湘潭市12345热线中心", "热线中心", CITY),
    department(HOUSING, "湘潭市住房和城乡建设局", "市住建局", CITY),
    department(URBAN, "岳塘区城市管理和综合执法局", "区城管局", DISTRICT),
    department(ELSEWHERE, "株洲市住房和城乡建设局", "市住建局", "430200000000"),
)


@dataclass(frozen=True)
class Cast:
    """Who plays in the tests, all invented; tests get it as the fixture ``cast``."""

    wang: Caller
    li: Caller
    agent: Caller
    other_agent: Caller
    far_agent: Caller
    supervisor: Caller
    housing_clerk: Caller
    urban_clerk: Caller
    urban_partner: Caller
    centre: UUID = CENTRE
    housing: UUID = HOUSING
    urban: UUID = URBAN
    elsewhere: UUID = ELSEWHERE
    city: str = CITY
    district: str = DISTRICT
    sunday: datetime = SUNDAY
    monday: datetime = MONDAY


def person(person_id: UUID) -> Caller:
    return Caller(str(person_id), "person", "app", frozenset())


def staff(number: int, department_id: UUID, *roles: str, division: str = CITY) -> Caller:
    return Caller(
        f"01930000-0000-7000-8000-0000000003{number:02d}",
        "staff",
        "desk",
        frozenset(),
        department_id=department_id,
        division=division,
        roles=frozenset(roles),
    )


CAST = Cast(
    wang=person(WANG),
    li=person(LI),
    agent=staff(1, CENTRE, "hotline_agent"),
    other_agent=staff(2, CENTRE, "hotline_agent"),
    far_agent=staff(3, ELSEWHERE, "hotline_agent", division="430200000000"),
    supervisor=staff(4, CENTRE, "supervisor"),
    housing_clerk=staff(5, HOUSING, "clerk"),
    urban_clerk=staff(6, URBAN, "clerk", division=DISTRICT),
    urban_partner=Caller(
        "urban-system", "client", "urban-system", frozenset(), department_id=URBAN, division=DISTRICT
    ),
)


@pytest.fixture(scope="session")
def cast() -> Cast:
    return CAST


@pytest.fixture(scope="session")
def classifier() -> Classifier:
    return load_classifier(Settings.model_fields["classifier_file"].default)


@pytest.fixture(scope="session")
def duty_list() -> DutyList:
    return load_duty_list(Settings.model_fields["duty_list_file"].default)


@pytest.fixture(scope="session")
def clocks() -> ClockTable:
    return load_clock_table(Settings.model_fields["clocks_file"].default)


@pytest.fixture(scope="session")
def new_settings(postgres: TestPostgres, nats_server: TestNats) -> Callable[[], Settings]:
    """Settings with a fresh database each time."""
    key = base64.b64encode(b"h" * 32).decode()

    def make() -> Settings:
        url = postgres.create_database("hotline", lambda url: migrate(url, MIGRATIONS))
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


async def know_departments(database: Database) -> None:
    async with database.sessions() as session, session.begin():
        await keep_departments(session, Department, DEPARTMENTS)


@pytest.fixture(scope="session")
async def quiet_database(new_settings: Callable[[], Settings]) -> AsyncIterator[Database]:
    """Knows the departments; nothing else is ever committed here."""
    database = Database.connect(new_settings())
    await know_departments(database)
    yield database
    await database.close()


@pytest.fixture
async def database(new_settings: Callable[[], Settings]) -> AsyncIterator[Database]:
    """One of its own for a test that commits."""
    database = Database.connect(new_settings())
    await know_departments(database)
    yield database
    await database.close()


@pytest.fixture
async def session(quiet_database: Database) -> AsyncIterator[AsyncSession]:
    """One transaction, rolled back."""
    async with quiet_database.sessions() as session, session.begin() as transaction:
        yield session
        await transaction.rollback()


@pytest.fixture(scope="session")
async def app(new_settings: Callable[[], Settings], issuer: TestIssuer) -> AsyncIterator[FastAPI]:
    """The application on a database of its own."""
    app = create_app(define_service(new_settings()), worker=False)
    async with app.router.lifespan_context(app):
        issuer.be_believed(app)
        await know_departments(app.state.database)
        yield app


@pytest.fixture(scope="session")
async def http(app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    """As the edge reaches it."""
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://hotline") as client:
        yield client


SignIn = Callable[..., dict[str, str]]


@pytest.fixture(scope="session")
def sign_in(issuer: TestIssuer) -> SignIn:
    """Headers of a caller with scopes: ``sign_in(cast.agent, "dispatch")``."""

    def headers(caller: Caller, *scopes: str) -> dict[str, str]:
        token = issuer.token(
            "hotline",
            sub=caller.subject_id,
            subject_type=caller.subject_type,
            client_id=caller.client_id,
            scope=" ".join(f"hotline:tickets.{one}" for one in scopes),
            roles=sorted(caller.roles),
            department_id=str(caller.department_id) if caller.department_id else None,
            division=caller.division,
        )
        return {"Authorization": f"Bearer {token}"}

    return headers
