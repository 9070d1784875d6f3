"""One log file per process, appended by the process itself and bounded in size."""

import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

LIMIT_BYTES = 16 * 1024**2
KEPT = 2
"""Older files beside the current one: ``name.log.1`` is the newest of them."""

_FOLLOW_SECONDS = 0.3


def appending(log: Path) -> BinaryIO:
    """Append mode matters: after ``shorten`` each writer goes on at the new end of the file."""
    log.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    return log.open("ab", buffering=0)


def rotate(log: Path, limit: int = LIMIT_BYTES) -> None:
    """Before a start: put a long log aside."""
    if _is_longer(log, limit):
        _shift(log)
        log.replace(_older(log, 1))


def shorten(log: Path, limit: int = 4 * LIMIT_BYTES) -> None:
    """While its process writes: copy a very long log aside and cut it. Lines written in between are lost."""
    if _is_longer(log, limit):
        _shift(log)
        shutil.copyfile(log, _older(log, 1))
        log.open("r+b").truncate(0)


def tail(log: Path, lines: int) -> str:
    """The last lines, at most 64 KiB of them."""
    if not log.exists():
        return "(no log)"
    with log.open("rb") as stream:
        stream.seek(max(0, log.stat().st_size - 64 * 1024))
        return "\n".join(stream.read().decode(errors="replace").splitlines()[-lines:])


def follow(files: list[Path], last_lines: int = 10) -> Iterator[tuple[str, str]]:
    """Pairs of process name and line, for ever; the last lines of each file first."""
    positions = {}
    for file in files:
        positions[file] = file.stat().st_size if file.exists() else 0
        for line in tail(file, last_lines).splitlines():
            yield file.stem, line
    while True:
        for file in files:
            yield from ((file.stem, line) for line in _new_lines(file, positions))
        time.sleep(_FOLLOW_SECONDS)


def _new_lines(file: Path, positions: dict[Path, int]) -> Iterator[str]:
    if not file.exists():
        return
    if file.stat().st_size < positions[file]:
        positions[file] = 0
    with file.open("rb") as stream:
        stream.seek(positions[file])
        for line in stream:
            if not line.endswith(b"\n"):
                return  # the rest is still being written
            positions[file] += len(line)
            yield line.decode(errors="replace").rstrip()


def _is_longer(log: Path, limit: int) -> bool:
    return log.exists() and log.stat().st_size > limit


def _older(log: Path, number: int) -> Path:
    return log.with_name(f"{log.name}.{number}")


def _shift(log: Path) -> None:
    for number in range(KEPT, 1, -1):
        if _older(log, number - 1).exists():
            _older(log, number - 1).replace(_older(log, number))
