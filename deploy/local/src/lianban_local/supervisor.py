"""Keeps processes running: a process that dies is started again after a growing delay, and this is said."""

import asyncio
import json
import os
import time
from collections.abc import Sequence
from pathlib import Path

from lianban_local import logs
from lianban_local.narration import Narrator
from lianban_local.process import Process, ProcessFailed, describe_exit
from lianban_local.state import write_private

_FIRST_DELAY_SECONDS = 0.1
_LONGEST_DELAY_SECONDS = 10.0
_CALM_SECONDS = 30.0
"""Who ran this long is forgiven his former deaths."""

_LOG_CHECK_SECONDS = 30.0


class Supervisor:
    """Starts processes, watches them, stops them. Lives in one event loop, on the main thread."""

    def __init__(self, narrator: Narrator, processes_file: Path) -> None:
        self._narrator = narrator
        self._file = processes_file
        self._processes: dict[str, Process] = {}
        self._restarts: dict[str, int] = {}
        self._keepers: list[asyncio.Task[None]] = []
        self._stopping = False

    async def start(self, process: Process) -> None:
        """Start it, wait until it serves, and keep it running from now on.

        Raises: ProcessFailed. What does not come up the first time is broken, and restarting would hide it.
        """
        self._processes[process.name] = process
        self._restarts[process.name] = 0
        began = time.monotonic()
        await self._bring_up(process)
        self._narrator.good(f"{process.name} is up", time.monotonic() - began)
        self._keepers.append(asyncio.create_task(self._keep(process), name=f"keep {process.name}"))

    async def watch(self) -> None:
        """Returns never; raises what a keeper could not answer. Bounds the log files meanwhile."""
        while True:
            done, _ = await asyncio.wait(
                self._keepers, timeout=_LOG_CHECK_SECONDS, return_when=asyncio.FIRST_COMPLETED
            )
            for keeper in done:
                keeper.result()
            for process in self._processes.values():
                logs.shorten(process.log)

    async def stop(self, groups: Sequence[Sequence[str]]) -> None:
        """Stop the named groups one after another, the members of a group at once; then whatever is left."""
        self._stopping = True
        for keeper in self._keepers:
            keeper.cancel()
        named = [[self._processes[name] for name in group if name in self._processes] for group in groups]
        rest = [
            process for process in self._processes.values() if not any(process in group for group in named)
        ]
        for group in (*named, rest):
            await asyncio.gather(*(asyncio.to_thread(process.stop) for process in group))
        await asyncio.gather(*self._keepers, return_exceptions=True)
        self._file.unlink(missing_ok=True)

    def kill(self) -> None:
        """End everything now, for the person who cannot wait."""
        self._stopping = True
        for process in self._processes.values():
            process.kill()

    async def _bring_up(self, process: Process) -> None:
        await asyncio.to_thread(process.prepare)
        if self._stopping:
            raise asyncio.CancelledError
        process.spawn()  # on this thread: see there
        self._write_down()
        await asyncio.to_thread(process.wait_ready)

    async def _keep(self, process: Process) -> None:
        delay = _FIRST_DELAY_SECONDS
        while True:
            up_since = time.monotonic()
            await _end_of(process)
            if time.monotonic() - up_since > _CALM_SECONDS:
                delay = _FIRST_DELAY_SECONDS
            self._narrator.bad(
                f"{process.name} died ({describe_exit(process.exit_code)}), starting it again in {delay:.1f} s"
            )
            delay = await self._revive(process, delay)

    async def _revive(self, process: Process, delay: float) -> float:
        """Try until it serves again; returns the delay to take next time."""
        while True:
            await asyncio.sleep(delay)
            delay = min(delay * 2, _LONGEST_DELAY_SECONDS)
            self._restarts[process.name] += 1
            began = time.monotonic()
            try:
                await self._bring_up(process)
            except ProcessFailed as failure:
                self._narrator.bad(f"{failure}\ntrying again in {delay:.1f} s")
                await asyncio.to_thread(process.kill)
            else:
                self._narrator.good(f"{process.name} is back", time.monotonic() - began)
                return delay

    def _write_down(self) -> None:
        """Names and numbers for people and tests: ``processes.json``."""
        known = {
            name: {"pid": process.pid, "restarts": self._restarts[name]}
            for name, process in self._processes.items()
            if process.pid is not None
        }
        write_private(self._file, json.dumps(known, indent=1))


async def _end_of(process: Process) -> None:
    """Wait for the exit of a child without a thread and without polling."""
    if process.pid is None:
        return
    try:
        descriptor = os.pidfd_open(process.pid)
    except ProcessLookupError:
        return  # it was so quick that its exit has been collected already
    ended = asyncio.Event()
    loop = asyncio.get_running_loop()
    loop.add_reader(descriptor, ended.set)
    try:
        await ended.wait()
    finally:
        loop.remove_reader(descriptor)
        os.close(descriptor)
