"""From the outbox to a handler in another service, on the real broker: nothing lost, nothing twice."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import timedelta
from typing import Any
from uuid import UUID

import nats
import pytest
from sqlalchemy import func, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from lianban_local.testing.brokers import TestNats
from service_common import outbox
from service_common.backlog import oldest_unsent_seconds
from service_common.clock import utc_now
from service_common.contracts.envelope import CloudEvent
from service_common.contracts.identity import PersonRegistered, PersonVerified
from service_common.db import Database, new_id, open_engine
from service_common.dead_letters import list_dead_letters, replay_dead_letter
from service_common.errors import Conflict, Unavailable
from service_common.jobs import cancel_all
from service_common.messaging import Consumer, Subscriber, apply, handle_once
from service_common.relay import _LEADER_LOCK, Relay, requeue_lost
from service_common.settings import ServiceSettings
from service_common.streams import connect, ensure_stream
from service_common.tables import dead_events, processed_events
from service_common.tables import outbox as outbox_table

Running = Callable[..., contextlib.AbstractAsyncContextManager[None]]


class Thing:
    """Anything that events are about."""

    def __init__(self) -> None:
        self.id = new_id()
        self.revision = 0


@pytest.fixture
def running(settings: ServiceSettings, database: Database) -> Running:
    @contextlib.asynccontextmanager
    async def run(*subscribers: Subscriber[Any], relay: bool = True) -> AsyncIterator[None]:
        client = await connect(settings, "test")
        jobs = [Consumer(one, settings, database, client).run() for one in subscribers]
        if relay:
            jobs.append(Relay("identity", settings, database, client).run())
        tasks = [asyncio.create_task(job) for job in jobs]
        try:
            yield
        finally:
            await cancel_all(set(tasks))
            await client.close()

    return run


async def emit(database: Database, thing: Thing, *levels: int) -> None:
    events = [PersonVerified(person_id=thing.id, level=level) for level in levels]
    async with database.sessions() as session, session.begin():
        await outbox.add(session, thing, *events, now=utc_now())


async def until(condition: Callable[[], bool], seconds: float = 60) -> None:
    async with asyncio.timeout(seconds):
        while not condition():
            await asyncio.sleep(0.02)


async def write_note(session: AsyncSession, text_: str) -> None:
    await session.execute(
        text("INSERT INTO notes (id, version, revision, text) VALUES (:id, 1, 0, :text)"),
        {"id": new_id(), "text": text_},
    )


async def notes(database: Database) -> list[str]:
    async with database.sessions() as session:
        return list(await session.scalars(text("SELECT text FROM notes ORDER BY id")))


async def unsent(database: Database) -> int:
    """Rows of the outbox that the relay has still to send."""
    query = select(func.count()).select_from(outbox_table).where(outbox_table.c.sent_at.is_(None))
    async with database.sessions() as session:
        return await session.scalar(query) or 0


async def test_a_committed_event_reaches_its_handler_once_and_in_order(
    running: Running, database: Database
) -> None:
    seen: list[tuple[UUID, int]] = []

    async def handler(session: AsyncSession, event: CloudEvent[PersonVerified]) -> None:
        await write_note(session, str(event.data.level))
        seen.append((event.subject, event.revision))

    things = [Thing() for _ in range(5)]
    async with running(Subscriber("levels", PersonVerified, handler)):
        for level in (1, 2, 3, 4):
            for thing in things:
                await emit(database, thing, level)
        await until(lambda: len(seen) == 20)
    for thing in things:
        assert [revision for subject, revision in seen if subject == thing.id] == [1, 2, 3, 4]
    assert len(await notes(database)) == 20


async def test_an_event_of_a_rolled_back_transaction_is_never_sent(
    running: Running, database: Database
) -> None:
    seen: list[int] = []

    async def handler(_session: AsyncSession, event: CloudEvent[PersonVerified]) -> None:
        seen.append(event.data.level)

    with contextlib.suppress(ZeroDivisionError):
        async with database.sessions() as session, session.begin():
            await outbox.add(session, Thing(), PersonVerified(person_id=new_id(), level=1), now=utc_now())
            raise ZeroDivisionError
    async with running(Subscriber("levels", PersonVerified, handler)):
        await emit(database, Thing(), 2)
        await until(lambda: bool(seen))
    assert seen == [2]


async def test_a_second_delivery_does_nothing(database: Database, settings: ServiceSettings) -> None:
    calls = 0

    async def handler(session: AsyncSession, _event: CloudEvent[PersonVerified]) -> None:
        nonlocal calls
        calls += 1
        await write_note(session, "once")

    subscriber = Subscriber("levels", PersonVerified, handler)
    event = CloudEvent[PersonVerified](
        id=new_id(), type=PersonVerified.subject, source="/identity", subject=new_id(), time=utc_now(),
        revision=1, data=PersonVerified(person_id=new_id(), level=1),
    )  # fmt: skip
    assert await handle_once(database, subscriber, event) is True
    assert await handle_once(database, subscriber, event) is False
    assert (calls, await notes(database)) == (1, ["once"])


async def test_an_old_revision_is_ignored_where_order_matters(database: Database) -> None:
    applied: list[int] = []

    async def handler(_session: AsyncSession, event: CloudEvent[PersonVerified]) -> None:
        applied.append(event.revision)

    subscriber = Subscriber("levels", PersonVerified, handler, skip_stale=True)
    person = new_id()
    for revision in (2, 1, 3, 2):
        event = CloudEvent[PersonVerified](
            id=new_id(), type=PersonVerified.subject, source="/identity", subject=person, time=utc_now(),
            revision=revision, data=PersonVerified(person_id=person, level=1),
        )  # fmt: skip
        async with database.sessions() as session, session.begin():
            await apply(session, subscriber, event)
    assert applied == [2, 3]


async def test_a_failing_handler_leaves_nothing_is_retried_and_becomes_a_dead_letter(
    running: Running, database: Database
) -> None:
    tries = 0
    broken = True

    async def handler(session: AsyncSession, event: CloudEvent[PersonVerified]) -> None:
        nonlocal tries
        tries += 1
        await write_note(session, "half")
        if broken:
            raise Conflict

    subscriber = Subscriber("levels", PersonVerified, handler)

    async def dead() -> int:
        async with database.sessions() as session:
            return await session.scalar(select(func.count()).select_from(dead_events)) or 0

    async with running(subscriber):
        await emit(database, Thing(), 1)
        async with asyncio.timeout(60):
            while not await dead():
                await asyncio.sleep(0.05)
    assert tries == 3
    assert await notes(database) == []
    async with database.sessions() as session:
        letters = await list_dead_letters(session)
    broken = False
    assert await replay_dead_letter(database, [subscriber], letters[0].id) is True
    assert await replay_dead_letter(database, [subscriber], letters[0].id) is False
    assert await notes(database) == ["half"]
    async with database.sessions() as session:
        assert await list_dead_letters(session) == []


async def test_a_passing_fault_is_tried_for_as_long_as_it_lasts(running: Running, database: Database) -> None:
    tries = 0

    async def prepare(_event: CloudEvent[PersonVerified]) -> str:
        nonlocal tries
        tries += 1
        if tries < 5:  # more often than `event_max_tries` of these tests
            raise Unavailable
        return "prepared"

    async def handler(session: AsyncSession, _event: CloudEvent[PersonVerified], prepared: str) -> None:
        await write_note(session, prepared)

    async with running(Subscriber("levels", PersonVerified, handler, prepare=prepare)):
        await emit(database, Thing(), 1)
        await until(lambda: tries >= 5)
        async with asyncio.timeout(60):
            while await notes(database) != ["prepared"]:
                await asyncio.sleep(0.05)


async def test_a_dead_letter_that_cannot_be_written_stops_no_later_event(
    settings: ServiceSettings, database: Database
) -> None:
    thing = Thing()
    asked: list[int] = []
    seen: list[int] = []

    async def refuse_the_first(event: CloudEvent[PersonVerified]) -> None:
        asked.append(event.data.level)
        if event.data.level == 1:
            raise ValueError

    async def handler(_session: AsyncSession, event: CloudEvent[PersonVerified], _prepared: None) -> None:
        seen.append(event.data.level)

    subscriber = Subscriber("levels", PersonVerified, handler, prepare=refuse_the_first)
    client = await connect(settings, "test")
    relay = Relay("identity", settings, database, client)
    small = Database(
        open_engine(
            settings.database_url.get_secret_value(), None, pool_size=1, max_overflow=0, pool_timeout=0.2
        )
    )
    once = settings.model_copy(update={"event_max_tries": 1})
    jobs = {asyncio.create_task(one.run()) for one in (relay, Consumer(subscriber, once, small, client))}
    try:
        async with small.engine.connect():  # the only connection: nothing can be written down
            await emit(database, thing, 1, 2)
            await until(lambda: 2 in asked)
        await until(lambda: seen == [2])
    finally:
        await cancel_all(jobs)
        await client.close()
        await small.close()


async def test_an_unreadable_message_is_kept_and_does_not_block(
    running: Running, database: Database, settings: ServiceSettings
) -> None:
    seen: list[int] = []

    async def handler(_session: AsyncSession, event: CloudEvent[PersonVerified]) -> None:
        seen.append(event.data.level)

    async with running(Subscriber("levels", PersonVerified, handler)):
        client = await nats.connect(settings.nats_url.get_secret_value())
        await ensure_stream(client.jetstream(), "identity", settings)
        await client.jetstream().publish(PersonVerified.subject, b"not an event")
        await client.close()
        await emit(database, Thing(), 3)
        await until(lambda: seen == [3])
        async with asyncio.timeout(60):
            while True:
                async with database.sessions() as session:
                    letters = await list_dead_letters(session)
                if letters:
                    break
                await asyncio.sleep(0.05)
    assert bytes(letters[0].body) == b"not an event"


async def test_an_unknown_field_of_an_event_is_ignored() -> None:
    subscriber = Subscriber("levels", PersonVerified, lambda *_: asyncio.sleep(0))
    event = CloudEvent[PersonVerified](
        id=new_id(), type=PersonVerified.subject, source="/identity", subject=new_id(), time=utc_now(),
        revision=1, data=PersonVerified(person_id=new_id(), level=1),
    )  # fmt: skip
    body = event.model_dump_json().replace('"level":1', '"level":1,"added_later":true')
    assert subscriber.read(body.encode()) == event


async def test_the_broker_killed_with_sigkill_loses_and_doubles_nothing(
    running: Running, database: Database, nats_server: TestNats
) -> None:
    seen: list[int] = []

    async def handler(session: AsyncSession, event: CloudEvent[PersonVerified]) -> None:
        await write_note(session, str(event.data.level))
        seen.append(event.data.level)

    async with running(Subscriber("levels", PersonVerified, handler)):
        for level in range(60):
            await emit(database, Thing(), level)
            if level == 20:
                nats_server.server.kill()
            if level == 40:
                nats_server.server.start()
                nats_server.server.wait_ready()
        async with asyncio.timeout(60):
            while len(await notes(database)) < 60:
                await asyncio.sleep(0.1)
        await asyncio.sleep(0.5)
    assert sorted(map(int, await notes(database))) == list(range(60))


async def test_what_the_stream_lost_is_sent_again(
    running: Running, database: Database, settings: ServiceSettings, nats_server: TestNats
) -> None:
    async with running():
        await emit(database, Thing(), 1, 2, 3)
        async with asyncio.timeout(60):
            while await unsent(database):
                await asyncio.sleep(0.05)
    await nats_server.clear()
    client = await connect(settings, "test")
    assert await requeue_lost(client.jetstream(), "identity", database) == 3
    await client.close()
    seen: list[int] = []

    async def handler(_session: AsyncSession, event: CloudEvent[PersonVerified]) -> None:
        seen.append(event.data.level)

    async with running(Subscriber("levels", PersonVerified, handler)):
        await until(lambda: sorted(seen) == [1, 2, 3])


async def test_what_a_restored_stream_lacks_is_sent_again_although_nothing_failed(
    running: Running, database: Database, settings: ServiceSettings, nats_server: TestNats
) -> None:
    """The broker comes back from a backup while nothing is sent, and its next places are those of what it lost."""
    client = await connect(settings, "test")
    jetstream = client.jetstream()
    async with running():
        await emit(database, thing := Thing(), 1, 2, 3, 4)
        async with asyncio.timeout(60):
            while await unsent(database):
                await asyncio.sleep(0.05)
        backup = [await jetstream.get_msg("IDENTITY", sequence) for sequence in (1, 2)]
        await nats_server.clear()
        await ensure_stream(jetstream, "identity", settings)
        for message in backup:
            await jetstream.publish(str(message.subject), message.data or b"", headers=message.headers)
        await emit(database, thing, 5)
        async with asyncio.timeout(60):
            while (await jetstream.stream_info("IDENTITY")).state.messages < 5:
                await asyncio.sleep(0.05)
    await client.close()


async def test_only_one_relay_leads(running: Running, database: Database, settings: ServiceSettings) -> None:
    async def leaders(*, granted: bool) -> int:
        locks = text(
            "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND granted = :granted AND objid = :lock "
            "AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
        )
        async with database.sessions() as session:
            return int(await session.scalar(locks, {"granted": granted, "lock": _LEADER_LOCK}) or 0)

    async with running(), asyncio.timeout(60):
        while await leaders(granted=True) == 0:
            await asyncio.sleep(0.02)
        async with running():
            while await leaders(granted=False) == 0:
                await asyncio.sleep(0.02)
            await emit(database, Thing(), 1, 2, 3)
            while await unsent(database):
                await asyncio.sleep(0.02)
            client = await connect(settings, "test")
            stream = await client.jetstream().stream_info("IDENTITY")
            await client.close()
            assert stream.state.messages == 3
            assert (await leaders(granted=True), await leaders(granted=False)) == (1, 1)


async def test_the_inbox_is_keyed_by_consumer_and_event(database: Database) -> None:
    """Two handlers that share a dedupe id would swallow each other's events."""
    ran: list[str] = []

    def listener(name: str) -> Callable[..., Awaitable[None]]:
        async def handler(_session: AsyncSession, _event: CloudEvent[PersonRegistered]) -> None:
            ran.append(name)

        return handler

    person = new_id()
    event = CloudEvent[PersonRegistered](
        id=new_id(), type=PersonRegistered.subject, source="/identity", subject=person, time=utc_now(),
        revision=1, data=PersonRegistered(person_id=person),
    )  # fmt: skip
    for name in ("one", "two", "one"):
        await handle_once(database, Subscriber(name, PersonRegistered, listener(name)), event)
    assert ran == ["one", "two"]
    async with database.sessions() as session:
        assert await session.scalar(select(func.count()).select_from(processed_events)) == 2


async def test_without_a_leader_the_oldest_event_is_seen_to_wait(
    running: Running, database: Database, settings: ServiceSettings
) -> None:
    assert await oldest_unsent_seconds(database, now=utc_now()) == 0
    began = utc_now()
    await emit(database, Thing(), 1)
    later = utc_now() + timedelta(minutes=10)
    assert 600 <= await oldest_unsent_seconds(database, now=later) <= (later - began).total_seconds()
    async with running():
        async with asyncio.timeout(60):
            while await oldest_unsent_seconds(database, now=later):
                await asyncio.sleep(0.05)
