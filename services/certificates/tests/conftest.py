"""The licence library on a real database and broker, with tokens signed by a test key."""

import base64
import json
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import pytest
from fastapi import FastAPI
from pydantic import SecretStr

from certificates_service.app import MIGRATIONS, define_service
from certificates_service.departments.models import Department
from certificates_service.settings import Settings
from certificates_service.types.handlers import import_types
from certificates_service.types.schemas import LicenceTypeFile
from lianban_local.testing.brokers import TestNats
from lianban_local.testing.databases import TestPostgres
from lianban_local.testing.services import LentDatabase, TestIssuer, one_life
from service_common.app import create_app, key_ring
from service_common.clock import utc_now
from service_common.crypto import KeyRing
from service_common.db import Database, new_id
from service_common.departments import DepartmentState, keep_departments
from service_common.migrations import migrate

ORIGIN = "http://localhost"
TYPES_FILE = Path(__file__).parents[3] / "data" / "licence_types.json"

BUSINESS = "11990000LB0000230M001"
HEALTH = "11990000LB0000177R001"
ID_CARD = "11100000000013127D001"

MARKET = DepartmentState(
    id=UUID("00000000-0000-7000-8000-0000000000a1"),
    uscc="11990000LB0000230M",
    name="示例市市场监督管理局",
    division="430300000000",
    active=True,
    revision=1,
)
POLICE = DepartmentState(
    id=UUID("00000000-0000-7000-8000-0000000000a2"),
    uscc="11990000LB0000417L",
    name="示例市公安局",
    division="430300000000",
    active=True,
    revision=1,
)
HOLDER = UUID("00000000-0000-7000-8000-0000000000b1")
OTHER_PERSON = UUID("00000000-0000-7000-8000-0000000000b2")
COMPANY = UUID("00000000-0000-7000-8000-0000000000c1")

ALL_SCOPES = " ".join(
    f"certificates:{name}"
    for name in (
        "licence-types.import",
        "licences.issue",
        "licences.read",
        "licences.manage",
        "licences.present",
        "licences.verify",
        "licences.share",
    )
)

Token = Callable[..., dict[str, str]]


@pytest.fixture(scope="session")
def database_url(postgres: TestPostgres) -> str:
    return postgres.create_database("certificates", lambda url: migrate(url, MIGRATIONS))


@pytest.fixture(scope="session")
def common_settings(database_url: str, nats_server: TestNats) -> Settings:
    key = base64.b64encode(b"k" * 32).decode()
    return Settings(
        database_url=SecretStr(database_url),
        nats_url=SecretStr(nats_server.url),
        issuer=TestIssuer.url,
        identity_url="http://identity.invalid",
        public_origin=ORIGIN,
        data_keys=SecretStr(f"1:{key}"),
        index_key=SecretStr(key),
        event_max_tries=3,
        stream_max_bytes=64 * 1024**2,
    )


@pytest.fixture
async def settings(
    common_settings: Settings, postgres: TestPostgres, database_url: str, nats_server: TestNats
) -> Settings:
    postgres.empty(database_url)
    await nats_server.clear()
    return common_settings


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
def empty_database(settings: Settings, pool: LentDatabase) -> Database:
    """Emptied, by ``settings``."""
    return pool


@pytest.fixture
async def database(empty_database: Database) -> Database:
    """With the real licence types and two departments."""
    file = LicenceTypeFile.model_validate_json(TYPES_FILE.read_bytes())
    async with empty_database.sessions() as session, session.begin():
        definitions = [row.definition() for row in file.licence_types]
        await import_types(session, definitions, kinds=file.kinds, now=utc_now())
        await keep_departments(session, Department, [MARKET, POLICE])
    return empty_database


