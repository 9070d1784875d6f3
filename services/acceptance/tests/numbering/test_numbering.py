"""Numbers never collide, however many people ask at once; document numbers have no gaps."""

import asyncio
import uuid
from collections.abc import AsyncIterator
from datetime import UTC, datetime

import pytest
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine

from acceptance_service.app import MIGRATIONS
from acceptance_service.numbering.handlers import (
    Serials,
    draw_document_number,
    draw_project_numbers,
    draw_query_number,
)
from gov_rules.identifiers import parse_document_number, parse_project_number, parse_query_number
from lianban_local.testing.databases import TestPostgres
from service_common.db import async_url
from service_common.migrations import migrate

NOW = datetime(2026, 7, 1, 2, 0, tzinfo=UTC)
CODE = "11430000006122244L2430107001001"


@pytest.fixture
async def sessions(postgres: TestPostgres) -> AsyncIterator["async_sessionmaker[AsyncSession]"]:
    """A database of this test's own: here transactions are committed."""
    url = postgres.create_database("acceptance", lambda one: migrate(one, MIGRATIONS))
    engine = create_async_engine(async_url(url), pool_size=20)
    yield async_sessionmaker(engine, expire_on_commit=False)
    await engine.dispose()


@pytest.fixture
def drawing(sessions: "async_sessionmaker[AsyncSession]") -> Serials:
    engine = sessions.kw["bind"].execution_options(isolation_level="AUTOCOMMIT")
    return Serials(engine)


async def test_fifty_people_at_once_get_fifty_numbers(drawing: Serials) -> None:
    drawn = await asyncio.gather(
        *(draw_project_numbers(drawing, [CODE], "430300000000", NOW, master=True) for _ in range(50))
    )
    serials = sorted(parse_project_number(numbers[0]).serial for numbers, _ in drawn)
    assert serials == list(range(1, 51))
    assert len({master for _, master in drawn}) == 50


async def test_crosswise_wishes_do_not_wait_for_each_other(drawing: Serials) -> None:
    async def draw(series: list[str]) -> dict[str, int]:
        return await drawing.draw(series)

    wishes = [["a", "b", "c"], ["c", "b", "a"]] * 20
    drawn = await asyncio.gather(*(draw(one) for one in wishes))
    assert sorted(one["a"] for one in drawn) == list(range(1, 41))


async def test_a_day_begins_at_midnight_in_shanghai(drawing: Serials) -> None:
    late = datetime(2026, 7, 1, 16, 30, tzinfo=UTC)
    numbers, _ = await draw_project_numbers(drawing, [CODE], "430300000000", late, master=False)
    assert parse_project_number(numbers[0]).day.isoformat() == "2026-07-02"


async def test_query_numbers_are_distinct_and_carry_a_check_digit(
    sessions: "async_sessionmaker[AsyncSession]",
) -> None:
    async def draw() -> str:
        async with sessions() as session, session.begin():
            return await draw_query_number(session, NOW)

    numbers = await asyncio.gather(*(draw() for _ in range(50)))
    assert len(set(numbers)) == 50
    assert all(parse_query_number(one) == one for one in numbers)


async def test_document_numbers_have_no_gap_where_a_transaction_failed(
    sessions: "async_sessionmaker[AsyncSession]",
) -> None:
    department = uuid.uuid4()

    async def issue(*, fail: bool) -> int:
        async with sessions() as session, session.begin() as transaction:
            number = await draw_document_number(
                session, department_id=department, short_name="岳麓市监", kind="受理", now=NOW
            )
            await asyncio.sleep(0.005)
            if fail:
                await transaction.rollback()
        return parse_document_number(number).serial

    drawn = await asyncio.gather(*(issue(fail=one % 3 == 0) for one in range(30)))
    kept = sorted(serial for one, serial in enumerate(drawn) if one % 3)
    assert kept == list(range(1, len(kept) + 1))


async def test_each_department_kind_and_year_counts_for_itself(
    sessions: "async_sessionmaker[AsyncSession]",
) -> None:
    async with sessions() as session, session.begin():

        async def draw(department: uuid.UUID, kind: str, now: datetime = NOW) -> str:
            return await draw_document_number(
                session, department_id=department, short_name="市监", kind=kind, now=now
            )

        one, other = uuid.uuid4(), uuid.uuid4()
        assert await draw(one, "受理") == "市监受理〔2026〕第1号"
        assert await draw(one, "受理") == "市监受理〔2026〕第2号"
        assert await draw(one, "准予") == "市监准予〔2026〕第1号"
        assert await draw(other, "受理") == "市监受理〔2026〕第1号"
        assert await draw(one, "受理", NOW.replace(year=2027)) == "市监受理〔2027〕第1号"
