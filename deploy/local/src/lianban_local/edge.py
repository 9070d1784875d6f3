"""Envoy's configuration: rendered by the gateway, which owns the route table; here is only how it is asked."""

import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from signal import SIGKILL

from lianban_local.deployables import Deployable
from lianban_local.environment import EDGE, EDGE_ADMIN, Addresses
from lianban_local.process import ProcessFailed, born

EdgeRenderer = Callable[[Path], None]
"""Writes a bootstrap for Envoy to the file."""


def by_gateway(addresses: Addresses, deployables: Sequence[Deployable], log: Path) -> EdgeRenderer:
    """``python -m gateway_service.edge``. Rendered anew at each start of the platform, for ports may have changed."""
    upstreams = [
        word
        for deployable in deployables
        for word in ("--upstream", f"{deployable.name}=127.0.0.1:{addresses.ports[deployable.name]}")
    ]
    options = [
        *("--origin", addresses.origin),
        *("--listen-port", str(addresses.ports[EDGE])),
        *("--admin-port", str(addresses.ports[EDGE_ADMIN])),
        *upstreams,
    ]

    def render(file: Path) -> None:
        command = [sys.executable, "-m", "gateway_service.edge", "--out", str(file), *options]
        done = subprocess.run(
            born(command, SIGKILL, run_as=None), capture_output=True, text=True, check=False
        )
        if done.returncode != 0:
            log.parent.mkdir(parents=True, exist_ok=True)
            log.write_text(done.stdout + done.stderr)
            raise ProcessFailed("envoy", "got no configuration from the gateway", log)

    return render
