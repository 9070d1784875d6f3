"""Attempts are counted before they are made, however many come at once and from wherever."""

import asyncio
from datetime import timedelta

import pytest
from sqlalchemy import select

from identity_service.accounts.domain import Throttle
from identity_service.accounts.models import Attempts
from identity_service.accounts.throttling import Bucket, admit, forgive, network_of
from identity_service.db import Transactions
from service_common.clock import utc_now
from service_common.crypto import KeyRing
from service_common.errors import TooMany

_ONE = Throttle("one", 1, timedelta(minutes=1), timedelta(minutes=1), timedelta(hours=1))
_MANY = Throttle("many", 100, timedelta(minutes=1), timedelta(minutes=1), timedelta(hours=1))


async def test_of_many_first_attempts_at_once_as_many_pass_as_of_many_in_a_row(
    transactions: Transactions, ring: KeyRing
) -> None:
    now = utc_now()

    async def attempt() -> bool:
        try:
            async with transactions() as session:
                await admit(session, ring, [Bucket(_ONE, "wang"), Bucket(_MANY, "here")], now=now)
        except TooMany:
            return False
        return True

    assert sum(await asyncio.gather(*(attempt() for _ in range(6)))) == 1


async def test_where_nothing_has_to_be_waited_for_a_slower_clock_is_not_refused(
    transactions: Transactions, ring: KeyRing
) -> None:
    now = utc_now()
    for behind in (0, 1, 2):
        async with transactions() as session:
            await admit(session, ring, [Bucket(_MANY, "wang")], now=now - timedelta(seconds=behind))


async def test_counting_and_forgiving_at_once_never_wait_for_each_other(
    transactions: Transactions, ring: KeyRing
) -> None:
    own = [Bucket(_MANY, f"own {each}") for each in range(3)]
    shared = Bucket(_MANY, "shared")

    async def log_in_often() -> None:
        for _ in range(25):
            at = utc_now()
            async with transactions() as session:
                await admit(session, ring, [*own, shared], now=at)
            async with transactions() as session:
                await forgive(session, ring, own, shared=[shared], at=at)

    await asyncio.gather(*(log_in_often() for _ in range(6)))
    async with transactions() as session:
        counts = (await session.scalars(select(Attempts.count))).all()
    assert counts == [0] * 4


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("2001:db8:1:2::1", "2001:db8:1:2:ffff::9", True),
        ("2001:db8:1:2::1", "2001:db8:1:3::1", False),
        ("::ffff:203.0.113.7", "203.0.113.7", True),
        ("203.0.113.7", "203.0.113.8", False),
        ("unknown", "unknown", True),
    ],
)
def test_all_addresses_of_one_line_count_as_one_caller(one: str, other: str, same: bool) -> None:
    assert (network_of(one) == network_of(other)) == same
