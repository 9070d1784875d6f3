"""Data keys are rotated while people write: nothing is lost, everything ends under the newest key."""

import asyncio
import base64
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr
from sqlalchemy import (
    Column,
    DateTime,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    func,
    insert,
    select,
    update,
)
from typer.testing import CliRunner

from service_common.app import Service
from service_common.cli import service_cli
from service_common.crypto import KeyRing
from service_common.db import SEALED, Database
from service_common.resealing import Progress, reseal, sealed_columns, values_by_key
from service_common.settings import ServiceSettings

INDEX = b"i" * 32
OLD = KeyRing({1: b"1" * 32}, INDEX)
NEW = KeyRing({2: b"2" * 32, 1: b"1" * 32}, INDEX)
THEN = datetime(2026, 1, 1, tzinfo=UTC)

METADATA = MetaData()
# A primary key of two columns, and a moment of change that a new seal does not touch.
letters = Table(
    "letters",
    METADATA,
    Column("box", String(20), primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("body", LargeBinary, info={SEALED: "letters.body"}),
    Column("updated_at", DateTime(timezone=True), onupdate=func.now()),
)
(BODY,) = sealed_columns(METADATA)


def sealed(text: str, ring: KeyRing = OLD) -> bytes:
    return ring.encrypt(text, column="letters.body")


@pytest.fixture
async def filled(database: Database) -> Database:
    """Fifty letters in two boxes under the old key, and one without a body."""
    rows: list[dict[str, Any]] = [
        {"box": box, "number": number, "body": sealed(f"{box}{number}"), "updated_at": THEN}
        for box in ("甲", "乙")
        for number in range(25)
    ]
    rows.append({"box": "空", "number": 0, "body": None, "updated_at": THEN})
    async with database.engine.begin() as connection:
        await connection.run_sync(METADATA.drop_all)
        await connection.run_sync(METADATA.create_all)
        await connection.execute(insert(letters), rows)
    return database


async def texts(database: Database) -> dict[tuple[str, int], str | None]:
    async with database.sessions() as session:
        rows = await session.execute(select(letters))
        return {
            (row.box, row.number): NEW.decrypt(row.body, column="letters.body") if row.body else None
            for row in rows
        }


async def keys_in_use(database: Database) -> dict[int, int]:
    async with database.sessions() as session:
        return await values_by_key(session, BODY)


async def test_everything_ends_under_the_newest_key_and_nothing_else_changes(filled: Database) -> None:
    before = await texts(filled)
    told: list[tuple[int, int]] = []
    [progress] = await reseal(
        filled, NEW, METADATA, batch=20, tell=lambda one: told.append((one.resealed, one.due))
    )
    assert (progress.due, progress.resealed, progress.unreadable) == (50, 50, 0)
    assert told == [(20, 50), (40, 50), (50, 50)]
    assert await keys_in_use(filled) == {2: 50}
    assert await texts(filled) == before
    async with filled.sessions() as session:
        assert set(await session.scalars(select(letters.c.updated_at))) == {THEN}


async def test_a_second_run_finds_nothing_to_do(filled: Database) -> None:
    await reseal(filled, NEW, METADATA)
    async with filled.sessions() as session:
        first = set(await session.scalars(select(letters.c.body)))
    [progress] = await reseal(filled, NEW, METADATA)
    assert progress.due == progress.resealed == 0
    async with filled.sessions() as session:
        assert set(await session.scalars(select(letters.c.body))) == first


class _Stopped(Exception):
    """Somebody ended the command."""


async def test_what_was_done_before_an_interruption_stays_and_the_rest_follows(filled: Database) -> None:
    def stop(_progress: Progress) -> None:
        raise _Stopped

    with pytest.raises(_Stopped):
        await reseal(filled, NEW, METADATA, batch=20, tell=stop)
    assert await keys_in_use(filled) == {1: 30, 2: 20}
    [progress] = await reseal(filled, NEW, METADATA, batch=20)
    assert (progress.due, progress.resealed) == (30, 30)
    assert await keys_in_use(filled) == {2: 50}


async def test_what_is_written_meanwhile_is_kept(filled: Database) -> None:
    written = await texts(filled)
    stop = asyncio.Event()

    async def write() -> None:
        turn = 0
        while not stop.is_set():
            turn += 1
            place = ("乙" if turn % 2 else "甲", turn % 25)
            text = f"新{turn}"
            async with filled.sessions() as session, session.begin():
                await session.execute(
                    update(letters)
                    .where(letters.c.box == place[0], letters.c.number == place[1])
                    .values(body=sealed(text, NEW))
                )
            written[place] = text

    writer = asyncio.create_task(write())
    try:
        await reseal(filled, NEW, METADATA, batch=1)
    finally:
        stop.set()
        await writer
    assert await texts(filled) == written
    assert await keys_in_use(filled) == {2: 50}


async def test_a_value_that_was_replaced_after_it_was_read_is_not_brought_back(filled: Database) -> None:
    """The writer holds its row: the batch has read the old value and waits for what becomes of it."""
    async with filled.sessions() as writing, writing.begin():
        await writing.execute(
            update(letters)
            .where(letters.c.box == "甲", letters.c.number == 7)
            .values(body=sealed("后来的", NEW))
        )
        resealing = asyncio.create_task(reseal(filled, NEW, METADATA))
        async with filled.sessions() as watching, asyncio.timeout(30):
            while not await watching.scalar(
                select(func.count()).select_from(_waiting).where(_waiting.c.wait_event_type == "Lock")
            ):
                await watching.rollback()  # what runs in one transaction sees one picture of the server
                await asyncio.sleep(0.02)
    [progress] = await resealing
    assert (progress.due, progress.resealed) == (50, 49)
    assert (await texts(filled))["甲", 7] == "后来的"
    assert await keys_in_use(filled) == {2: 50}


_waiting = Table("pg_stat_activity", MetaData(), Column("wait_event_type", String))


async def test_what_does_not_open_is_counted_left_and_stops_nothing(filled: Database) -> None:
    lost = KeyRing({9: b"9" * 32}, INDEX).encrypt("谁也打不开", column="letters.body")
    async with filled.sessions() as session, session.begin():
        await session.execute(
            update(letters).where(letters.c.box == "甲", letters.c.number == 3).values(body=lost)
        )
    [progress] = await reseal(filled, NEW, METADATA, batch=20)
    assert (progress.due, progress.resealed, progress.unreadable) == (50, 49, 1)
    assert await keys_in_use(filled) == {2: 49, 9: 1}


async def test_the_command_says_how_far_it_is_and_fails_while_something_is_left(
    filled: Database, settings: ServiceSettings
) -> None:
    def encoded(key: bytes) -> str:
        return base64.b64encode(key).decode()

    told = {
        "data_keys": SecretStr(f"2:{encoded(b'2' * 32)},1:{encoded(b'1' * 32)}"),
        "index_key": SecretStr(encoded(INDEX)),
    }
    service = Service(
        name="identity",
        title="Toy",
        description="A toy",
        settings=settings.model_copy(update=told),
        routers=(),
        migrations=Path(__file__).parent,
        metadata=METADATA,
    )
    cli = service_cli(lambda: service)

    async def run(*words: str) -> Any:
        return await asyncio.to_thread(CliRunner().invoke, cli, ["data-keys", *words])

    lost = KeyRing({9: b"9" * 32}, INDEX).encrypt("谁也打不开", column="letters.body")
    async with filled.sessions() as session, session.begin():
        await session.execute(
            update(letters).where(letters.c.box == "甲", letters.c.number == 3).values(body=lost)
        )
    first = await run("reseal", "--batch", "25")
    assert first.exit_code == 1
    assert "letters.body: 25 of 50" in first.stdout or "letters.body: 24 of 50" in first.stdout
    assert "letters.body: 1 left, 1 do not open" in first.stderr
    async with filled.sessions() as session, session.begin():
        await session.execute(update(letters).where(letters.c.body == lost).values(body=None))
    second = await run("reseal")
    assert (second.exit_code, second.stdout.strip()) == (0, "everything is sealed with the newest key")
    assert "letters.body" in (await run("status")).stdout
