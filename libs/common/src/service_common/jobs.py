"""Jobs that run beside an application, and their end."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import structlog

from service_common.db import is_passing_fault

logger = structlog.get_logger()


async def sweep_for_ever(sweep_once: Callable[[], Awaitable[int]], *, every_seconds: float) -> None:
    """Sweeps until nothing is due, rests, and sweeps again. A lost database is waited for. Raises: any other fault of a sweep."""
    while True:
        try:
            while await sweep_once():
                pass
        except Exception as error:
            if not is_passing_fault(error):
                raise
            logger.warning("sweep_waits_for_database", error=type(error).__name__)
        await asyncio.sleep(every_seconds)


async def cancel_all(tasks: "set[asyncio.Task[Any]]") -> None:
    """Returns when all have ended.

    Asks more than once if need be: a cancellation can be lost (``end_if_cancelled``).
    """
    while tasks:
        for task in tasks:
            task.cancel()
        _, tasks = await asyncio.wait(tasks, timeout=1)


def end_if_cancelled() -> None:
    """For a job that comes back from a library and is about to wait for long. Raises: asyncio.CancelledError.

    ``asyncio.wait_for`` of Python 3.11 loses a cancellation that comes at the moment its inner call ends, and the
    libraries that we wait in use it: the job would wait on until it is asked again.
    """
    task = asyncio.current_task()
    if task is not None and task.cancelling():
        raise asyncio.CancelledError
