"""Jobs that run beside an application, and their end."""

import asyncio
from typing import Any


async def cancel_all(tasks: "set[asyncio.Task[Any]]") -> None:
    """Returns when all have ended.

    Asks more than once if need be: ``asyncio.wait_for`` of Python 3.11 loses a cancellation that comes at the moment its
    inner call ends, and the libraries that we wait in use it.
    """
    while tasks:
        for task in tasks:
            task.cancel()
        _, tasks = await asyncio.wait(tasks, timeout=1)
