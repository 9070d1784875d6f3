"""The base of identity's rows, and transactions for use cases that must not hold one while they wait."""

import contextlib
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from enum import StrEnum
from typing import Annotated

import asyncpg
from fastapi import Depends, Request
from sqlalchemy import Enum
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.ext.asyncio import AsyncSession
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


@contextlib.asynccontextmanager
async def began_by_use(database: Database) -> AsyncIterator[AsyncSession]:
    """A session whose transaction begins with its first statement: for use cases that often need none.

    Committed at the end if it was begun, rolled back when the use case raises.
    """
    session = database.sessions()
    try:
        yield session
        if session.in_transaction():
            await session.commit()
    except BaseException:
        # Its exit gives the connection back even while the request is being cancelled.
        async with session:
            raise


InTransactions = Annotated[Transactions, Depends(_transactions)]
