"""``python -m lianban_local.testing.keeper FOLDER PID``: PostgreSQL for as long as the process PID lives."""

import os
import secrets
import select
import shutil
import sys
from pathlib import Path

from lianban_local import ports
from lianban_local.servers.postgres import PostgresServer
from lianban_local.state import write_private

# Workers of xdist, each with the pools of several services' tests.
_MAX_CONNECTIONS = 200


def main(folder: Path, run: int) -> None:
    """Start, publish the address, wait for the end of the run, stop and clear the data away."""
    watched = os.pidfd_open(run)
    server = PostgresServer(
        folder / "server",
        port=ports.choose(),
        password=secrets.token_hex(20),
        max_connections=_MAX_CONNECTIONS,
    )
    server.start()
    try:
        server.wait_ready()
        write_private(folder / "postgres.url", server.admin_url)
        select.select([watched], [], [])
    finally:
        server.stop()
        shutil.rmtree(server.folder, ignore_errors=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
