"""A new migration, found by comparing a service's models with a database at its present head."""

import re
import secrets
import shutil
from pathlib import Path
from tempfile import TemporaryDirectory

from alembic import command

from lianban_local import databases, ports
from lianban_local.deployables import Deployable
from lianban_local.servers.postgres import PostgresServer
from service_common.migrations import config_for

_NUMBER = re.compile(r"(\d{4})_.*\.py")


def write_migration(deployable: Deployable, message: str) -> Path:
    """Number it, write it, name it in ``.current-head``; a person reads and mends it before it is committed."""
    versions = deployable.migrations / "versions"
    number = f"{_last_number(versions) + 1:04d}"
    with TemporaryDirectory() as folder:
        server = PostgresServer(
            Path(folder), port=ports.choose(), password=secrets.token_hex(20), max_connections=20
        )
        server.start()
        try:
            server.wait_ready()
            url, _ = databases.ensure_service(server.admin_url, deployable.name, secrets.token_hex(20))
            config = config_for(url, deployable.migrations)
            command.upgrade(config, "head")
            command.revision(config, message=message, autogenerate=True, rev_id=number)
        finally:
            server.stop()
            shutil.rmtree(server.folder)
    (deployable.migrations / ".current-head").write_text(f"{number}\n")
    return next(versions.glob(f"{number}_*.py"))


def _last_number(versions: Path) -> int:
    found = (_NUMBER.fullmatch(file.name) for file in versions.glob("*.py"))
    return max((int(match[1]) for match in found if match), default=0)