@pytest.fixture
def token(issuer: TestIssuer) -> Token:
    """Headers of a caller: a person unless said otherwise, with every scope and a fresh Idempotency-Key."""

    def make(**claims: Any) -> dict[str, str]:
        asked = {
            "sub": str(HOLDER),
            "scope": ALL_SCOPES,
            "acr": "urn:lianban:loa:2",
            "sid": "00000000-0000-7000-8000-0000000000e1",
            **claims,
        }
        signed = issuer.token("certificates", **asked)
        return {"Authorization": f"Bearer {signed}", "Idempotency-Key": str(new_id())}

    return make


@pytest.fixture
def holder(token: Token) -> Callable[[], dict[str, str]]:
    return token


@pytest.fixture
def stranger(token: Token) -> Callable[[], dict[str, str]]:
    return lambda: token(sub=str(OTHER_PERSON))


@pytest.fixture
def agent(token: Token) -> Callable[[], dict[str, str]]:
    return lambda: token(sub=str(OTHER_PERSON), represents=[str(COMPANY)])


@pytest.fixture
def market(token: Token) -> Callable[[], dict[str, str]]:
    """The issuing department's own system."""
    return lambda: token(
        sub="market-system", subject_type="client", client_id="market-system", department_id=str(MARKET.id)
    )


@pytest.fixture
def police(token: Token) -> Callable[[], dict[str, str]]:
    """A clerk of another department."""
    return lambda: token(
        sub=str(UUID(int=0xD1)),
        subject_type="staff",
        department_id=str(POLICE.id),
        roles=["clerk", "approver"],
    )


@pytest.fixture
def platform(token: Token) -> Callable[[], dict[str, str]]:
    """Acceptance."""
    return lambda: token(sub="acceptance", subject_type="client", client_id="acceptance")


@pytest.fixture(scope="session")
def application(common_settings: Settings) -> FastAPI:
    """Built once: FastAPI makes what its routes need with the first request."""
    return create_app(define_service(common_settings), worker=False)


@pytest.fixture
async def app(application: FastAPI, database: Database, issuer: TestIssuer) -> AsyncIterator[FastAPI]:
    async with one_life(application, database):
        issuer.be_believed(application)
        yield application


@pytest.fixture
async def client(app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://t/certificates/v1") as client:
        yield client


@pytest.fixture
def business_order() -> Callable[..., dict[str, Any]]:
    """A business licence of a company, as JSON."""

    def make(**changes: Any) -> dict[str, Any]:
        return {
            "type_code": BUSINESS,
            "holder": {"kind": "LEGAL_PERSON", "id": str(COMPANY)},
            "case_id": None,
            "issuer_department_id": str(MARKET.id),
            "surface": {
                "统一社会信用代码": "91990101MA0000A19H",
                "名称": "试验田便利店有限公司",
                "法定代表人": "王小麦",
                "住所": "示例市示范区谷雨路1号",
            },
            "valid_from": "2026-01-01",
            "valid_until": None,
            "project_no": None,
            **changes,
        }

    return make


@pytest.fixture
def person_order(business_order: Callable[..., dict[str, Any]]) -> Callable[..., dict[str, Any]]:
    """An identity card of the holder."""

    def make(**changes: Any) -> dict[str, Any]:
        return business_order(
            **{
                "type_code": ID_CARD,
                "holder": {"kind": "NATURAL_PERSON", "id": str(HOLDER)},
                "issuer_department_id": str(POLICE.id),
                "surface": {
                    "姓名": "王小麦",
                    "公民身份号码": "990101199001010019",
                    "住址": "示例市示范区谷雨路1号",
                },
                **changes,
            }
        )

    return make


Issue = Callable[..., Any]


@pytest.fixture
def issue(client: httpx.AsyncClient, platform: Callable[[], dict[str, str]]) -> Issue:
    """Issues by the platform's service; returns the licence."""

    async def run(order: dict[str, Any]) -> dict[str, Any]:
        answer = await client.post("/licences", json=order, headers=platform())
        assert answer.status_code == 201, answer.text
        licence: dict[str, Any] = json.loads(answer.content)
        return licence

    return run
