"""Programs that do one thing and end: migrations, seeds."""

import asyncio
from collections.abc import Mapping
from signal import SIGKILL

from lianban_local import logs
from lianban_local.process import STATE_VARIABLE, ProcessFailed, born
from lianban_local.state import StateFolder


async def run(name: str, command: list[str], environment: Mapping[str, str], state: StateFolder) -> None:
    """Run to the end, output to ``logs/<name>.log``; ended with us when we are cancelled or killed.

    Raises: ProcessFailed for any exit code but 0.
    """
    log = state.log(name)
    logs.rotate(log)
    with logs.appending(log) as stream:
        process = await asyncio.create_subprocess_exec(
            *born(command, SIGKILL, run_as=None),
            env={**environment, STATE_VARIABLE: str(state.path)},
            stdin=asyncio.subprocess.DEVNULL,
            stdout=stream,
            stderr=stream,
            start_new_session=True,
        )
    try:
        code = await process.wait()
    except asyncio.CancelledError:
        process.kill()
        await process.wait()
        raise
    if code != 0:
        raise ProcessFailed(name, f"ended with exit code {code}", log)
