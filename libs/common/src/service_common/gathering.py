"""One question to the database for all who ask meanwhile, in place of one for each."""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Hashable, Sequence
from contextvars import Context
from typing import Generic, TypeVar

Question = TypeVar("Question")
Answer = TypeVar("Answer")


class Gathered(Generic[Question, Answer]):
    """Puts questions together: who asks while an answer is on its way goes with the next, and nobody waits for company.

    The busier a process, the fewer statements and commits each question costs; alone it costs what it did. ``ask`` answers as many
    questions as it is given, in their order. When it fails, all whom it was to answer hear of it.
    """

    def __init__(
        self, ask: Callable[[Sequence[Question]], Awaitable[Sequence[Answer]]], *, most: int = 100
    ) -> None:
        self._ask = ask
        self._most = most
        self._waiting: list[tuple[Question, asyncio.Future[Answer]]] = []
        self._asking: asyncio.Task[None] | None = None

    async def __call__(self, question: Question) -> Answer:
        """Raises: whatever ``ask`` raises."""
        answer: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        self._waiting.append((question, answer))
        if self._asking is None:
            # In nobody's context: what is asked for many belongs to no single request's trace.
            self._asking = asyncio.create_task(self._ask_for_all(), context=Context())
        return await answer

    async def _ask_for_all(self) -> None:
        try:
            while self._waiting:
                gathered, self._waiting = self._waiting[: self._most], self._waiting[self._most :]
                await self._ask_for(gathered)
        finally:
            self._asking = None
            for _, left in self._waiting:  # the process stops
                left.cancel()
            self._waiting = []

    async def _ask_for(self, gathered: Sequence[tuple[Question, asyncio.Future[Answer]]]) -> None:
        waiting = [answer for _, answer in gathered]
        try:
            answers = await self._ask([question for question, _ in gathered])
        except BaseException as error:
            for one in waiting:
                _tell(one, error)
            if not isinstance(error, Exception):
                raise
        else:
            for one, answer in zip(waiting, answers, strict=True):
                if not one.done():  # whose request was given up
                    one.set_result(answer)


def _tell(waiting: asyncio.Future[Answer], error: BaseException) -> None:
    if waiting.done():
        return
    if isinstance(error, Exception):
        waiting.set_exception(error)
    else:
        waiting.cancel()


def first_of_each(names: Sequence[Hashable], fresh: Collection[Hashable]) -> list[bool]:
    """For each of the names that were asked about together whether it is one of the fresh ones, and the first of its like."""
    left = set(fresh)
    are_first = []
    for name in names:
        are_first.append(name in left)
        left.discard(name)
    return are_first
