"""What the platform remembers between two starts: ports, passwords, keys. All of it under one folder."""

import base64
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from fcntl import LOCK_EX, LOCK_NB, flock
from pathlib import Path

from pydantic import BaseModel

from lianban_local import ports

DEFAULT_FOLDER = Path(".lianban")


class AlreadyRunning(Exception):
    """Another supervisor holds this folder."""


class Remembered(BaseModel):
    """The content of ``state.json``. It holds secrets: mode 0600."""

    ports: dict[str, int] = {}
    passwords: dict[str, str] = {}
    keys: dict[str, str] = {}


class StateFolder:
    """``.lianban/``: data, logs, ``state.json``, ``run.json``. Deleting it forgets everything."""

    def __init__(self, path: Path) -> None:
        self.path = path.absolute()
        self.path.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._file = self.path / "state.json"
        self._remembered = (
            Remembered.model_validate_json(self._file.read_bytes()) if self._file.exists() else Remembered()
        )

    @property
    def run_file(self) -> Path:
        return self.path / "run.json"

    @property
    def pid_file(self) -> Path:
        return self.path / "supervisor.pid"

    @property
    def healthy_file(self) -> Path:
        """Holds the supervisor's pid once all is up and healthy: for scripts that wait."""
        return self.path / "healthy"

    @property
    def processes_file(self) -> Path:
        return self.path / "processes.json"

    def folder(self, name: str) -> Path:
        """A private folder inside."""
        folder = self.path / name
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        return folder

    def log(self, name: str) -> Path:
        return self.folder("logs") / f"{name}.log"

    def port(self, name: str) -> int:
        """The port of last time, or a new one when there was none or a stranger has taken it meanwhile."""
        known = self._remembered.ports.get(name)
        if known is not None and ports.is_free(known):
            return known
        others = {port for other, port in self._remembered.ports.items() if other != name}
        self._remembered.ports[name] = ports.choose(avoid=others)
        self._save()
        return self._remembered.ports[name]

    def known_port(self, name: str) -> int:
        """The port of the running platform, which of course is not free.

        Raises: KeyError when it never ran.
        """
        return self._remembered.ports[name]

    def password(self, name: str) -> str:
        """Random, letters and digits only, so that it stands in a URL as it is."""
        if name not in self._remembered.passwords:
            self._remembered.passwords[name] = secrets.token_hex(20)
            self._save()
        return self._remembered.passwords[name]

    def key(self, name: str) -> str:
        """32 random bytes in base64."""
        if name not in self._remembered.keys:
            self._remembered.keys[name] = base64.b64encode(secrets.token_bytes(32)).decode()
            self._save()
        return self._remembered.keys[name]

    @contextmanager
    def held(self) -> Iterator[None]:
        """Only one supervisor at a time. The kernel lets go of the lock however the holder ends.

        Raises: AlreadyRunning.
        """
        with (self.path / "supervisor.lock").open("w") as lock:
            try:
                flock(lock, LOCK_EX | LOCK_NB)
            except BlockingIOError as error:
                raise AlreadyRunning(str(self.path)) from error
            yield

    def _save(self) -> None:
        write_private(self._file, self._remembered.model_dump_json(indent=2) + "\n")


def write_private(file: Path, text: str) -> None:
    """Replace a file whole, readable by its owner alone: a reader sees the old text or the new, never half."""
    draft = file.with_name(f".{file.name}.{os.getpid()}")
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as stream:
        stream.write(text)
    draft.replace(file)
