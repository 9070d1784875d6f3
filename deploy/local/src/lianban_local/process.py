"""One operating system process of the platform: born to die with its parent, logged, asked whether it is ready."""

import os
import signal
import subprocess
import sys
import time
from abc import ABC, abstractmethod
from pathlib import Path
from signal import Signals

from lianban_local import logs

STATE_VARIABLE = "LIANBAN_STATE"
"""Every child carries the folder it belongs to in its environment, so that what was left behind can be found."""

_CHILD_SCRIPT = Path(__file__).with_name("child.py")
_POLL_SECONDS = 0.03


class ProcessFailed(Exception):
    """A process ended or stayed silent while it was awaited."""

    def __init__(self, name: str, reason: str, log: Path) -> None:
        self.name = name
        self.log = log
        super().__init__(f"{name} {reason}; the end of {log}:\n{logs.tail(log, lines=15)}")


class Process(ABC):
    """A program to keep running. A subclass says what to run and how to see that it serves."""

    stop_signal = Signals.SIGTERM
    death_signal = Signals.SIGKILL
    """What the kernel sends when the parent is gone. Nobody is left to wait, so the default is final."""

    stop_seconds = 10.0
    start_seconds = 60.0

    def __init__(self, name: str, state: Path) -> None:
        self.name = name
        self.state = state
        self.log = state / "logs" / f"{name}.log"
        self._popen: subprocess.Popen[bytes] | None = None

    @abstractmethod
    def command(self) -> list[str]:
        """Absolute path of the program and its arguments."""

    @abstractmethod
    def is_ready(self) -> bool:
        """One short question whether it serves now."""

    def environment(self) -> dict[str, str]:
        """The whole environment of the child."""
        return dict(os.environ)

    def prepare(self) -> None:  # noqa: B027 - most programs need nothing
        """What must be done before each start. May take a second: an event loop calls it in a thread."""

    def run_as(self) -> str | None:
        """Another identity for the child, in the words of ``child.py``."""
        return None

    @property
    def pid(self) -> int | None:
        return self._popen.pid if self._popen is not None else None

    @property
    def exit_code(self) -> int | None:
        """None while it runs; -9 after SIGKILL, as in ``subprocess``."""
        return self._popen.poll() if self._popen is not None else None

    @property
    def is_running(self) -> bool:
        return self._popen is not None and self._popen.poll() is None

    def start(self) -> None:
        """Prepare and spawn; returns before the program is ready."""
        self.prepare()
        self.spawn()

    def spawn(self) -> None:
        """Start the program.

        Call it from a thread that lives as long as the child should: the kernel's death signal follows the
        *thread* that made the child, not its process (prctl(2)).
        """
        logs.rotate(self.log)
        with logs.appending(self.log) as stream:
            self._popen = subprocess.Popen(
                born(self.command(), self.death_signal, self.run_as()),
                env=self.environment() | {STATE_VARIABLE: str(self.state)},
                stdin=subprocess.DEVNULL,
                stdout=stream,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # a Ctrl-C in the terminal reaches the supervisor alone
            )

    def wait_ready(self, seconds: float | None = None) -> None:
        """Block until it serves.

        Raises: ProcessFailed when it ends or stays silent instead.
        """
        limit = seconds or self.start_seconds
        give_up = time.monotonic() + limit
        while not self.is_ready():
            if not self.is_running:
                raise ProcessFailed(self.name, f"ended with {describe_exit(self.exit_code)}", self.log)
            if time.monotonic() > give_up:
                raise ProcessFailed(self.name, f"was not ready after {limit:.0f} s", self.log)
            time.sleep(_POLL_SECONDS)

    def request_stop(self) -> None:
        """Ask it to end in its own time."""
        if self._popen is not None and self._popen.poll() is None:
            self._popen.send_signal(self.stop_signal)

    def stop(self) -> None:
        """Ask it to end, insist after ``stop_seconds``, and return when nothing of it is left."""
        if self._popen is None:
            return
        self.request_stop()
        try:
            self._popen.wait(self.stop_seconds)
        except subprocess.TimeoutExpired:
            self._popen.kill()
            self._popen.wait()
        self._kill_group()

    def kill(self) -> None:
        """SIGKILL, as a failing machine would do it, and reap."""
        if self._popen is not None:
            self._popen.kill()
            self._popen.wait()
            self._kill_group()

    def _kill_group(self) -> None:
        """Children of a child are in its group; the group outlives its leader."""
        if self._popen is not None:
            try:
                os.killpg(self._popen.pid, signal.SIGKILL)
            except ProcessLookupError:
                return


def born(command: list[str], death_signal: Signals, run_as: str | None) -> list[str]:
    """The command line that makes ``command`` die with the present process."""
    identity = ["--as", run_as] if run_as is not None else []
    options = ["--parent", str(os.getpid()), "--death-signal", str(int(death_signal)), *identity]
    return [sys.executable, "-I", "-S", str(_CHILD_SCRIPT), *options, "--", *command]


def describe_exit(code: int | None) -> str:
    """``-9`` → ``SIGKILL``; ``1`` → ``exit code 1``."""
    if code is None:
        return "no exit code"
    return Signals(-code).name if code < 0 else f"exit code {code}"
