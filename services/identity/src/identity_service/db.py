"""The base of identity's rows, and transactions for use cases that must not hold one while they wait."""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from enum import StrEnum
from typing import Annotated, Self

import asyncpg
from fastapi import Depends, Request
from sqlalchemy import Enum
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker
from sqlalchemy.orm import DeclarativeBase

from service_common.db import TYPE_ANNOTATIONS, Database, service_metadata
from service_common.tables import attach_plumbing


class Base(DeclarativeBase):
    """Enums are words in the database: a new one needs no migration of a type."""

    metadata = service_metadata()
    type_annotation_map = {  # noqa: RUF012 - SQLAlchemy reads it from the class
        **TYPE_ANNOTATIONS,
        StrEnum: Enum(
            StrEnum, native_enum=False, length=40, values_callable=lambda kind: [one.value for one in kind]
        ),
    }


attach_plumbing(Base.metadata)

AWAY = (DBAPIError, PoolTimeoutError, asyncpg.InterfaceError, OSError)
"""How a database that is away shows itself to a background job, which waits for it."""

Transactions = Callable[[], AbstractAsyncContextManager[AsyncSession]]
"""Opens one transaction each time it is called. For what hashes a password or asks the authority in between."""


def transactions_of(database: Database) -> Transactions:
    """Committed at the end of each ``async with``, rolled back when it raises."""
    return database.sessions.begin


async def _transactions(request: Request) -> Transactions:
    return transactions_of(request.app.state.database)


class BegunByNeed:
    """At most one session, opened when it is first asked for: many requests get by without.

    Its transaction begins with the first statement, is committed at the end, and rolled back when the use case raises.
    """

    def __init__(self, sessions: async_sessionmaker[AsyncSession]) -> None:
        self._sessions = sessions
        self._session: AsyncSession | None = None

    def __call__(self) -> AsyncSession:
        if self._session is None:
            self._session = self._sessions()
        return self._session

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if self._session is None:
            return
        # Its exit gives the connection back even while the request is being cancelled.
        async with self._session as session:
            if kind is None and session.in_transaction():
                await session.commit()


def lone_statements(database: Database) -> async_sessionmaker[AsyncSession]:
    """Sessions without a transaction around their statements: each is committed by itself, as durably as any."""
    alone = database.engine.execution_options(isolation_level="AUTOCOMMIT")
    return async_sessionmaker(alone, expire_on_commit=False)


InTransactions = Annotated[Transactions, Depends(_transactions)]
