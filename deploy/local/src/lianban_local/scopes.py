"""The scopes of all services in one file, so that identity knows what it may grant, and to whom."""

import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from lianban_local import errand, sources
from lianban_local.deployables import Deployable
from lianban_local.state import StateFolder, write_private


async def describe(deployable: Deployable, environment: Mapping[str, str], state: StateFolder) -> None:
    """Have a service write its OpenAPI document, unless its code is the one that wrote the last.

    Raises: ProcessFailed.
    """
    made_from = state.folder("openapi") / f"{deployable.name}.digest"
    current = sources.of_code(deployable.folder)
    if made_from.exists() and made_from.read_text() == current:
        return
    command = [sys.executable, "-m", deployable.module, "openapi", "--out", str(_document(deployable, state))]
    await errand.run(f"{deployable.name}-openapi", command, environment, state)
    made_from.write_text(current)


def file_of(state: StateFolder) -> Path:
    """Where identity reads them: a JSON list of ``{name, zh, en, roles}``."""
    return state.path / "scopes.json"


def collect(deployables: Sequence[Deployable], state: StateFolder) -> None:
    """Put the ``x-lianban-scopes`` of all documents together."""
    found = []
    for deployable in deployables:
        found += json.loads(_document(deployable, state).read_text()).get("x-lianban-scopes", [])
    write_private(file_of(state), json.dumps(found, ensure_ascii=False, indent=1))


def _document(deployable: Deployable, state: StateFolder) -> Path:
    return state.folder("openapi") / f"{deployable.name}.json"
