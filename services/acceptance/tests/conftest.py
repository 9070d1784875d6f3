"""Acceptance's tests: a real database, rolled back after each test; the application without its broker; tokens.

``session`` is on an empty database, ``catalogue_session`` on one where the project's whole catalogue is published.
"""

import asyncio
import base64
import json
import re
import uuid
from collections.abc import AsyncIterator, Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import cache, partial
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from pydantic import SecretStr
from sqlalchemy import select
from sqlalchemy.ext.asyncio import (
    AsyncConnection,
    AsyncEngine,
    AsyncSession,
    async_sessionmaker,
    create_async_engine,
)
from sqlalchemy.pool import NullPool

from acceptance_service.app import MIGRATIONS, define_service
from acceptance_service.applications.domain import Provision
from acceptance_service.applications.handlers import drafts, materials
from acceptance_service.applications.models import Application
from acceptance_service.applications.verified_values import LOCKED, locked_fields
from acceptance_service.bundles.domain import Necessity, Plan, SatisfactionKind
from acceptance_service.cases.handlers import deciding, intake
from acceptance_service.cases.models import Case
from acceptance_service.catalogue.domain import Action, ImportKind
from acceptance_service.catalogue.handlers.imports import import_file
from acceptance_service.catalogue.handlers.review import Decision, act_on_import
from acceptance_service.clients.certificates import LicenceOrder, SurfaceField
from acceptance_service.clients.identity import Profile
from acceptance_service.departments.models import Department, StaffMember
from acceptance_service.files import handlers as files
from acceptance_service.files.handlers import FilePort
from acceptance_service.files.scanner import NoScanner
from acceptance_service.files.storage import FolderStore
from acceptance_service.numbering.handlers import Serials
from acceptance_service.settings import Settings
from acceptance_service.submissions.handlers.submit import Receipt, submit_application
from lianban_local.testing.databases import TestPostgres
from lianban_local.testing.services import TestIssuer
from service_common import timeline
from service_common.app import _now as current_instant
from service_common.app import create_app
from service_common.auth import Caller
from service_common.contracts.acceptance import HolderKind, Outcome
from service_common.crypto import KeyRing
from service_common.db import Database, async_url
from service_common.departments import DepartmentState, StaffState, keep_departments, keep_staff
from service_common.http import PeerUnavailable
from service_common.migrations import migrate
from service_common.tables import outbox as outbox_table
from service_common.tokens import IssuerKeys, RevokedSessions, TokenVerifier

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


@pytest.fixture(scope="session")
def department_of() -> Callable[[str], uuid.UUID]:
    """The id behind a department code in the loaded catalogue."""
    return department_id


