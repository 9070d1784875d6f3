"""How long events have been waiting in the outbox: seen by every worker, so that a relay without a leader is noticed."""

import asyncio
from datetime import datetime

import asyncpg
import structlog
from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError

from service_common.clock import utc_now
from service_common.db import Database
from service_common.tables import outbox
from service_common.telemetry import meter

logger = structlog.get_logger()

_oldest = meter.create_gauge(
    "outbox_oldest_unsent_seconds", description="Age of the oldest event that waits to be sent; 0: none waits"
)

_LOOK_EVERY_SECONDS = 15.0


async def oldest_unsent_seconds(database: Database, *, now: datetime) -> float:
    """Seconds since the oldest unsent event was committed, 0 when none waits. Raises: SQLAlchemyError, OSError."""
    async with database.sessions() as session:
        # Ids sort by time (UUIDv7), and the index of the unsent is by id.
        made = await session.scalar(
            select(outbox.c.created_at).where(outbox.c.sent_at.is_(None)).order_by(outbox.c.id).limit(1)
        )
    return max(0.0, (now - made).total_seconds()) if made else 0.0


async def watch_backlog(database: Database) -> None:
    """Sets the gauge for ever. While the database is away it keeps what it said last."""
    while True:
        try:
            _oldest.set(await oldest_unsent_seconds(database, now=utc_now()))
        except (SQLAlchemyError, OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
            logger.warning("backlog_lost_database", error=type(error).__name__)
        await asyncio.sleep(_LOOK_EVERY_SECONDS)
