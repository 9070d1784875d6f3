"""The consuming side: durable pull consumers whose handlers run once, in one transaction with the inbox.

Commit, then acknowledge. A handler that fails is tried again with growing delay; after ``event_max_tries`` the event is a dead
letter, kept in the database for a person to look at and replay. A message that cannot be read is one at once.
"""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar
from uuid import UUID

import asyncpg
import structlog
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.errors import Error as NatsError
from nats.js import JetStreamContext
from nats.js.api import AckPolicy, ConsumerConfig, DeliverPolicy
from opentelemetry.trace import SpanKind
from pydantic import ValidationError
from sqlalchemy import func
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.ext.asyncio import AsyncSession

from service_common.contracts.envelope import CloudEvent, EventT
from service_common.contracts.registry import stream_of
from service_common.db import Database, is_passing_fault
from service_common.errors import Unavailable
from service_common.jobs import end_if_cancelled
from service_common.settings import ServiceSettings
from service_common.streams import ensure_stream
from service_common.tables import aggregate_positions, dead_events, processed_events
from service_common.telemetry import context_from, meter, tracer

logger = structlog.get_logger()

_handled = meter.create_counter("events_handled", description="Events handled, by consumer")
_repeated = meter.create_counter("events_repeated", description="Deliveries that the inbox recognised")
_retried = meter.create_counter("events_retried", description="Deliveries given back for another try")
_dead = meter.create_counter("events_dead", description="Events kept as dead letters: look at them")

_LANES = 8
_IN_HAND = 64
_FETCH_SECONDS = 5.0
_ACK_WAIT_SECONDS = 30.0
_LONGEST_DELAY_SECONDS = 60.0

Prepared = TypeVar("Prepared")

_REMEMBER = insert(processed_events).on_conflict_do_nothing().returning(processed_events.c.event_id)


@dataclass(frozen=True)
class Subscriber(Generic[EventT]):
    """Who listens to what.

    ``name`` is the durable consumer and the key of the inbox: two subscribers never share one.
    ``prepare`` runs before the transaction and is the only place for a network call; it must be idempotent. What it
    returns is passed to ``handler`` as a third argument.
    ``skip_stale`` ignores an event whose revision is not newer than the last one applied for that aggregate.
    """

    name: str
    event: type[EventT]
    handler: Callable[..., Awaitable[None]]
    prepare: Callable[[CloudEvent[EventT]], Awaitable[Any]] | None = None
    skip_stale: bool = False

    def read(self, body: bytes) -> CloudEvent[EventT]:
        """Parses a message. Raises: pydantic.ValidationError."""
        return CloudEvent[self.event].model_validate_json(body)  # type: ignore[name-defined]


async def apply(
    session: AsyncSession, subscriber: Subscriber[EventT], event: CloudEvent[EventT], prepared: Any = None
) -> bool:
    """Runs a handler in the caller's transaction unless the inbox knows the event. Returns whether it ran."""
    fresh = await session.execute(_REMEMBER, {"consumer": subscriber.name, "event_id": event.id})
    if fresh.first() is None:
        return False
    if subscriber.skip_stale and not await _is_newer(session, subscriber.name, event.subject, event.revision):
        return False
    arguments = (session, event) if subscriber.prepare is None else (session, event, prepared)
    await subscriber.handler(*arguments)
    return True


async def _is_newer(session: AsyncSession, consumer: str, aggregate_id: UUID, revision: int) -> bool:
    statement = insert(aggregate_positions).values(
        consumer=consumer, aggregate_id=aggregate_id, revision=revision
    )
    moved = await session.execute(
        statement.on_conflict_do_update(
            index_elements=["consumer", "aggregate_id"],
            set_={"revision": statement.excluded.revision},
            where=aggregate_positions.c.revision < statement.excluded.revision,
        ).returning(aggregate_positions.c.revision)
    )
    return moved.first() is not None


def _is_passing(error: BaseException) -> bool:
    """A fault of the surroundings, not of the event: it is tried again for as long as it lasts."""
    return is_passing_fault(error) or isinstance(error, Unavailable | OSError | NatsError)


