"""The database of one service: one engine, sessions owned by the edge, and what rows have in common."""

import ssl
from collections.abc import AsyncIterator
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any
from uuid import UUID

import asyncpg
import uuid_utils.compat
from fastapi import Depends, Request
from sqlalchemy import BigInteger, DateTime, MetaData, Uuid, event, func
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import DBAPIError, DisconnectionError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.orm import Mapped, MappedColumn, declared_attr, mapped_column
from sqlalchemy.types import LargeBinary

from service_common.settings import ServiceSettings

NAMING_CONVENTION = {
    "ix": "ix_%(column_0_N_label)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}

# For the `type_annotation_map` of a service's Base: times are aware, documents are JSONB, counters are 64 bit.
TYPE_ANNOTATIONS: dict[Any, Any] = {
    datetime: DateTime(timezone=True),
    dict[str, Any]: JSONB,
    list[Any]: JSONB,
    list[str]: JSONB,
    bytes: LargeBinary,
    UUID: Uuid,
    int: BigInteger,
}


def service_metadata() -> MetaData:
    """Metadata with the house's constraint names, for a service's own ``Base``."""
    return MetaData(naming_convention=NAMING_CONVENTION)


def new_id() -> UUID:
    """A UUIDv7 (RFC 9562 §5.7): unique, and sorted by the time of its making."""
    return uuid_utils.compat.uuid7()


SEALED = "sealed"
"""In a column's ``info``: the name that its values are bound to by ``KeyRing``."""


def sealed(name: str) -> MappedColumn[Any]:
    """A column of values that the key ring seals for ``name``: the rotation of data keys finds it by this."""
    return mapped_column(LargeBinary, info={SEALED: name})


class Aggregate:
    """Columns of a row that people decide about and others hear of.

    ``version`` guards against two writers and is the ETag; ``revision`` counts the events sent about it.
    """

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    version: Mapped[int] = mapped_column(nullable=False)
    revision: Mapped[int] = mapped_column(default=0)
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    updated_at: Mapped[datetime] = mapped_column(server_default=func.now(), onupdate=func.now())

    @declared_attr.directive
    def __mapper_args__(cls) -> dict[str, Any]:  # noqa: N805
        return {"version_id_col": cls.version, "eager_defaults": True}


def async_url(database_url: str) -> URL:
    """The plain PostgreSQL address with our driver named in it."""
    return make_url(database_url).set(drivername="postgresql+asyncpg")


def server_trust(ca_file: Path | None) -> dict[str, Any]:
    """What asyncpg needs to check the server's certificate and name, and to refuse a server without; none: as the URL says.

    Read for each connection: the authorities of a cluster are renewed while we run.
    """
    return {"ssl": ssl.create_default_context(cafile=ca_file)} if ca_file else {}


def _refuse_closed(connection: Any, _record: object, _proxy: object) -> None:
    """Lets the pool replace a connection that the server has closed.

    ``pool_pre_ping`` would find the same with three round trips per checkout: 29 % of short reads (ADR 0004).
    """
    if connection.driver_connection.is_closed():
        raise DisconnectionError


def open_engine(database_url: str, ca_file: Path | None, **options: Any) -> AsyncEngine:
    """An engine on a service's database, that speaks to the right server alone when an authority is given."""
    engine = create_async_engine(async_url(database_url), **options)

    def trust(_dialect: object, _record: object, _arguments: object, parameters: dict[str, Any]) -> None:
        parameters.update(server_trust(ca_file))

    event.listen(engine.sync_engine, "do_connect", trust)
    event.listen(engine.sync_engine, "checkout", _refuse_closed)
    return engine


def is_passing_fault(error: BaseException) -> bool:
    """Whether the database refused for a reason that trying again later may cure.

    asyncpg's deadlock, serialisation, lock and statement timeouts arrive as plain ``DBAPIError``: the SQLSTATE class
    tells (40 rollback, 53 resources, 55 lock, 57 operator intervention, 08 connection). While the server is down a connect
    raises ``ConnectionError`` or ``TimeoutError``, which are no ``DBAPIError`` at all.
    """
    if isinstance(error, DBAPIError):
        state = str(getattr(error.orig, "sqlstate", None) or "")
        return error.connection_invalidated or state[:2] in {"08", "40", "53", "55", "57"}
    return isinstance(error, ConnectionError | TimeoutError | PoolTimeoutError | asyncpg.InterfaceError)


class Database:
    """The engine and its sessions, one per process."""

    def __init__(self, engine: AsyncEngine, sessions: async_sessionmaker[AsyncSession] | None = None) -> None:
        self.engine = engine
        self.sessions = sessions or async_sessionmaker(engine, expire_on_commit=False)

    @classmethod
    def connect(cls, settings: ServiceSettings) -> "Database":
        """Opens a pool; connections are made on first use and tested after a server restart."""
        engine = open_engine(
            settings.database_url.get_secret_value(),
            settings.database_ca_file,
            pool_size=settings.database_pool_size,
            # Connections beyond a pool are closed on return: under load each checkout would pay for a new server process,
            # its types and its prepared statements.
            max_overflow=0,
            # The last one returned first: a quiet process keeps few connections warm and opens no others.
            pool_use_lifo=True,
            pool_recycle=1800,
            hide_parameters=True,  # they would stand in every logged exception, and hold what people told us
            connect_args={
                "timeout": 10,
                # Above the server's own statement timeout: it only ends a wait for a server that went silent.
                "command_timeout": settings.database_statement_timeout_ms / 1000 + 5,
                "server_settings": {
                    "statement_timeout": str(settings.database_statement_timeout_ms),
                    "idle_in_transaction_session_timeout": "60000",
                    "timezone": "UTC",
                    "jit": "off",
                },
            },
        )
        return cls(engine)

    async def close(self) -> None:
        await self.engine.dispose()


def transaction_memory(session: AsyncSession) -> dict[str, Any]:
    """What the running transaction has learnt already, by the name of who learnt it. Empty in the next one.

    A savepoint is a transaction of its own here, and forgets on both of its sides: what it wrote may be rolled back.
    """
    transaction = session.get_nested_transaction() or session.get_transaction()
    owner, memory = session.info.get("transaction_memory", (None, {}))
    if transaction is None or owner is not transaction:
        memory = {}
        session.info["transaction_memory"] = (transaction, memory)
    known: dict[str, Any] = memory
    return known


async def get_session(request: Request) -> AsyncIterator[AsyncSession]:
    """One transaction per request, committed when the route has returned and before the answer leaves.

    Must be used through ``Session`` below: with FastAPI's default scope the code after ``yield`` would run
    after the answer was sent, and a failed commit would have answered 201.
    """
    database: Database = request.app.state.database
    async with database.sessions() as session, session.begin():
        yield session


Session = Annotated[AsyncSession, Depends(get_session, scope="function")]
