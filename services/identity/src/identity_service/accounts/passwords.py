"""Argon2id (RFC 9106) in threads of its own: a hash takes tens of milliseconds that the event loop does not have."""

import asyncio
import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from typing import TypeVar

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from identity_service.accounts.domain import HashingBusy, normal_password

Result = TypeVar("Result")

# The parameters are argon2-cffi's default, the second recommended option of RFC 9106 §4: 64 MiB, three passes, four lanes.
_hasher = PasswordHasher()
# Verified when there is no such account, so that the answer takes as long as for one that is there.
_NOBODY = _hasher.hash(os.urandom(16).hex())


class Queue:
    """How many hashes are computed at once, 64 MiB each, and how many may wait for their turn; all others are refused at once.

    A flood of log-ins so takes a known amount of memory, and whoever is let in is answered within a known time.
    """

    def __init__(self, *, at_once: int | None = None, waiting: int = 64) -> None:
        self.at_once = at_once or os.cpu_count() or 1
        self.waiting = waiting
        self._threads = ThreadPoolExecutor(max_workers=self.at_once, thread_name_prefix="argon2")
        self._taken = 0

    @contextmanager
    def place(self) -> Iterator["Place"]:
        """Kept for as long as it is needed, so that work done before the hash is not done in vain. Raises: HashingBusy."""
        if self._taken >= self.at_once + self.waiting:
            raise HashingBusy
        self._taken += 1
        try:
            yield Place(self._threads)
        finally:
            self._taken -= 1

    def close(self) -> None:
        self._threads.shutdown(wait=False)


class Place:
    """In the queue."""

    def __init__(self, threads: ThreadPoolExecutor) -> None:
        self._threads = threads

    async def hash(self, password: str) -> str:
        """The encoded hash with its salt and parameters."""
        return await self._run(_hasher.hash, normal_password(password))

    async def fits(self, password: str, password_hash: str | None) -> bool:
        """Whether it is the password; without a hash it takes the same time and says no."""
        fits = await self._run(_verify, password_hash or _NOBODY, normal_password(password))
        return fits and password_hash is not None

    async def _run(self, function: Callable[..., Result], *arguments: str) -> Result:
        return await asyncio.get_running_loop().run_in_executor(self._threads, function, *arguments)


_queue = Queue()


def limit(*, at_once: int | None, waiting: int) -> None:
    """Makes the queue of this process as long as its settings say."""
    global _queue  # noqa: PLW0603 - the threads are the process's own, like its processors
    if (_queue.at_once, _queue.waiting) != (at_once or os.cpu_count() or 1, waiting):
        _queue.close()
        _queue = Queue(at_once=at_once, waiting=waiting)


def place() -> AbstractContextManager[Place]:
    """A place in the queue, for the time of a ``with``. Raises: HashingBusy."""
    return _queue.place()


async def hash_password(password: str) -> str:
    """The encoded hash with its salt and parameters. Raises: HashingBusy."""
    with _queue.place() as kept:
        return await kept.hash(password)


async def password_fits(password: str, password_hash: str | None) -> bool:
    """Whether it is the password; without a hash it takes the same time and says no. Raises: HashingBusy."""
    with _queue.place() as kept:
        return await kept.fits(password, password_hash)


def is_outdated(password_hash: str) -> bool:
    """Whether it was made with weaker parameters than today's."""
    return _hasher.check_needs_rehash(password_hash)


def _verify(password_hash: str, password: str) -> bool:
    try:
        return _hasher.verify(password_hash, password)
    except (VerificationError, InvalidHashError):
        return False
