"""Figures of the whole platform, started as shipped: memory at rest, event lag, submissions against pgbench."""

import asyncio
import os
import subprocess
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import httpx
import psutil
from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine

from bench.result import Result, median, spread
from lianban_local import databases
from lianban_local.demo import applying
from lianban_local.demo.app import App, SignedIn
from lianban_local.demo.story import ANSWERS, BUNDLE, XIANGTAN
from lianban_local.servers.postgres import binaries
from lianban_local.state import StateFolder
from lianban_local.testing.stack import RunningPlatform, running_platform
from service_common import outbox
from service_common.clock import utc_now
from service_common.contracts.acceptance import CaseAccepted, HolderKind
from service_common.db import Database, async_url

PEERS = Path(__file__).parent / "peers"
ROUNDS = 3
CONCURRENCY = 16
SUBMISSIONS = 120
PGBENCH_SECONDS = 6
REST_SECONDS = 20
EVENTS_PER_SECOND = 200
EVENT_SECONDS = 15
SMALL_SHOP = {key: value for key, value in ANSWERS.items() if key != "fire_procedure"} | {
    "public_gathering": "no"
}


def missing() -> str | None:
    """Everything needed comes with the environment."""
    return None


def measure(folder: Path) -> list[Result]:
    with running_platform(folder / "state") as platform:
        time.sleep(REST_SECONDS)
        return [
            _memory(platform),
            asyncio.run(_event_lag(platform)),
            asyncio.run(_submissions(platform)),
        ]


def _memory(platform: RunningPlatform) -> Result:
    """Proportional set size: what is shared between processes is counted once."""
    sizes = _of_each_part(platform, lambda process: process.memory_full_info().pss / 1024**2)
    largest = sorted(sizes.items(), key=lambda one: -one[1])
    return Result(
        name="rest_memory_mib",
        value=round(sum(sizes.values())),
        unit="MiB",
        goal=1200,
        at_most=True,
        peer="limit",
        detail=f"PSS {REST_SECONDS} s after the start, supervisor included: "
        + ", ".join(f"{name} {size:.0f}" for name, size in largest[:12]),
    )


def _of_each_part(platform: RunningPlatform, measure: Callable[[psutil.Process], float]) -> dict[str, float]:
    """A measure summed over the processes of each part, by its name."""
    supervisor = psutil.Process(platform.supervisor.pid)
    sums: dict[str, float] = {}
    for process in [supervisor, *supervisor.children(recursive=True)]:
        with suppress(psutil.NoSuchProcess):
            name = next((word for word in process.cmdline() if word.endswith("_service")), process.name())
            sums[name] = sums.get(name, 0) + measure(process)
    return sums


def _cpu_seconds(platform: RunningPlatform) -> dict[str, float]:
    return _of_each_part(platform, lambda process: sum(process.cpu_times()[:2])) | {
        "the client": time.process_time()
    }


class _Aggregate:
    def __init__(self) -> None:
        self.id = uuid4()
        self.revision = 0


async def _event_lag(platform: RunningPlatform) -> Result:
    """Commit in acceptance's database to the start of the handler's transaction in identity's, open loop."""
    acceptance, identity = _database(platform, "acceptance"), _database(platform, "identity")
    async with httpx.AsyncClient(timeout=30) as http:
        app = App(platform.run, http)
        person = UUID(
            (await app.sign_in(app.account("citizen"), applying.SCOPE).get("/identity/v1/me"))["person_id"]
        )
    runs = [await _lags(acceptance, identity, person) for _ in range(ROUNDS)]
    p99s = [_percentile(run, 0.99) for run in runs]
    await acceptance.close()
    await identity.close()
    return Result(
        name="event_lag_p99_ms",
        value=round(median(p99s), 1),
        unit="ms",
        goal=100,
        at_most=True,
        peer="limit",
        detail=f"{EVENTS_PER_SECOND} events/s for {EVENT_SECONDS} s, p50 {median([_percentile(run, 0.5) for run in runs]):.1f} ms, "
        f"p99 of the runs {spread(p99s)} ms",
    )


async def _lags(acceptance: Database, identity: Database, person: UUID) -> list[float]:
    committed: dict[UUID, float] = {}

    async def emit(at: float) -> None:
        await asyncio.sleep(max(0.0, at - time.monotonic()))
        thing = _Aggregate()
        fact = CaseAccepted(
            case_id=thing.id, application_id=thing.id, project_no="BENCH", item_code="BENCH", item_name="压测",
            department_id=thing.id, division="430300000000", applicant_kind=HolderKind.NATURAL_PERSON,
            applicant_id=person, submitted_by=person, contact_no=1,
        )  # fmt: skip
        async with acceptance.sessions() as session, session.begin():
            await outbox.add(session, thing, fact, now=utc_now())
        committed[thing.id] = time.time()

    start = time.monotonic() + 0.5
    count = EVENTS_PER_SECOND * EVENT_SECONDS
    await asyncio.gather(*(emit(start + number / EVENTS_PER_SECOND) for number in range(count)))
    handled = await _handled(acceptance, identity, set(committed))
    return [max(0.0, handled[key] - committed[key]) * 1000 for key in committed]


