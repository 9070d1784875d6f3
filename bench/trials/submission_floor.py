"""How fast can one Python process hand applications in at all? The peer's seven statements, sent by ever more of our stack.

Run `python -m bench.trials.submission_floor` (about a minute). It starts a PostgreSQL of its own on loopback and lets pgbench
and three ways from one process send the same transaction, turn by turn, 16 at once. No HTTP, no tokens, no checks, no
consumers: what is printed bounds `submit_vs_pgbench` from above. Read beside `docs/adr/0009-cost-of-a-submission.md`.
"""

import asyncio
import os
import subprocess
import tempfile
import time
import uuid
from collections.abc import Awaitable, Callable
from pathlib import Path

import asyncpg
import psycopg
import uvloop
from bench.platform import CONCURRENCY, PEERS
from bench.result import median, spread
from sqlalchemy import BigInteger, ForeignKey, Text, insert
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from lianban_local import ports
from lianban_local.servers.postgres import PostgresServer, binaries
from service_common.db import async_url

ROUNDS = 3
SECONDS = 4.0
FORM = {"shop_name": "x", "area": 60}
EVENT = {"type": "submitted"}

Submit = Callable[[], Awaitable[None]]


class Base(DeclarativeBase):
    """The tables of ``bench/peers/submit_schema.sql``."""


class Application(Base):
    __tablename__ = "applications"
    id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    applicant: Mapped[int] = mapped_column(BigInteger)
    form: Mapped[object] = mapped_column(JSONB)


class Case(Base):
    __tablename__ = "cases"
    id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    application_id: Mapped[int] = mapped_column(ForeignKey("applications.id"))
    status: Mapped[str] = mapped_column(Text)


class Material(Base):
    __tablename__ = "materials"
    id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    application_id: Mapped[int] = mapped_column(ForeignKey("applications.id"))
    code: Mapped[str] = mapped_column(Text)
    file: Mapped[str] = mapped_column(Text)


class Entry(Base):
    __tablename__ = "timeline"
    id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    application_id: Mapped[int] = mapped_column(BigInteger)
    action: Mapped[str] = mapped_column(Text)


class Outgoing(Base):
    __tablename__ = "outbox"
    id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    event: Mapped[object] = mapped_column(JSONB)


async def driver_alone(url: str) -> Submit:
    """asyncpg without anything over it."""
    pool = await asyncpg.create_pool(url, min_size=CONCURRENCY, max_size=CONCURRENCY)

    async def submit() -> None:
        async with pool.acquire() as connection, connection.transaction():
            number = await connection.fetchval(
                "INSERT INTO applications (applicant, form) VALUES ($1, $2) RETURNING id",
                7,
                '{"shop_name": "x", "area": 60}',
            )
            await connection.execute(
                "INSERT INTO cases (application_id, status) VALUES ($1, 'SUBMITTED')", number
            )
            await connection.executemany(
                "INSERT INTO materials (application_id, code, file) VALUES ($1, $2, 'x')",
                [(number, code) for code in "abcd"],
            )
            await connection.execute(
                "INSERT INTO timeline (application_id, action) VALUES ($1, 'submitted')", number
            )
            await connection.execute("INSERT INTO outbox (event) VALUES ($1)", '{"type": "submitted"}')

    return submit


_TABLES = Base.metadata.tables
_APPLICATION = insert(_TABLES["applications"]).returning(Application.id)
_CASE, _MATERIAL = insert(_TABLES["cases"]), insert(_TABLES["materials"])
_ENTRY, _OUTGOING = insert(_TABLES["timeline"]), insert(_TABLES["outbox"])


def _sessions(url: str) -> async_sessionmaker[AsyncSession]:
    engine = create_async_engine(async_url(url), pool_size=CONCURRENCY, max_overflow=0)
    return async_sessionmaker(engine, expire_on_commit=False)


async def statements_made_once(url: str) -> Submit:
    """A session of SQLAlchemy and Core statements made at import: its fastest way."""
    sessions = _sessions(url)

    async def submit() -> None:
        async with sessions() as session, session.begin():
            number = await session.scalar(_APPLICATION, {"applicant": 7, "form": FORM})
            await session.execute(_CASE, {"application_id": number, "status": "SUBMITTED"})
            await session.execute(
                _MATERIAL, [{"application_id": number, "code": code, "file": "x"} for code in "abcd"]
            )
            await session.execute(_ENTRY, {"application_id": number, "action": "submitted"})
            await session.execute(_OUTGOING, {"event": EVENT})

    return submit


async def objects(url: str) -> Submit:
    """The unit of work, as handlers are written: objects are added, a flush finds the statements."""
    sessions = _sessions(url)

    async def submit() -> None:
        async with sessions() as session, session.begin():
            application = Application(applicant=7, form=FORM)
            session.add(application)
            await session.flush()
            number = application.id
            session.add(Case(application_id=number, status="SUBMITTED"))
            session.add_all(Material(application_id=number, code=code, file="x") for code in "abcd")
            session.add_all([Entry(application_id=number, action="submitted"), Outgoing(event=EVENT)])

    return submit


async def run(submit: Submit) -> tuple[float, float]:
    """Transactions per second, and CPU milliseconds of this process for each."""
    end = time.perf_counter() + SECONDS
    done = 0

    async def lane() -> None:
        nonlocal done
        while time.perf_counter() < end:
            await submit()
            done += 1

    cpu = time.process_time()
    await asyncio.gather(*(lane() for _ in range(CONCURRENCY)))
    return done / SECONDS, (time.process_time() - cpu) * 1000 / done


def pgbench(server: PostgresServer) -> float:
    """The peer of `make bench`."""
    done = subprocess.run(
        [str(binaries() / "pgbench"), "-n", "-f", str(PEERS / "submit.sql"), "-c", str(CONCURRENCY), "-j", "2",
         "-T", str(int(SECONDS)), server.admin_url],
        env={**os.environ}, check=True, capture_output=True, text=True,
    )  # fmt: skip
    return float(next(line for line in done.stdout.splitlines() if line.startswith("tps = ")).split()[2])


async def compare(server: PostgresServer) -> None:
    """Turn by turn, so that a slow minute of the machine falls on all of them."""
    ways = {
        "asyncpg alone": await driver_alone(server.admin_url),
        "SQLAlchemy, statements made once": await statements_made_once(server.admin_url),
        "SQLAlchemy, objects": await objects(server.admin_url),
    }
    peers: list[float] = []
    runs: dict[str, list[tuple[float, float]]] = {name: [] for name in ways}
    for _ in range(ROUNDS):
        peers.append(await asyncio.to_thread(pgbench, server))
        for name, submit in ways.items():
            runs[name].append(await run(submit))
    print(f"pgbench: {median(peers):,.0f}/s ({spread(peers)})")
    for name, figures in runs.items():
        rates = [rate for rate, _ in figures]
        cpu = median([each for _, each in figures])
        print(
            f"{name}: {median(rates):,.0f}/s ({spread(rates)}), {median(rates) / median(peers):.3f} of pgbench, {cpu:.2f} ms CPU each"
        )


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        server = PostgresServer(
            Path(folder), port=ports.choose(), password=uuid.uuid4().hex, max_connections=80
        )
        server.start()
        try:
            server.wait_ready()
            with psycopg.connect(server.admin_url, autocommit=True) as connection:
                connection.execute((PEERS / "submit_schema.sql").read_text())
            with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
                runner.run(compare(server))
        finally:
            server.stop()


if __name__ == "__main__":
    main()
