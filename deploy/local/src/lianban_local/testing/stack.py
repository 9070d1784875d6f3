"""The whole platform as a test sees it: a process of its own, started as a person starts it, killed part by part."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from signal import SIGKILL, SIGTERM

from lianban_local import leftovers, logs, runfile
from lianban_local.process import born, describe_exit
from lianban_local.runfile import RunFile
from lianban_local.servers.envoy import answers_ok
from lianban_local.state import StateFolder

_START_SECONDS = 240.0
_STOP_SECONDS = 60.0
_BACK_SECONDS = 180.0


class RunningPlatform:
    """A supervisor with its processes in one state folder."""

    def __init__(self, state: Path, supervisor: "subprocess.Popen[bytes]") -> None:
        self.state = state.absolute()
        self.supervisor = supervisor

    @property
    def run(self) -> RunFile:
        """Addresses, accounts, clients."""
        return runfile.read_run_json(self.state / "run.json")

    @property
    def said(self) -> str:
        """Everything the supervisor has said so far."""
        return (self.state / "logs" / "supervisor.log").read_text()

    def processes(self) -> dict[str, int]:
        """Pid by name: ``postgres nats identity acceptance … envoy authority``."""
        return {name: about["pid"] for name, about in self._known().items()}

    def restarts(self, name: str) -> int:
        return self._known()[name]["restarts"]

    def port(self, name: str) -> int:
        return StateFolder(self.state).known_port(name)

    def kill(self, name: str) -> None:
        """SIGKILL one process; the supervisor will start it again."""
        os.kill(self.processes()[name], SIGKILL)

    def wait_back(self, name: str, restarts: int, seconds: float = _BACK_SECONDS) -> None:
        """Wait until this process has been started again ``restarts`` times and serves.

        Raises: TimeoutError.
        """
        give_up = time.monotonic() + seconds
        while self.restarts(name) < restarts or f"{name} is back" not in self._said_since_death(name):
            if time.monotonic() > give_up:
                raise TimeoutError(f"{name} did not come back:\n{self.said}")
            time.sleep(0.05)

    def is_ready(self, name: str) -> bool:
        """Whether a service of ours answers that it is ready."""
        return answers_ok(self.port(name), "/health/ready")

    def stop(self) -> int:
        """As Ctrl-C does; returns the exit code of the supervisor."""
        if self.supervisor.poll() is None:
            self.supervisor.send_signal(SIGTERM)
        return self.supervisor.wait(_STOP_SECONDS)

    def left(self) -> list[int]:
        """Pids of what is still there and should not be, after a stop."""
        return [process.pid for process in leftovers.find(self.state) if leftovers.runs(process)]

    def _known(self) -> dict[str, dict[str, int]]:
        known: dict[str, dict[str, int]] = json.loads((self.state / "processes.json").read_bytes())
        return known

    def _said_since_death(self, name: str) -> str:
        return self.said.rpartition(f"{name} died")[2]


def start_platform(
    state: Path, command: Sequence[str] | None = None, environment: Mapping[str, str] | None = None
) -> RunningPlatform:
    """Start and wait until healthy. ``command`` replaces ``python -m lianban_local run`` and gets ``--state``.

    Raises: RuntimeError with the supervisor's output when it does not come up.
    """
    folder = StateFolder(state)
    output = folder.path / "output.log"
    program = list(command or [sys.executable, "-m", "lianban_local", "run"])
    with logs.appending(output) as stream:
        supervisor = subprocess.Popen(
            born([*program, "--state", str(folder.path)], SIGTERM, run_as=None),
            env={**os.environ, **(environment or {})},
            stdin=subprocess.DEVNULL,
            stdout=stream,
            stderr=stream,
            start_new_session=True,
        )
    platform = RunningPlatform(folder.path, supervisor)
    give_up = time.monotonic() + _START_SECONDS
    while not _is_healthy(folder, supervisor.pid):
        ended = supervisor.poll()
        if ended is not None or time.monotonic() > give_up:
            platform.stop()
            reason = "too slow" if ended is None else describe_exit(ended)
            raise RuntimeError(f"the platform did not come up ({reason}):\n{logs.tail(output, 60)}")
        time.sleep(0.05)
    return platform


def _is_healthy(folder: StateFolder, supervisor: int) -> bool:
    """Of this supervisor: one that was killed leaves its word behind."""
    return folder.healthy_file.exists() and folder.healthy_file.read_text() == str(supervisor)


@contextmanager
def running_platform(
    state: Path, command: Sequence[str] | None = None, environment: Mapping[str, str] | None = None
) -> Iterator[RunningPlatform]:
    """The platform for the length of a ``with``; stopped in any case."""
    platform = start_platform(state, command, environment)
    try:
        yield platform
    finally:
        platform.stop()
