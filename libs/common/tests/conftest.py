"""A toy service of one table, run on the real database and broker, to test the plumbing through."""

import base64
import time
from collections.abc import AsyncIterator, Callable
from datetime import datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Annotated, Any
from uuid import UUID

import httpx
import pytest
from fastapi import FastAPI, Response
from joserfc import jwt
from joserfc.jwk import ECKey, KeySet
from pydantic import BaseModel, ConfigDict, Field, SecretStr
from sqlalchemy import select, tuple_
from sqlalchemy.orm import DeclarativeBase, Mapped

from lianban_local.testing.brokers import TestNats
from lianban_local.testing.databases import TestPostgres
from service_common import outbox, timeline
from service_common.app import Now, Service, api_router, create_app
from service_common.auth import PUBLIC, Caller, require, scope
from service_common.contracts.identity import PersonRegistered
from service_common.db import (
    TYPE_ANNOTATIONS,
    Aggregate,
    Database,
    Session,
    new_id,
    service_metadata,
)
from service_common.delegation import Act
from service_common.errors import NotFound
from service_common.etag import ExpectedVersion, check_version, set_etag
from service_common.idempotency import Once
from service_common.migrations import migrate
from service_common.pages import Page, Paging
from service_common.settings import ServiceSettings

MIGRATIONS = Path(__file__).parent / "toy_migrations"
ISSUER = "http://localhost/identity"


class Base(DeclarativeBase):
    metadata = service_metadata()
    type_annotation_map = TYPE_ANNOTATIONS


class Note(Aggregate, Base):
    __tablename__ = "notes"
    text: Mapped[str]


class NoteIn(BaseModel):
    model_config = ConfigDict(extra="forbid")
    text: str = Field(min_length=1, max_length=100)


class NoteOut(BaseModel):
    model_config = ConfigDict(from_attributes=True)
    id: UUID
    text: str


class NoSuchNote(NotFound):
    code = "no_such_note"


NOTES = scope("identity:notes.write", zh="写便签", en="Write notes", roles={"citizen"})
router = api_router("notes", prefix="/identity/v1/notes")


@router.post("", status_code=201)
async def create_note(
    caller: Annotated[Caller, require(NOTES, act=Act.SUBMIT)],
    _once: Once,
    session: Session,
    now: Now,
    body: NoteIn,
) -> NoteOut:
    caller.need_matter("identity", "notes")
    note = Note(id=new_id(), text=body.text)
    session.add(note)
    await outbox.add(session, note, PersonRegistered(person_id=note.id), now=now)
    await timeline.append(session, note.id, "written", actor=caller.actor, at=now, first=True)
    await session.flush()
    return NoteOut.model_validate(note)


@router.get("", dependencies=[PUBLIC])
async def list_notes(session: Session, paging: Paging) -> Page[NoteOut]:
    query = select(Note).order_by(Note.created_at, Note.id).limit(paging.limit + 1)
    after = paging.after(str, UUID)
    if after:
        query = query.where(tuple_(Note.created_at, Note.id) > (datetime.fromisoformat(after[0]), after[1]))
    rows = (await session.scalars(query)).all()
    return paging.page(rows, lambda row: (row.created_at.isoformat(), row.id), NoteOut.model_validate)


@router.get("/{note_id}")
async def read_note(
    _caller: Annotated[Caller, require(NOTES)], session: Session, note_id: UUID, response: Response
) -> NoteOut:
    note = await session.get(Note, note_id)
    if note is None:
        raise NoSuchNote
    set_etag(response, note.version)
    return NoteOut.model_validate(note)


@router.post("/{note_id}/change")
async def change_note(
    _caller: Annotated[Caller, require(NOTES)],
    session: Session,
    note_id: UUID,
    expected: ExpectedVersion,
    body: NoteIn,
) -> NoteOut:
    note = await session.get(Note, note_id)
    if note is None:
        raise NoSuchNote
    check_version(note.version, expected)
    note.text = body.text
    await session.flush()
    return NoteOut.model_validate(note)


@pytest.fixture(scope="session")
def signing_key() -> ECKey:
    return ECKey.generate_key("P-256", parameters={"kid": "k1", "alg": "ES256", "use": "sig"})


@pytest.fixture
async def settings(postgres: TestPostgres, nats_server: TestNats) -> ServiceSettings:
    await nats_server.clear()
    key = base64.b64encode(b"k" * 32).decode()
    return ServiceSettings(
        database_url=SecretStr(postgres.create_database("toy", lambda url: migrate(url, MIGRATIONS))),
        nats_url=SecretStr(nats_server.url),
        issuer=ISSUER,
        identity_url="http://identity.invalid",
        data_keys=SecretStr(f"1:{key}"),
        index_key=SecretStr(key),
        event_max_tries=3,
        stream_max_bytes=64 * 1024**2,
    )


@pytest.fixture
async def database(settings: ServiceSettings) -> AsyncIterator[Database]:
    database = Database.connect(settings)
    yield database
    await database.close()


@pytest.fixture
def toy(settings: ServiceSettings) -> Callable[..., FastAPI]:
    def build(
        *,
        worker: bool = False,
        api: bool = True,
        subscribers: Any = lambda _app: (),
        settings: ServiceSettings = settings,
    ) -> FastAPI:
        service = Service(
            name="identity",
            title="Toy",
            description="A toy",
            settings=settings,
            routers=[router],
            migrations=MIGRATIONS,
            metadata=Base.metadata,
            subscribers=subscribers,
        )
        return create_app(service, worker=worker, api=api)

    return build


@pytest.fixture
def jwks(signing_key: ECKey) -> SimpleNamespace:
    """The issuer's JWKS endpoint: answers with ``keys``, or fails while ``down``; counts how often it is asked."""
    state = SimpleNamespace(keys=KeySet([signing_key]), down=False, asked=0)

    def answer(_request: httpx.Request) -> httpx.Response:
        state.asked += 1
        if state.down:
            raise httpx.ConnectError("down")
        return httpx.Response(200, json=state.keys.as_dict(private=False))

    state.http = httpx.AsyncClient(transport=httpx.MockTransport(answer))
    return state


@pytest.fixture
def token(signing_key: ECKey) -> Callable[..., str]:
    def make(*, key: ECKey = signing_key, typ: str = "at+jwt", **claims: Any) -> str:
        now = int(time.time())
        payload = {
            "iss": ISSUER,
            "aud": ["urn:lianban:identity"],
            "sub": "00000000-0000-7000-8000-000000000001",
            "subject_type": "person",
            "client_id": "app",
            "scope": "identity:notes.write",
            "exp": now + 300,
            "iat": now,
            **claims,
        }
        return jwt.encode({"alg": "ES256", "kid": key.kid, "typ": typ}, payload, key)

    return make


@pytest.fixture
async def client(
    toy: Callable[..., FastAPI], jwks: SimpleNamespace, token: Callable[..., str]
) -> AsyncIterator[httpx.AsyncClient]:
    app = toy()
    async with app.router.lifespan_context(app):
        app.state.token_verifier._keys._http = jwks.http
        transport = httpx.ASGITransport(app, raise_app_exceptions=False)
        headers = {"Authorization": f"Bearer {token()}"}
        async with httpx.AsyncClient(transport=transport, base_url="http://t", headers=headers) as client:
            client.app = app  # type: ignore[attr-defined]
            yield client
