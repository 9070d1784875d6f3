"""Our own programs as processes of the platform."""

import sys
from collections.abc import Mapping
from pathlib import Path

from lianban_local.process import Process
from lianban_local.servers.envoy import answers_ok


class ServiceProcess(Process):
    """``python -m <module> <arguments>``: ready when ``health_path`` is answered 200."""

    def __init__(
        self,
        name: str,
        state: Path,
        *,
        module: str,
        arguments: tuple[str, ...],
        environment: Mapping[str, str],
        port: int,
        health_path: str = "/health/ready",
    ) -> None:
        super().__init__(name, state)
        self.port = port
        self._module = module
        self._arguments = arguments
        self._environment = environment
        self._health_path = health_path

    def command(self) -> list[str]:
        return [sys.executable, "-m", self._module, *self._arguments]

    def environment(self) -> dict[str, str]:
        return dict(self._environment)

    def is_ready(self) -> bool:
        return answers_ok(self.port, self._health_path)
