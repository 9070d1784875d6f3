"""How a child is born decides that it dies with its parent."""

import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from signal import SIGKILL, SIGTERM

import psutil
import pytest

from lianban_local import leftovers, unprivileged
from lianban_local.process import Process, ProcessFailed, born

needs_root = pytest.mark.skipif(os.getuid() != 0, reason="identities are changed only as root")


class Script(Process):
    """Python code as a process; ready when it has printed the word."""

    def __init__(self, state: Path, code: str) -> None:
        super().__init__("script", state)
        self._code = code

    def command(self) -> list[str]:
        return [sys.executable, "-c", self._code]

    def is_ready(self) -> bool:
        return self.log.exists() and "ready" in self.log.read_text()


def test_a_child_dies_when_its_parent_is_killed(tmp_path: Path) -> None:
    middle = f"""
import subprocess, time
from signal import SIGKILL
from lianban_local.process import born
child = subprocess.Popen(born(["/bin/sleep", "60"], SIGKILL, {unprivileged.identity(unprivileged.best_way())!r}))
print(child.pid, flush=True)
time.sleep(60)
"""
    parent = subprocess.Popen([sys.executable, "-c", middle], stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    child = psutil.Process(int(parent.stdout.readline()))
    _wait_until(lambda: child.name() == "sleep")
    parent.kill()
    parent.wait()
    parent.stdout.close()
    leftovers.wait_gone([child], 60)


def test_a_child_whose_parent_died_first_does_not_start() -> None:
    command = born(["/bin/echo", "started"], SIGKILL, run_as=None)
    command[command.index("--parent") + 1] = "1"
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode != 0
    assert done.stdout == ""


@needs_root
@pytest.mark.parametrize("way", ["user namespace", "another user"])
def test_a_child_of_root_is_not_root(way: unprivileged.Way) -> None:
    done = subprocess.run(
        born(["/usr/bin/id", "-u"], SIGKILL, unprivileged.identity(way)),
        capture_output=True,
        text=True,
        check=True,
    )
    assert int(done.stdout) != 0


def test_a_program_that_ends_at_once_is_told_with_its_last_words(tmp_path: Path) -> None:
    script = Script(tmp_path, "print('cannot do it'); raise SystemExit(7)")
    script.start()
    with pytest.raises(ProcessFailed, match=r"exit code 7(.|\n)*cannot do it"):
        script.wait_ready()


def test_a_program_that_stays_silent_is_not_awaited_for_ever(tmp_path: Path) -> None:
    script = Script(tmp_path, "import time; time.sleep(60)")
    script.start()
    with pytest.raises(ProcessFailed, match="was not ready after 0 s"):
        script.wait_ready(0.2)
    script.stop()
    assert script.exit_code == -SIGTERM


def test_a_program_that_ignores_the_request_is_killed_with_its_children(tmp_path: Path) -> None:
    code = """
import signal, subprocess, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
print(subprocess.Popen(["/bin/sleep", "60"]).pid, "ready", flush=True)
time.sleep(60)
"""
    script = Script(tmp_path, code)
    script.stop_seconds = 0.3
    script.start()
    script.wait_ready()
    grandchild = psutil.Process(int(script.log.read_text().split()[0]))
    script.stop()
    assert script.exit_code == -SIGKILL
    leftovers.wait_gone([grandchild], 60)


def test_what_carries_our_folder_is_found_even_without_a_parent(tmp_path: Path) -> None:
    script = Script(tmp_path, "import time; print('ready', flush=True); time.sleep(60)")
    script.start()
    script.wait_ready()
    assert [process.pid for process in leftovers.find(tmp_path)] == [script.pid]
    assert leftovers.find(tmp_path / "other") == []
    script.kill()
    assert leftovers.find(tmp_path) == []


def _wait_until(condition: Callable[[], bool], seconds: float = 60) -> None:
    give_up = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < give_up
        time.sleep(0.02)
