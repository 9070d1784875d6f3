"""Identity as shipped, one process of it, on a PostgreSQL and a NATS of its own, with people and clients to measure with."""

import base64
import json
import os
import secrets
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import psycopg
from joserfc.jwk import ECKey
from psycopg import sql
from services.identity.tests.factories import Citizen, Population, RegisteredClient

from identity_service.accounts.domain import SubjectKind
from identity_service.app import MIGRATIONS
from identity_service.clients.authority import Authority
from identity_service.db import transactions_of
from identity_service.oidc.models import Consent
from identity_service.relying_parties.domain import Authentication, GrantType
from identity_service.sessions.domain import Method
from identity_service.sessions.handlers import start_session
from lianban_local import databases, ports
from lianban_local.authority.app import app as register
from lianban_local.servers.nats import NatsServer
from lianban_local.servers.postgres import PostgresServer
from lianban_local.services import ServiceProcess
from service_common.clock import utc_now
from service_common.crypto import KeyRing
from service_common.db import Database, open_engine
from service_common.migrations import migrate

SESSIONS = 32
PEOPLE = 4
SCOPES = ("openid", "profile", "phone")
PARTNER_SCOPE = "certificates:licences.verify"
_PASSWORD = "only-for-this-run"


class Servers:
    """PostgreSQL and NATS of one run."""

    def __init__(self, folder: Path) -> None:
        password = secrets.token_hex(20)
        self.postgres = PostgresServer(
            folder, port=ports.choose(), password=password, max_connections=60, settings=_postgres_settings()
        )
        self.nats = NatsServer(folder, port=ports.choose(), password=password)

    def database(self, name: str) -> str:
        """A new, migrated database; its URL."""
        with psycopg.connect(self.postgres.admin_url, autocommit=True) as admin:
            databases.ensure_role(admin, name, _PASSWORD)
            databases.ensure_database(admin, name, owner=name)
        url = databases.url_of(self.postgres.admin_url, database=name, role=name, password=_PASSWORD)
        migrate(url, MIGRATIONS)
        return url

    def set_durable(self, url: str, *, durable: bool) -> None:
        """Whether new connections wait for the disk at each commit."""
        name = urlsplit(url).path.removeprefix("/")
        with psycopg.connect(self.postgres.admin_url, autocommit=True) as admin:
            admin.execute(
                sql.SQL("ALTER DATABASE {} SET synchronous_commit = {}").format(
                    sql.Identifier(name), sql.Literal("on" if durable else "off")
                )
            )


def _postgres_settings() -> dict[str, str]:
    """``BENCH_LOG_STATEMENTS=1`` counts statements: the server then logs each with its time."""
    return {"log_min_duration_statement": "0"} if os.environ.get("BENCH_LOG_STATEMENTS") else {}


@contextmanager
def servers(folder: Path) -> Iterator[Servers]:
    ours = Servers(folder)
    ours.postgres.start()
    ours.nats.start()
    try:
        ours.postgres.wait_ready()
        ours.nats.wait_ready()
        yield ours
    finally:
        ours.nats.stop()
        ours.postgres.stop()


@dataclass(frozen=True)
class Seeded:
    """Whom the measurements know."""

    basic: RegisteredClient
    keyed: RegisteredClient
    key: ECKey
    partner: RegisteredClient
    cookies: Sequence[str]
    people: Sequence[Citizen]


class Identity:
    """One process with its database."""

    def __init__(self, folder: Path, servers: Servers) -> None:
        self._folder = folder
        self.database_url = servers.database("identity")
        self._nats_url = servers.nats.url
        self._key = base64.b64encode(secrets.token_bytes(32)).decode()
        self._port = ports.choose()

    @property
    def origin(self) -> str:
        return f"http://127.0.0.1:{self._port}"

    @property
    def issuer(self) -> str:
        return f"{self.origin}/identity"

    @property
    def ring(self) -> KeyRing:
        return KeyRing.parse(f"1:{self._key}", self._key)

    async def seed(self) -> Seeded:
        """Clients, people with a password, and browsers that are logged in and have consented."""
        database = Database(open_engine(self.database_url, None))
        transactions = transactions_of(database)
        key = ECKey.generate_key("P-256", {"use": "sig", "alg": "ES256"}, auto_kid=True)
        async with httpx.AsyncClient(transport=httpx.ASGITransport(register)) as http:
            population = Population(transactions, self.ring, Authority("http://register", http), utc_now)
            machine: dict[str, Any] = {
                "grant_types": [GrantType.CLIENT_CREDENTIALS],
                "scopes": [PARTNER_SCOPE],
                "redirect_uris": [],
            }
            basic = await population.client(**machine)
            keyed = await population.client(
                **machine,
                authentication=Authentication.PRIVATE_KEY,
                jwks={"keys": [key.as_dict(private=False)]},
            )
            partner = await population.client(scopes=SCOPES, grant_types=[GrantType.AUTHORIZATION_CODE])
            people = [await population.person(number) for number in range(PEOPLE)]
        cookies = []
        async with transactions() as session:
            session.add_all(
                Consent(
                    subject_id=one.id, client_id=partner.client_id, scopes=sorted(SCOPES), given_at=utc_now()
                )
                for one in people
            )
            for number in range(SESSIONS):
                person = people[number % PEOPLE]
                _, secret = await start_session(
                    session, self.ring, account_id=person.id, kind=SubjectKind.PERSON,
                    methods=[Method.PASSWORD], now=utc_now(),
                )  # fmt: skip
                cookies.append(f"lianban_session={secret}")
        await database.close()
        return Seeded(basic, keyed, key, partner, cookies, people)

    @contextmanager
    def running(self) -> Iterator[int]:
        """``python -m identity_service all`` with its logs and traces, as ``make run`` has it; its process id."""
        process = ServiceProcess(
            "identity",
            self._folder,
            module="identity_service",
            arguments=("all",),
            environment=self._environment(),
            port=self._port,
        )
        process.start()
        try:
            process.wait_ready()
            assert process.pid is not None
            yield process.pid
        finally:
            process.stop()

    def _environment(self) -> dict[str, str]:
        told = {
            "DATABASE_URL": self.database_url,
            "NATS_URL": self._nats_url,
            "ISSUER": self.issuer,
            "IDENTITY_URL": self.origin,
            "PUBLIC_ORIGIN": self.origin,
            "AUTHORITY_URL": "http://127.0.0.1:9",
            "PORT": str(self._port),
            "DATA_KEYS": f"1:{self._key}",
            "INDEX_KEY": self._key,
            "LOG_FORMAT": "json",
            "TRACES_FILE": str(self._folder / "traces.jsonl"),
            "SCOPES_FILE": str(self._scopes_file()),
        }
        return {**os.environ, **{f"IDENTITY_{name}": value for name, value in told.items()}}

    def _scopes_file(self) -> Path:
        file = self._folder / "scopes.json"
        file.write_text(
            json.dumps(
                [{"name": PARTNER_SCOPE, "zh": "查验证照", "en": "Verify licences", "roles": ["partner"]}]
            )
        )
        return file
