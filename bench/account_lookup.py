"""Looking an account up by its user name among a million others, against ten thousand."""

import asyncio
import random
import time
from uuid import uuid4

import psycopg

from bench.result import Result, median
from bench.running_identity import Servers
from identity_service.accounts.handlers import find_account_id
from service_common.db import Database, open_engine

ROUNDS = 3
FEW_ACCOUNTS, MANY_ACCOUNTS = 10_000, 1_000_000
LOOKUPS = 1_000
_FEW, _MANY = "identity_few", "identity_many"


async def growth(running: Servers) -> Result:
    """By user name, through our handler, a transaction each. Both databases hold nothing but accounts."""
    few, many = [await asyncio.to_thread(running.database, name) for name in (_FEW, _MANY)]
    await asyncio.to_thread(_copy_accounts, few, FEW_ACCOUNTS)
    await asyncio.to_thread(_copy_accounts, many, MANY_ACCOUNTS)
    runs: dict[str, list[float]] = {few: [], many: []}
    for url, count in ((few, FEW_ACCOUNTS), (many, MANY_ACCOUNTS)):
        await _lookups(url, count)
    for _ in range(ROUNDS):
        for url, count in ((few, FEW_ACCOUNTS), (many, MANY_ACCOUNTS)):
            runs[url].append(median(await _lookups(url, count)))
    ratios = [large / small for small, large in zip(runs[few], runs[many], strict=True)]
    return Result(
        name="account_lookup_growth",
        value=round(median(ratios), 3),
        unit="ratio",
        goal=1.2,
        at_most=True,
        peer=f"ours at {FEW_ACCOUNTS:,} accounts",
        detail=f"p50 {median(runs[many]):.3f} ms at {MANY_ACCOUNTS:,} accounts, {median(runs[few]):.3f} ms at {FEW_ACCOUNTS:,}, "
        f"ratios {min(ratios):.2f}…{max(ratios):.2f}; random names, {LOOKUPS:,} lookups a run, no hash",
    )


def _username(number: int) -> str:
    return f"person{number * 2_654_435_761 % 2**32:010d}"


def _copy_accounts(url: str, count: int) -> None:
    with psycopg.connect(url) as connection:
        with connection.cursor().copy(
            "COPY accounts (id, kind, username, password_hash, password_changed_at, is_active) FROM STDIN"
        ) as rows:
            for number in range(count):
                rows.write_row((uuid4(), "PERSON", _username(number), "-", "2026-01-01T00:00:00Z", True))
        connection.commit()
        connection.autocommit = True
        connection.execute("VACUUM ANALYZE accounts")


async def _lookups(url: str, count: int) -> list[float]:
    """Milliseconds of each lookup."""
    database = Database(open_engine(url, None))
    chance = random.Random(count)
    took = []
    for _ in range(LOOKUPS):
        name = _username(chance.randrange(count))
        began = time.perf_counter()
        async with database.sessions.begin() as session:
            found = await find_account_id(session, name)
        took.append((time.perf_counter() - began) * 1000)
        assert found is not None
    await database.close()
    return took
