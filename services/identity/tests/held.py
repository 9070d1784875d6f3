"""Stops one transaction where it writes, so that a test can say what another does meanwhile."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

import httpx
from sqlalchemy import text

from identity_service.db import Transactions

_WAITING = text(
    "SELECT count(*) FROM pg_locks JOIN pg_stat_activity USING (pid) "
    "WHERE NOT granted AND datname = current_database()"
)


class Held:
    """Stops whoever writes to a table, or to the rows that are in it, so that a test can say what happens meanwhile."""

    def __init__(self, transactions: Transactions) -> None:
        self._transactions = transactions

    @contextlib.asynccontextmanager
    async def table(self, name: str) -> AsyncIterator[None]:
        async with self._transactions() as session:
            await session.execute(text(f"LOCK TABLE {name} IN SHARE MODE"))
            yield

    @contextlib.asynccontextmanager
    async def rows(self, name: str) -> AsyncIterator[None]:
        async with self._transactions() as session:
            await session.execute(text(f"SELECT id FROM {name} FOR UPDATE"))
            yield

    async def until_wait(self, count: int, *, or_done: "asyncio.Task[httpx.Response] | None" = None) -> None:
        async with asyncio.timeout(20):
            while or_done is None or not or_done.done():
                async with self._transactions() as session:
                    if await session.scalar(_WAITING) == count:
                        return
                await asyncio.sleep(0.02)
