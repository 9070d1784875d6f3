"""Questions that are asked together: nobody waits for company, nobody gets another's answer, a failure is heard by all."""

import asyncio
from collections.abc import Sequence

import pytest

from service_common.gathering import Gathered, first_of_each


class Database:
    """Doubles numbers, one list at a time, when it is let; remembers what it was asked together."""

    def __init__(self) -> None:
        self.asked: list[list[int]] = []
        self.may_answer = asyncio.Event()

    async def double(self, numbers: Sequence[int]) -> Sequence[int]:
        self.asked.append(list(numbers))
        await self.may_answer.wait()
        if 13 in numbers:
            raise ValueError("13")
        return [2 * number for number in numbers]


@pytest.fixture
def database() -> Database:
    return Database()


async def _ask(gathered: Gathered[int, int], numbers: Sequence[int]) -> list[asyncio.Task[int]]:
    tasks = [asyncio.create_task(gathered(number)) for number in numbers]
    await asyncio.sleep(0)
    return tasks


async def test_who_asks_meanwhile_goes_with_the_next(database: Database) -> None:
    gathered = Gathered(database.double, most=3)
    first = await _ask(gathered, [1])
    await asyncio.sleep(0)  # it is on its way
    later = await _ask(gathered, [2, 3, 4, 5])
    database.may_answer.set()
    assert await asyncio.gather(*first, *later) == [2, 4, 6, 8, 10]
    assert database.asked == [[1], [2, 3, 4], [5]]
    assert await gathered(6) == 12


async def test_a_failure_is_heard_by_those_it_was_for_alone(database: Database) -> None:
    gathered = Gathered(database.double, most=2)
    asked = await _ask(gathered, [12, 13, 14])
    database.may_answer.set()
    answers = await asyncio.gather(*asked, return_exceptions=True)
    assert [type(one) for one in answers] == [ValueError, ValueError, int]


async def test_who_gives_up_does_not_disturb_the_others(database: Database) -> None:
    gathered = Gathered(database.double)
    gives_up, stays = await _ask(gathered, [1, 2])
    gives_up.cancel()
    database.may_answer.set()
    assert await stays == 4
    with pytest.raises(asyncio.CancelledError):
        await gives_up


async def test_nobody_waits_for_ever_when_the_process_stops(database: Database) -> None:
    gathered = Gathered(database.double, most=1)
    asked = await _ask(gathered, [1, 2])
    running = gathered._asking
    assert running is not None
    await asyncio.sleep(0)
    running.cancel()
    answers = await asyncio.gather(*asked, return_exceptions=True)
    assert [type(one) for one in answers] == [asyncio.CancelledError, asyncio.CancelledError]


def test_of_the_same_name_asked_together_one_is_first() -> None:
    assert first_of_each(["a", "b", "a", "c"], {"a", "c"}) == [True, False, False, True]
