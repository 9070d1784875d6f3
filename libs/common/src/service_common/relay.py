"""The relay: sends outbox rows to JetStream and marks them after the server's acknowledgement.

One relay per service leads, by a PostgreSQL advisory lock held on a connection of its own; the others wait. It wakes
on NOTIFY and looks again every few seconds in case a wake-up was lost. Whatever dies, the worst is that a row is
sent twice: JetStream drops the copy inside its duplicate window, the consumers' inbox drops it after.
"""

import asyncio
import contextlib
import json
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any

import asyncpg
import structlog
from nats.aio.client import Client
from nats.js import JetStreamContext
from nats.js.api import PubAck
from nats.js.errors import NotFoundError
from sqlalchemy import ARRAY, BigInteger, Row, Uuid, bindparam, delete, func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from service_common.clock import utc_now
from service_common.db import Database, server_trust
from service_common.settings import ServiceSettings
from service_common.streams import ensure_stream
from service_common.tables import idempotency_keys, outbox, processed_events
from service_common.telemetry import meter

logger = structlog.get_logger()

_sent = meter.create_counter("outbox_sent", description="Events acknowledged by JetStream")
_failed = meter.create_counter("outbox_failed", description="Sends that failed and will be tried again")

_BATCH = 256
_ACK_TIMEOUT_SECONDS = 10
_LOOK_AGAIN_SECONDS = 5.0
_PRUNE_EVERY_SECONDS = 3600.0
_IDEMPOTENCY_HOURS = 24
# Any constant: "only one relay leads" within this service's own database.
_LEADER_LOCK = 7_210_001

_UNSENT = (
    select(outbox.c.id, outbox.c.subject, outbox.c.event)
    .where(outbox.c.sent_at.is_(None))
    .order_by(outbox.c.id)
    .limit(_BATCH)
)


class Relay:
    """Sends one service's outbox for as long as it runs."""

    def __init__(self, producer: str, settings: ServiceSettings, database: Database, client: Client) -> None:
        self._producer = producer
        self._settings = settings
        self._database = database
        self._jetstream: JetStreamContext = client.jetstream(publish_async_max_pending=_BATCH * 2)
        self._wake = asyncio.Event()

    async def run(self) -> None:
        """Leads when it can, for ever; a lost database or broker is waited for."""
        while True:
            try:
                await self._lead()
            except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
                logger.warning("relay_lost_database", error=type(error).__name__)
            await asyncio.sleep(1)

    async def _lead(self) -> None:
        settings = self._settings
        connection = await asyncpg.connect(
            settings.database_url.get_secret_value(), timeout=10, **server_trust(settings.database_ca_file)
        )
        try:
            # Waits in the server until the leader before us is gone.
            await connection.execute("SELECT pg_advisory_lock($1)", _LEADER_LOCK, timeout=None)
            await connection.add_listener("outbox", lambda *_: self._wake.set())
            logger.info("relay_leads", producer=self._producer)
            await self._send_while_connected(connection)
        finally:
            with contextlib.suppress(OSError, asyncpg.PostgresError, asyncpg.InterfaceError):
                await connection.close(timeout=2)

    async def _send_while_connected(self, connection: asyncpg.Connection) -> None:
        pruned_at = 0.0
        loop = asyncio.get_running_loop()
        reconciled = False
        while not connection.is_closed():
            self._wake.clear()
            try:
                if not reconciled:
                    await ensure_stream(self._jetstream, self._producer, self._settings)
                    await requeue_lost(self._jetstream, self._producer, self._database)
                    reconciled = True
                while await self.send_batch():
                    pass
            except Exception as error:  # the message loop: whatever it is, the rows are still there
                _failed.add(1)
                logger.warning("relay_send_failed", error=repr(error))
                reconciled = False
                await asyncio.sleep(1)
                continue
            if loop.time() - pruned_at > _PRUNE_EVERY_SECONDS:
                await prune(self._database, self._settings, now=utc_now())
                pruned_at = loop.time()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._wake.wait(), _LOOK_AGAIN_SECONDS)

    async def send_batch(self) -> int:
        """Sends the oldest unsent rows and marks those that were acknowledged. Returns how many."""
        async with self._database.sessions() as session:
            rows = (await session.execute(_UNSENT)).all()
        if not rows:
            return 0
        acknowledged = await self._publish(rows)
        async with self._database.sessions() as session, session.begin():
            await requeue_displaced(session, acknowledged.values())
            await mark_sent(session, {id_: one.seq for id_, one in acknowledged.items()}, now=utc_now())
        _sent.add(len(acknowledged))
        if len(acknowledged) < len(rows):
            raise ConnectionError(f"{len(rows) - len(acknowledged)} events were not acknowledged")
        return len(acknowledged)

    async def _publish(self, rows: Sequence[Row[Any, Any, Any]]) -> dict[Any, PubAck]:
        """Publishes in order without waiting in between; returns what the stream said of each acknowledged row."""
        pending = [
            await self._jetstream.publish_async(
                row.subject,
                json.dumps(row.event, ensure_ascii=False, separators=(",", ":")).encode(),
                headers={"Nats-Msg-Id": str(row.id), "Content-Type": "application/cloudevents+json"},
            )
            for row in rows
        ]
        done, _ = await asyncio.wait(pending, timeout=_ACK_TIMEOUT_SECONDS)
        return {
            row.id: future.result()
            for row, future in zip(rows, pending, strict=True)
            if future in done and not future.cancelled() and future.exception() is None
        }


