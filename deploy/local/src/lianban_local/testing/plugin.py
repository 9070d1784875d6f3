"""The pytest plugin. It is loaded in every run, so it imports nothing heavy until a fixture is asked for."""

# ruff: noqa: PLC0415 - see above
import os
import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from lianban_local.testing.brokers import TestNats
    from lianban_local.testing.databases import TestPostgres
    from lianban_local.testing.services import TestIssuer


@pytest.fixture(scope="session")
def run_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One folder for all workers of this run."""
    own = tmp_path_factory.getbasetemp()
    return own.parent if "PYTEST_XDIST_WORKER" in os.environ else own


@pytest.fixture(scope="session")
def postgres(run_folder: Path) -> "TestPostgres":
    """A real PostgreSQL, one per run: ``postgres.create_database("acceptance", migrate)`` gives a URL."""
    from lianban_local.testing.databases import shared_postgres

    folder = run_folder / "postgres"
    folder.mkdir(exist_ok=True, mode=0o700)
    return shared_postgres(folder)


@pytest.fixture(scope="session")
def nats_server(tmp_path_factory: pytest.TempPathFactory) -> "Iterator[TestNats]":
    """A real NATS with JetStream, one per worker: ``nats_server.url``, ``await nats_server.clear()``."""
    from lianban_local import ports
    from lianban_local.servers.nats import NatsServer
    from lianban_local.testing.brokers import TestNats

    server = NatsServer(tmp_path_factory.mktemp("nats"), port=ports.choose(), password=secrets.token_hex(20))
    server.start()
    server.wait_ready()
    yield TestNats(server)
    server.stop()


@pytest.fixture(scope="session")
def issuer() -> "TestIssuer":
    """Signs tokens that a service believes after ``issuer.be_believed(app)``."""
    from lianban_local.testing.services import TestIssuer

    return TestIssuer()