class Consumer(Generic[EventT]):
    """Pulls one subscriber's events and handles them in lanes: events of one aggregate in order, others side by side."""

    def __init__(
        self, subscriber: Subscriber[EventT], settings: ServiceSettings, database: Database, client: Client
    ) -> None:
        self._subscriber = subscriber
        self._settings = settings
        self._database = database
        self._jetstream: JetStreamContext = client.jetstream()
        self._lanes: list[asyncio.Queue[tuple[Msg, CloudEvent[EventT]]]] = [
            asyncio.Queue() for _ in range(_LANES)
        ]
        self._in_hand = 0
        self._room = asyncio.Event()

    async def run(self) -> None:
        """Consumes until cancelled; a lost broker is waited for. What is in hand then goes back at once."""
        lanes = [asyncio.create_task(self._run_lane(lane)) for lane in self._lanes]
        try:
            while True:
                try:
                    await self._pull()
                except (NatsError, OSError, TimeoutError) as error:
                    logger.warning(
                        "consumer_lost_broker", consumer=self._subscriber.name, error=type(error).__name__
                    )
                await asyncio.sleep(1)
        finally:
            for lane in lanes:
                lane.cancel()
            await asyncio.gather(*lanes, return_exceptions=True)
            await self._give_back_all()

    async def _pull(self) -> None:
        subscription = await self._subscribe()
        try:
            while True:
                while self._in_hand >= _IN_HAND:
                    self._room.clear()
                    await self._room.wait()
                end_if_cancelled()
                try:
                    messages = await subscription.fetch(_IN_HAND - self._in_hand, timeout=_FETCH_SECONDS)
                except TimeoutError:
                    # Also how a consumer that vanished with its server's data shows itself: ask for it.
                    await subscription.consumer_info()
                    continue
                for message in messages:
                    await self._sort_into_lane(message)
        finally:
            with contextlib.suppress(NatsError, OSError):
                await subscription.unsubscribe()

    async def _subscribe(self) -> JetStreamContext.PullSubscription:
        stream = stream_of(self._subscriber.event)
        await ensure_stream(self._jetstream, stream.lower(), self._settings)
        return await self._jetstream.pull_subscribe(
            self._subscriber.event.subject,
            durable=self._subscriber.name,
            stream=stream,
            config=ConsumerConfig(
                durable_name=self._subscriber.name,
                filter_subject=self._subscriber.event.subject,
                ack_policy=AckPolicy.EXPLICIT,
                deliver_policy=DeliverPolicy.ALL,
                ack_wait=_ACK_WAIT_SECONDS,
                max_deliver=-1,
                max_ack_pending=_IN_HAND * 4,
                num_replicas=self._settings.stream_replicas,
            ),
        )

    async def _sort_into_lane(self, message: Msg) -> None:
        try:
            event = self._subscriber.read(message.data)
        except ValidationError as error:
            await self._bury(message, None, error)
            return
        self._in_hand += 1
        self._lanes[event.subject.int % _LANES].put_nowait((message, event))

    async def _run_lane(self, lane: "asyncio.Queue[tuple[Msg, CloudEvent[EventT]]]") -> None:
        while True:
            message, event = await lane.get()
            try:
                await self._handle(message, event)
            except asyncio.CancelledError:
                await _give_back(message, 0)
                raise
            except (
                Exception
            ):  # a lane that ended would be missed by nobody, and its aggregates would wait for ever
                logger.exception("lane_failed", consumer=self._subscriber.name, event_id=str(event.id))
            finally:
                self._in_hand -= 1
                self._room.set()

    async def _give_back_all(self) -> None:
        """So that another process gets them now and not when the broker's patience ends."""
        for lane in self._lanes:
            while not lane.empty():
                message, _event = lane.get_nowait()
                await _give_back(message, 0)

    async def _handle(self, message: Msg, event: CloudEvent[EventT]) -> None:
        labels = {"consumer": self._subscriber.name}
        with tracer.start_as_current_span(
            f"handle {event.type}", context=context_from(event.traceparent), kind=SpanKind.CONSUMER
        ):
            try:
                ran = await handle_once(self._database, self._subscriber, event)
            except Exception as error:  # the message loop: a failing handler must not stop the others
                await self._give_back_or_bury(message, event, error)
                return
            (_handled if ran else _repeated).add(1, labels)
            with contextlib.suppress(NatsError, OSError):  # an unheard ack means a redelivery, no more
                await message.ack()

    async def _give_back_or_bury(self, message: Msg, event: CloudEvent[EventT], error: Exception) -> None:
        tries = message.metadata.num_delivered or 1
        name = self._subscriber.name
        if tries >= self._settings.event_max_tries and not _is_passing(error):
            await self._bury(message, event.id, error)
            return
        _retried.add(1, {"consumer": name})
        logger.warning(
            "event_given_back", consumer=name, event_id=str(event.id), tries=tries, error=repr(error)
        )
        await _give_back(message, min(0.2 * 2 ** min(tries, 12), _LONGEST_DELAY_SECONDS))

    async def _bury(self, message: Msg, event_id: UUID | None, error: Exception) -> None:
        name = self._subscriber.name
        try:
            async with self._database.sessions() as session, session.begin():
                await session.execute(
                    insert(dead_events)
                    .values(
                        consumer=name,
                        event_id=event_id,
                        subject=message.subject,
                        body=message.data,
                        error=f"{type(error).__name__}: {error}"[:2000],
                        tries=message.metadata.num_delivered or 1,
                    )
                    .on_conflict_do_update(
                        index_elements=["consumer", "event_id"],
                        set_={"died_at": func.now(), "replayed_at": None},
                    )
                )
        except (DBAPIError, PoolTimeoutError, asyncpg.InterfaceError, OSError):
            logger.exception("dead_letter_not_written", consumer=name)
            return  # not acknowledged: it comes again
        _dead.add(1, {"consumer": name})
        logger.error("event_is_dead_letter", consumer=name, event_id=str(event_id), error=repr(error))
        with contextlib.suppress(NatsError, OSError):
            await message.term()


async def _give_back(message: Msg, delay_seconds: float) -> None:
    with contextlib.suppress(NatsError, OSError):  # unheard, it comes back when the broker's patience ends
        await message.nak(delay=delay_seconds)


async def handle_once(database: Database, subscriber: Subscriber[EventT], event: CloudEvent[EventT]) -> bool:
    """Prepares outside, then applies inside one transaction. Returns whether the handler ran."""
    prepared = await subscriber.prepare(event) if subscriber.prepare else None
    async with database.sessions() as session, session.begin():
        return await apply(session, subscriber, event, prepared)
