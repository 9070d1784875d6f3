"""Jobs that run beside an application, and their end."""

import asyncio
from typing import Any


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
