"""The services' own OpenAPI documents, written without any server running."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

from lianban_local import environment
from lianban_local.deployables import DEPLOYABLES
from lianban_local.state import StateFolder


def write_documents(folder: Path) -> Iterator[Path]:
    """One file per service; yields each as it is written. The settings are complete, the addresses lead nowhere."""
    folder.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory() as name:
        state = StateFolder(Path(name))
        addresses = environment.choose_addresses(state, DEPLOYABLES)
        for deployable in DEPLOYABLES:
            file = folder / f"{deployable.name}.json"
            own = environment.of_service(
                deployable,
                state=state,
                addresses=addresses,
                database_url="postgresql://nobody:nothing@127.0.0.1:1/none",
                nats_url="nats://127.0.0.1:1",
                clients_file=state.path / "clients.json",
                scopes_file=state.path / "scopes.json",
            )
            subprocess.run(
                [sys.executable, "-m", deployable.module, "openapi", "--out", str(file)], env=own, check=True
            )
            yield file