async def _load_catalogue(url: str) -> None:
    departments = json.loads((CATALOGUE / "departments.json").read_text())["departments"]
    states = [
        DepartmentState(
            id=department_id(one["code"]),
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
        await keep_departments(session, Department, states)
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


async def _opened(url: str) -> AsyncIterator[AsyncEngine]:
    """For all tests of this worker: a new engine would compile every statement again."""
    engine = create_async_engine(async_url(url))
    yield engine
    await engine.dispose()


@pytest.fixture(scope="session")
async def engine(database_url: str) -> AsyncIterator[AsyncEngine]:
    async for one in _opened(database_url):
        yield one


@pytest.fixture(scope="session")
async def catalogue_engine(catalogue_url: str) -> AsyncIterator[AsyncEngine]:
    async for one in _opened(catalogue_url):
        yield one


async def _rolled_back(engine: AsyncEngine) -> AsyncIterator[AsyncConnection]:
    async with engine.connect() as connection:
        transaction = await connection.begin()
        yield connection
        await transaction.rollback()


def _sessions(connection: AsyncConnection) -> "async_sessionmaker[AsyncSession]":
    return async_sessionmaker(connection, expire_on_commit=False, join_transaction_mode="create_savepoint")


@pytest.fixture
async def connection(engine: AsyncEngine) -> AsyncIterator[AsyncConnection]:
    async for one in _rolled_back(engine):
        yield one


@pytest.fixture
async def session(connection: AsyncConnection) -> AsyncIterator[AsyncSession]:
    async with _sessions(connection)() as session:
        yield session


@pytest.fixture
async def catalogue_connection(catalogue_engine: AsyncEngine) -> AsyncIterator[AsyncConnection]:
    async for one in _rolled_back(catalogue_engine):
        yield one


@pytest.fixture
async def catalogue_session(catalogue_connection: AsyncConnection) -> AsyncIterator[AsyncSession]:
    async with _sessions(catalogue_connection)() as session:
        yield session


@pytest.fixture(scope="session")
def token(issuer: TestIssuer) -> Callable[..., str]:
    """Access tokens as identity issues them; claims are given by name, ``scope`` as it stands in the token."""
    return partial(issuer.token, "acceptance", acr="urn:lianban:loa:3")


@pytest.fixture(scope="session")
def settings() -> Settings:
    """The database is put in by the fixtures, and nothing in these tests talks to a broker."""
    key = base64.b64encode(b"k" * 32).decode()
    return Settings(
        database_url=SecretStr("postgresql://nobody@localhost:1/none"),
        nats_url=SecretStr("nats://localhost:1"),
        issuer=TestIssuer.url,
        identity_url="http://identity.invalid",
        data_keys=SecretStr(f"1:{key}"),
        index_key=SecretStr(key),
    )


@pytest.fixture(scope="session")
def applications(settings: Settings) -> Callable[[str], FastAPI]:
    """Built once for each use: FastAPI makes what its routes need with the first request."""
    return cache(lambda _use: create_app(define_service(settings), worker=False))


@contextmanager
def _on(app: FastAPI, connection: AsyncConnection, issuer: TestIssuer) -> Iterator[FastAPI]:
    """For one test: what it sets on the state or overrides, the next does not find."""
    state = dict(app.state._state)
    app.state.database = Database(connection.engine, _sessions(connection))
    app.state.token_verifier = TokenVerifier(
        issuer=issuer.url,
        audience="urn:lianban:acceptance",
        keys=IssuerKeys(f"{issuer.url}/jwks", issuer.http()),
        revoked=RevokedSessions(),
    )
    yield app
    app.state._state = state
    app.dependency_overrides = {}


def _client_of(app: FastAPI) -> httpx.AsyncClient:
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    return httpx.AsyncClient(transport=transport, base_url="http://acceptance")


@pytest.fixture
async def client(
    connection: AsyncConnection, applications: Callable[[str], FastAPI], issuer: TestIssuer
) -> AsyncIterator[httpx.AsyncClient]:
    """The application on the empty database; each request's transaction is a savepoint of the test's."""
    with _on(applications("empty"), connection, issuer) as app:
        async with _client_of(app) as client:
            yield client


@pytest.fixture
async def catalogue_client(
    catalogue_connection: AsyncConnection, applications: Callable[[str], FastAPI], issuer: TestIssuer
) -> AsyncIterator[httpx.AsyncClient]:
    """The application on the published catalogue."""
    with _on(applications("catalogue"), catalogue_connection, issuer) as app:
        async with _client_of(app) as client:
            yield client


# What follows is for applications and cases: a person applies for real, through the handlers, on the real catalogue.

CHECK_IN_PUBLIC_PLACES = "HN-430300-000123020000-01"  # 公共场所卫生许可: seven working days, issues a licence
PROMISE_ITEM = "HN-430300-000123020000-06"  # the same on a promise
PENSION_ITEM = "HN-430300-002014006001-02"  # issues no licence
STORE = "43TCP0018"  # 开办超市、便利店
STORE_ANSWERS: dict[str, str | list[str]] = {}


class KnownPeople:
    """Identity, as far as acceptance asks it; ``away`` makes it unreachable."""

    def __init__(self) -> None:
        self.away = False
        self.asked: list[tuple[uuid.UUID, str]] = []
        self.asked_for: list[uuid.UUID | None] = []

    async def look_up(
        self,
        kind: HolderKind,
        holder_id: uuid.UUID,
        *,
        attributes: Collection[str],
        purpose: str,
        application_id: uuid.UUID,
        department_id: uuid.UUID | None = None,
    ) -> Profile:
        if self.away:
            raise PeerUnavailable
        self.asked.append((holder_id, purpose))
        self.asked_for.append(department_id)
        known = {"name": "王小麦", "id_number": "990101199003070015", "phone": "19900000001"}
        return Profile({name: value for name, value in known.items() if name in attributes})


class Library:
    """The licence library, as far as acceptance asks it; issues once per case."""

    def __init__(self) -> None:
        self.away = False
        self.orders: list[LicenceOrder] = []
        self.issued: dict[uuid.UUID, uuid.UUID] = {}
        self.surface: dict[str, Any] = {}
        self.holdings: list[dict[str, Any]] = []

    async def held(self, holder_id: uuid.UUID, type_codes: Collection[str]) -> list[dict[str, Any]]:
        self._answer()
        return [one for one in self.holdings if one["type_code"] in type_codes]

    async def fetch_surface(
        self,
        licence_id: uuid.UUID,
        *,
        fields: Collection[str],
        purpose: str,
        application_id: uuid.UUID,
    ) -> dict[str, Any]:
        self._answer()
        return {name: value for name, value in self.surface.items() if name in fields}

    async def surface_fields(self, type_code: str) -> list[SurfaceField]:
        self._answer()
        return [
            SurfaceField("单位名称", "form.operator_name"),
            SurfaceField("持证人", "applicant.name"),
            SurfaceField("证号", "licence.number"),
        ]

    async def issue(self, order: LicenceOrder) -> uuid.UUID:
        self._answer()
        self.orders.append(order)
        return self.issued.setdefault(order.case_id, uuid.uuid4())

    def _answer(self) -> None:
        if self.away:
            raise PeerUnavailable


# What identity has verified about everybody in these tests.
VERIFIED = {"person.name": "王小麦", "person.id_number": "990101199003070015", "legal_person.name": "王小麦"}


def form_for(schema: dict[str, Any]) -> dict[str, Any]:
    """A valid value for every field of a form, the verified one where there is one."""
    locked = {name: VERIFIED.get(source) for name, source in locked_fields(schema).items()}
    return {name: locked.get(name) or _value_for(one) for name, one in schema["properties"].items()}


def _value_for(schema: dict[str, Any]) -> Any:
    if "const" in schema:
        return schema["const"]
    if "enum" in schema:
        return schema["enum"][0]
    match schema["type"]:
        case "array":
            return [_value_for(schema["items"])]
        case "boolean":
            return True
        case "integer" | "number":
            return max(schema.get("minimum", 1), 1)
        case _:
            return _text_for(schema)


def _text_for(schema: dict[str, Any]) -> str:
    candidates = (
        "示例内容一二三四五",
        "19900000001",
        "91430100MA4TE5T13D",
        "2026-07-01",
        "990101199003070015",
    )
    for text in candidates:
        if re.search(schema.get("pattern", ""), text) and schema.get("format") in (None, _format_of(text)):
            return text
    raise AssertionError(f"no fixture text for {schema}")


def _format_of(text: str) -> str | None:
    return "date" if re.fullmatch(r"\d{4}-\d\d-\d\d", text) else None


@dataclass
class Office:
    """People, departments and the things they do, for tests to read like a story."""

    session: AsyncSession
    app: FastAPI
    now: datetime = datetime(2026, 7, 1, 2, 0, tzinfo=UTC)  # Wednesday, 10:00 in Shanghai

    @property
    def ring(self) -> KeyRing:
        ring: KeyRing = self.app.state.key_ring
        return ring

    def later(self, **span: float) -> datetime:
        """Moves the clock of this test."""
        self.now += timedelta(**span)
        return self.now

    def citizen(self, person_id: uuid.UUID | None = None, *, level: int = 3, **facts: Any) -> Caller:
        scopes = frozenset({"acceptance:applications.write", "acceptance:applications.read"})
        return Caller(str(person_id or uuid.uuid4()), "person", "app", scopes, trust_level=level, **facts)

    def approver(self, department: str, **facts: Any) -> Caller:
        return Caller(
            str(uuid.uuid4()),
            "staff",
            "desk",
            frozenset(),
            department_id=department_id(department),
            division=f"{department.split('-')[1]}000000",
            roles=frozenset({"approver"}),
            **facts,
        )

    async def draft(
        self,
        caller: Caller,
        *,
        item: str | None = None,
        bundle: str | None = None,
        answers: dict[str, Any] | None = None,
        applicant: uuid.UUID | None = None,
        **facts: Any,
    ) -> tuple[Application, Plan]:
        kind = HolderKind.LEGAL_PERSON if applicant else HolderKind.NATURAL_PERSON
        given = drafts.DraftInput(
            bundle, item, None, kind, applicant or caller.person_id, answers or {}, **facts
        )
        return await drafts.begin_draft(self.session, given, caller=caller, now=self.now)

    async def upload(
        self, caller: Caller, content: bytes = b"%PDF-1.7\n1 0 obj\n<<>>\nendobj\n"
    ) -> uuid.UUID:
        async def pieces() -> AsyncIterator[bytes]:
            yield content + uuid.uuid4().bytes

        port = self.app.state.files
        stored = await files.take_in(port, pieces())
        facts, _ = await files.register_upload(
            self.session,
            port,
            stored,
            name="材料.pdf",
            upload_key=str(uuid.uuid4()),
            caller=caller,
            now=self.now,
        )
        return facts.id

    async def fill(
        self, application: Application, plan: Plan, caller: Caller, *, leave_out: frozenset[str] = frozenset()
    ) -> None:
        """Form, promises and a file for everything else that is required."""
        await drafts.change_draft(
            self.session,
            application.id,
            drafts.DraftChange(promises=list(plan.promises), tolerance_promised=bool(leave_out)),
            caller=caller,
        )
        await drafts.remember_verified(
            self.session, self.ring, application.id, asked=LOCKED, verified=VERIFIED, now=self.now
        )
        await drafts.save_form(
            self.session,
            self.ring,
            application.id,
            form_for(plan.form_schema),
            caller=caller,
            now=self.now,
        )
        for material in plan.materials:
            ways = {one.kind for one in material.satisfied_by}
            free = ways & {SatisfactionKind.PROMISE, SatisfactionKind.JOINT_FORM}
            if material.necessity is Necessity.REQUIRED and not free and material.code not in leave_out:
                given = materials.ProvisionInput(Provision.FILES, [await self.upload(caller)])
                await materials.provide_material(
                    self.session, application.id, material.code, given, caller=caller, now=self.now
                )

    async def plan_form(self, application_id: str) -> dict[str, Any]:
        """A valid form of an application."""
        application = await self.session.get_one(Application, uuid.UUID(application_id))
        plan = await drafts.plan_of(self.session, application)
        return form_for(plan.form_schema)

    async def submit(self, application: Application, caller: Caller) -> Receipt:
        return await submit_application(
            self.session, self.ring, self.app.state.serials, application.id, caller=caller, now=self.now
        )

    async def apply(self, caller: Caller, **what: Any) -> Receipt:
        """A complete application, handed in."""
        application, plan = await self.draft(caller, **what)
        await self.fill(application, plan, caller)
        return await self.submit(application, caller)

    async def case(self, item: str = CHECK_IN_PUBLIC_PLACES, **what: Any) -> tuple[Case, Caller, Caller]:
        """A submitted case of a single item, with its applicant and an approver of its department."""
        citizen = self.citizen()
        receipt = await self.apply(citizen, item=item, **what)
        case = receipt.cases[0]
        approver = self.approver("HN-430300-WSJK")
        return case, citizen, replace(approver, department_id=case.department_id)

    async def accepted(self, item: str = CHECK_IN_PUBLIC_PLACES) -> tuple[Case, Caller, Caller]:
        case, citizen, approver = await self.case(item)
        await intake.receive_case(self.session, self.ring, case.id, caller=approver, now=self.now)
        await intake.accept_case(
            self.session, self.ring, case.id, intake.AcceptInput(), caller=approver, now=self.now
        )
        return case, citizen, approver

    async def decide(self, case: Case, approver: Caller, outcome: Outcome = Outcome.APPROVED) -> Case:
        refusal = intake.Refusal("不符合卫生标准。", "可申请行政复议或者提起行政诉讼。")
        return await deciding.decide_case(
            self.session,
            self.ring,
            case.id,
            deciding.DecisionInput(outcome, refusal),
            expected_version=case.version,
            caller=approver,
            now=self.now,
        )

    async def staff(self, department_id: uuid.UUID, *, active: bool = True) -> uuid.UUID:
        """Somebody whom identity has told us of."""
        state = StaffState(uuid.uuid4(), department_id, active, 1)
        await keep_staff(self.session, StaffMember, [state])
        return state.id

    async def events(self, *aggregates: uuid.UUID) -> list[dict[str, Any]]:
        """What the outbox holds about these aggregates, in order."""
        rows = await self.session.scalars(
            select(outbox_table.c.event)
            .where(outbox_table.c.aggregate_id.in_(aggregates))
            .order_by(outbox_table.c.id)
        )
        return list(rows)

    async def event_types(self, *aggregates: uuid.UUID) -> list[str]:
        return [
            one["type"].removeprefix("gov.acceptance.").removesuffix(".v1")
            for one in await self.events(*aggregates)
        ]

    async def history(self, aggregate: uuid.UUID) -> list[str]:
        entries = await timeline.read(self.session, aggregate)
        assert timeline.verify(entries)
        return [one.action for one in entries]

    def client(self) -> httpx.AsyncClient:
        return _client_of(self.app)


@pytest.fixture(scope="session")
async def serials(catalogue_url: str) -> AsyncIterator[Serials]:
    engine = create_async_engine(async_url(catalogue_url), poolclass=NullPool, isolation_level="AUTOCOMMIT")
    yield Serials(engine)
    await engine.dispose()


@pytest.fixture
async def office(
    catalogue_connection: AsyncConnection,
    catalogue_session: AsyncSession,
    serials: Serials,
    applications: Callable[[str], FastAPI],
    issuer: TestIssuer,
    tmp_path: Path,
) -> AsyncIterator[Office]:
    """The application on the published catalogue, with storage, numbers and peers."""
    with _on(applications("office"), catalogue_connection, issuer) as app:
        app.state.serials = serials
        app.state.files = FilePort(FolderStore(tmp_path), NoScanner(), app.state.key_ring, 1024 * 1024)
        app.state.identity = KnownPeople()
        app.state.certificates = Library()
        office = Office(catalogue_session, app)
        app.dependency_overrides[current_instant] = lambda: office.now
        yield office
