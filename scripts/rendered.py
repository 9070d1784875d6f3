"""What generated documents share: the services as they would be started, tables, and writing or comparing."""

import contextlib
import difflib
import importlib
import os
import re
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from unittest.mock import patch

from fastapi import FastAPI

from lianban_local import environment
from lianban_local.deployables import DEPLOYABLES, ROOT
from lianban_local.state import StateFolder
from service_common.app import create_app


@contextlib.contextmanager
def applications() -> Iterator[dict[str, FastAPI]]:
    """Every service's worker, by name. The settings are complete, the addresses lead nowhere, nothing is started."""
    with TemporaryDirectory() as name:
        state = StateFolder(Path(name))
        addresses = environment.choose_addresses(state, DEPLOYABLES)
        found = {}
        for deployable in DEPLOYABLES:
            told = environment.of_service(
                deployable,
                state=state,
                addresses=addresses,
                database_url="postgresql://nobody:nothing@127.0.0.1:1/none",
                nats_url="nats://127.0.0.1:1",
                clients_file=state.path / "clients.json",
                scopes_file=state.path / "scopes.json",
            )
            with patch.dict(os.environ, told):
                service = importlib.import_module(f"{deployable.module}.app").define_service()
                found[deployable.name] = create_app(service, worker=True)
        yield found


def sentence(docstring: str | None) -> str:
    """A docstring on one line, safe in a cell."""
    return re.sub(r"\s+", " ", docstring or "").strip().replace("|", "\\|").replace("``", "`")


def table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    """A Markdown table."""
    titles = list(head)
    lines = [titles, ["---"] * len(titles), *map(list, rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def write_or_compare(document: str, text: str) -> int:
    """Writes a document of ``docs/``; with ``--check`` tells whether it is what would be written. Returns an exit code."""
    file = ROOT / "docs" / document
    if "--check" not in sys.argv[1:]:
        file.write_text(text, encoding="utf-8")
        print(f"wrote {file.relative_to(ROOT)}")
        return 0
    there = file.read_text(encoding="utf-8") if file.exists() else ""
    sys.stdout.writelines(
        difflib.unified_diff(
            there.splitlines(keepends=True),
            text.splitlines(keepends=True),
            document,
            "as it would be written",
        )
    )
    return int(there != text)