async def _handled(acceptance: Database, identity: Database, aggregates: set[UUID]) -> dict[UUID, float]:
    """When each aggregate's event was handled (epoch seconds). Raises: TimeoutError."""
    async with acceptance.sessions() as session:
        rows = await session.execute(
            text("SELECT id, aggregate_id FROM outbox WHERE aggregate_id = ANY(:ids)"),
            {"ids": list(aggregates)},
        )
        aggregate_of = {row.id: row.aggregate_id for row in rows}
    give_up = time.monotonic() + 60
    while time.monotonic() < give_up:
        async with identity.sessions() as session:
            rows = await session.execute(
                text(
                    "SELECT event_id, extract(epoch FROM processed_at)::float8 AS at FROM processed_events "
                    "WHERE event_id = ANY(:ids)"
                ),
                {"ids": list(aggregate_of)},
            )
            at = {aggregate_of[row.event_id]: row.at for row in rows}
        if len(at) == len(aggregates):
            return at
        await asyncio.sleep(0.5)
    raise TimeoutError("not every event was handled")


async def _submissions(platform: RunningPlatform) -> Result:
    """Hands in prepared drafts at once; preparing them is not measured."""
    ours: list[float] = []
    peers: list[float] = []
    async with httpx.AsyncClient(timeout=60, limits=httpx.Limits(max_connections=CONCURRENCY)) as http:
        app = App(platform.run, http)
        citizens = [app.sign_in(one, applying.SCOPE) for one in app.run.accounts if one.role == "citizen"]
        _pgbench(platform, "-i")
        for _ in range(ROUNDS):
            drafts = await _drafts(citizens)
            before = _cpu_seconds(platform)
            ours.append(await _hand_in_all(drafts))
            spent = {
                name: (used - before.get(name, 0)) * 1000 / SUBMISSIONS
                for name, used in _cpu_seconds(platform).items()
            }
            peers.append(await asyncio.to_thread(_pgbench, platform))
    return Result(
        name="submit_vs_pgbench",
        value=round(median(ours) / median(peers), 3),
        unit="ratio",
        goal=0.10,
        peer="bench/peers/submit.sql under pgbench, 16 clients, the same server, fsync on",
        detail=f"{median(ours):.1f} submissions/s through the edge ({spread(ours)}), pgbench {median(peers):,.0f} "
        f"transactions/s ({spread(peers)}). Ours has two cases, 15 statements between BEGIN and COMMIT, one draw of serials on "
        "a connection of its own, and decides the first case by rule while others are handed in. CPU ms per submission in the "
        "last round, consumers included: "
        + ", ".join(
            f"{name} {used:.1f}" for name, used in sorted(spent.items(), key=lambda one: -one[1])[:8]
        ),
    )


async def _drafts(citizens: Sequence[SignedIn]) -> list[tuple[SignedIn, str]]:
    """Complete applications that only wait to be handed in."""
    slots = asyncio.Semaphore(CONCURRENCY)

    async def prepare(citizen: SignedIn) -> tuple[SignedIn, str]:
        async with slots:
            return await _draft(citizen)

    return await asyncio.gather(*(prepare(citizens[number % len(citizens)]) for number in range(SUBMISSIONS)))


async def _draft(citizen: SignedIn) -> tuple[SignedIn, str]:
    trader = (await citizen.get("/identity/v1/me/represented"))["items"][0]
    holder = {"kind": "LEGAL_PERSON", "id": trader["legal_person_id"]}
    draft = await applying.begin(citizen, BUNDLE, XIANGTAN, SMALL_SHOP, holder, in_addition=True)
    plan = await applying.plan_of(citizen, BUNDLE, XIANGTAN, SMALL_SHOP, "LEGAL_PERSON")
    await applying.complete(citizen, draft["id"], plan)
    return citizen, draft["id"]


async def _hand_in_all(drafts: Sequence[tuple[SignedIn, str]]) -> float:
    """Submissions per second."""
    slots = asyncio.Semaphore(CONCURRENCY)

    async def hand_in(citizen: SignedIn, application_id: str) -> Any:
        async with slots:
            return await applying.hand_in(citizen, application_id)

    began = time.perf_counter()
    await asyncio.gather(*(hand_in(*draft) for draft in drafts))
    return len(drafts) / (time.perf_counter() - began)


def _pgbench(platform: RunningPlatform, *options: str) -> float:
    """Transactions per second; with ``-i`` makes its tables in a database of its own."""
    state = StateFolder(platform.state)
    port = str(platform.port("postgres"))
    environment = {**os.environ, "PGPASSWORD": state.password("postgres")}
    address = ["-h", "127.0.0.1", "-p", port, "-U", "postgres"]
    if "-i" in options:
        psql = [str(binaries() / "psql"), *address, "-q", "-v", "ON_ERROR_STOP=1"]
        subprocess.run([*psql, "-c", "CREATE DATABASE pgbench_peer", "postgres"], env=environment, check=True)
        subprocess.run(
            [*psql, "-f", str(PEERS / "submit_schema.sql"), "pgbench_peer"], env=environment, check=True
        )
        return 0.0
    done = subprocess.run(
        [str(binaries() / "pgbench"), *address, "-n", "-f", str(PEERS / "submit.sql"), "-c", str(CONCURRENCY),
         "-j", "2", "-T", str(PGBENCH_SECONDS), "pgbench_peer"],
        env=environment, check=True, capture_output=True, text=True,
    )  # fmt: skip
    line = next(line for line in done.stdout.splitlines() if line.startswith("tps = "))
    return float(line.split()[2])


def _database(platform: RunningPlatform, service: str) -> Database:
    state = StateFolder(platform.state)
    name = f"{databases.PREFIX}{service}"
    url = databases.url_of(
        f"postgresql://nobody@127.0.0.1:{platform.port('postgres')}/postgres",
        database=name,
        role=name,
        password=state.password(service),
    )
    return Database(create_async_engine(async_url(url), pool_size=16))


def _percentile(values: Sequence[float], share: float) -> float:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]