_arrived = (
    func.unnest(bindparam("ids", type_=ARRAY(Uuid)), bindparam("sequences", type_=ARRAY(BigInteger)))
    .table_valued("id", "sequence")
    .render_derived("arrived")
)
_MARK_SENT = (
    update(outbox)
    .where(outbox.c.id == _arrived.c.id)
    .values(sent_at=bindparam("at"), stream_sequence=_arrived.c.sequence)
)


async def mark_sent(session: AsyncSession, sequences: dict[Any, int], *, now: datetime) -> None:
    """Notes when and where in the stream each row arrived."""
    if not sequences:
        return
    await session.execute(
        _MARK_SENT, {"ids": list(sequences), "sequences": list(sequences.values()), "at": now}
    )


async def requeue_displaced(session: AsyncSession, acknowledged: Iterable[PubAck]) -> None:
    """Marks as unsent what claims a place that the stream has only just given away: it is not in it any more.

    A broker can come back without its newest events while nothing is sent, so that nothing fails; soon its end is beyond our
    highest sequence again, and ``requeue_lost`` would see no loss.
    """
    given_away = min((one.seq for one in acknowledged if not one.duplicate), default=None)
    if given_away is None:
        return
    displaced = await session.execute(
        update(outbox)
        .where(outbox.c.stream_sequence >= given_away)
        .values(sent_at=None, stream_sequence=None)
    )
    if count := int(getattr(displaced, "rowcount", 0)):
        logger.error("outbox_requeued_displaced_events", count=count, from_sequence=given_away)


async def requeue_lost(jetstream: JetStreamContext, producer: str, database: Database) -> int:
    """Marks as unsent what the stream no longer holds although it acknowledged it. Returns how many rows.

    PostgreSQL is the truth: a broker restored from a backup, or one that lost its newest writes in a power cut, ends before our
    highest acknowledged sequence. What lies behind its end is sent again.
    """
    try:
        last = (await jetstream.stream_info(producer.upper())).state.last_seq
    except NotFoundError:
        last = 0
    async with database.sessions() as session, session.begin():
        highest = await session.scalar(select(func.max(outbox.c.stream_sequence)))
        if highest is None or highest <= last:
            return 0
        result = await session.execute(
            update(outbox).where(outbox.c.stream_sequence > last).values(sent_at=None, stream_sequence=None)
        )
        count = int(getattr(result, "rowcount", 0))
        logger.error("outbox_requeued_lost_events", producer=producer, count=count, stream_ends_at=last)
        return count


async def prune(database: Database, settings: ServiceSettings, *, now: datetime) -> None:
    """Forgets sent rows, processed events and idempotency keys that are past their time."""
    keep_until = now - timedelta(days=settings.outbox_retention_days)
    async with database.sessions() as session, session.begin():
        await session.execute(delete(outbox).where(outbox.c.sent_at < keep_until))
        # An event can be redelivered for as long as the stream holds it: the inbox remembers twice as long.
        inbox_until = now - timedelta(days=2 * settings.outbox_retention_days)
        await session.execute(delete(processed_events).where(processed_events.c.processed_at < inbox_until))
        keys_until = now - timedelta(hours=_IDEMPOTENCY_HOURS)
        await session.execute(delete(idempotency_keys).where(idempotency_keys.c.created_at < keys_until))
