"""Processes of an earlier run that outlived their supervisor."""

import time
from collections.abc import Iterable
from pathlib import Path

import psutil

from lianban_local.process import STATE_VARIABLE


def find(state: Path) -> list[psutil.Process]:
    """All that carry this state folder in their environment, or work in a folder below it.

    PostgreSQL's processes are known by the second: they write their titles over their environment.
    """
    wanted = str(state)
    found = []
    for process in psutil.process_iter():
        try:
            if process.environ().get(STATE_VARIABLE) == wanted or Path(process.cwd()).is_relative_to(state):
                found.append(process)
        except (psutil.NoSuchProcess, psutil.AccessDenied):
            continue
    return found


def in_folder(folder: Path) -> list[psutil.Process]:
    """All whose working directory is exactly this folder."""
    found = []
    for process in psutil.process_iter():
        try:
            if process.cwd() == str(folder):
                found.append(process)
        except (psutil.NoSuchProcess, psutil.AccessDenied):
            continue
    return found


def kill(processes: Iterable[psutil.Process]) -> None:
    """SIGKILL them all and wait until none runs.

    Raises: TimeoutError.
    """
    doomed = list(processes)
    for process in doomed:
        try:
            process.kill()
        except psutil.NoSuchProcess:
            continue
    wait_gone(doomed)


def wait_gone(processes: Iterable[psutil.Process], seconds: float = 10.0) -> None:
    """A zombie counts as gone: it runs nothing, holds nothing, and some containers' init never reaps it.

    Raises: TimeoutError.
    """
    give_up = time.monotonic() + seconds
    while alive := [process.pid for process in processes if runs(process)]:
        if time.monotonic() > give_up:
            raise TimeoutError(f"processes that do not end: {alive}")
        time.sleep(0.02)


def runs(process: psutil.Process) -> bool:
    try:
        return bool(process.is_running() and process.status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False
