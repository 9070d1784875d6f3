"""What the platform says to the person in front of it, and writes down for the one who comes later."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from rich.console import Console
from rich.markup import escape

from lianban_local import logs


class Narrator:
    """Short lines on the terminal; the same lines with the time in ``logs/supervisor.log``."""

    def __init__(self, log: Path, console: Console | None = None) -> None:
        self.console = console or Console(highlight=False)
        self._log = log
        logs.rotate(log)

    @contextmanager
    def step(self, title: str) -> Iterator[None]:
        """A spinner while it runs (on a terminal), a line with the seconds it took when it is done."""
        started = time.monotonic()
        with self.console.status(f"{escape(title)} …"):
            yield
        self.good(title, time.monotonic() - started)

    def good(self, text: str, seconds: float | None = None) -> None:
        took = "" if seconds is None else f"  [dim]{seconds:.1f} s[/]"
        self._say("[green]✓[/]", text, took)

    def warn(self, text: str) -> None:
        self._say("[yellow]![/]", text)

    def bad(self, text: str) -> None:
        self._say("[red]✗[/]", text)

    def _say(self, sign: str, text: str, suffix: str = "") -> None:
        self.console.print(f"{sign} {escape(text)}{suffix}", soft_wrap=True)
        now = datetime.now().astimezone().isoformat(timespec="milliseconds")
        with logs.appending(self._log) as stream:
            stream.write(f"{now} {text}\n".encode())
