"""Following an application without login: two numbers, few facts, and no guessing."""

import asyncio
from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine

from acceptance_service.progress.domain import MOST_FAILURES, ProgressNotFound, blocked_seconds
from acceptance_service.progress.handlers import forget_old_failures, look_up_progress
from gov_rules.identifiers import compose_query_number
from lianban_local.testing.databases import TestPostgres
from service_common.db import Database, async_url
from service_common.errors import TooMany

NOW = datetime(2026, 7, 1, 2, 0, tzinfo=UTC)


def test_a_number_is_open_until_five_failures() -> None:
    assert blocked_seconds(MOST_FAILURES - 1, NOW, NOW) == 0
    assert blocked_seconds(MOST_FAILURES, NOW, NOW) == 901
    assert blocked_seconds(MOST_FAILURES, NOW, NOW + timedelta(minutes=15)) == 0


async def ask(office: Any, number: str, password: str) -> Any:
    return await look_up_progress(office.app.state.database, office.ring, number, password, now=office.now)


async def receipt_of(office: Any) -> Any:
    receipt = await office.apply(office.citizen(), item="HN-430300-002014006001-02")
    await office.session.commit()
    return receipt


def wrong(password: str) -> str:
    return f"{(int(password) + 1) % 1_000_000:06d}"


async def test_the_numbers_on_the_receipt_show_how_far_it_is(office: Any) -> None:
    receipt = await receipt_of(office)
    found = await ask(office, receipt.application.query_number, receipt.query_password)
    assert found.application.id == receipt.application.id
    assert [one.status for one in found.cases] == ["SUBMITTED"]


async def test_a_number_may_be_typed_with_blanks(office: Any) -> None:
    receipt = await receipt_of(office)
    number = receipt.application.query_number
    assert await ask(office, f"{number[:6]} {number[6:]}", receipt.query_password)


@pytest.mark.parametrize("number", ["2607011234567890", "abc", "2607010000000"])
async def test_a_number_of_nobody_is_not_found(office: Any, number: str) -> None:
    with pytest.raises(ProgressNotFound):
        await ask(office, number, "000000")


async def test_five_wrong_passwords_close_the_number_even_for_the_right_one(office: Any) -> None:
    receipt = await receipt_of(office)
    number, password = receipt.application.query_number, receipt.query_password
    for _ in range(MOST_FAILURES):
        with pytest.raises(ProgressNotFound):
            await ask(office, number, wrong(password))
    with pytest.raises(TooMany):
        await ask(office, number, password)
    office.later(minutes=16)
    assert await ask(office, number, password)


async def test_old_failures_are_forgotten(office: Any) -> None:
    receipt = await receipt_of(office)
    with pytest.raises(ProgressNotFound):
        await ask(office, receipt.application.query_number, wrong(receipt.query_password))
    await forget_old_failures(office.session, now=office.later(hours=1))
    assert await office.session.scalar(text("SELECT count(*) FROM lookup_failures")) == 0


async def test_guesses_at_the_same_moment_count_one_after_the_other(
    office: Any, postgres: TestPostgres, database_url: str
) -> None:
    engine = create_async_engine(async_url(postgres.create_database("acceptance")), pool_size=10)
    database, number = Database(engine), compose_query_number(NOW.date(), 123456)
    answers = await asyncio.gather(
        *(look_up_progress(database, office.ring, number, "000000", now=NOW) for _ in range(20)),
        return_exceptions=True,
    )
    await engine.dispose()
    assert Counter(map(type, answers)) == {ProgressNotFound: MOST_FAILURES, TooMany: 20 - MOST_FAILURES}
