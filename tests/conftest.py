"""The whole platform, started once for all tests that need it; and each service's application without a server behind it."""

import base64
import importlib
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI

from lianban_local.demo.app import App
from lianban_local.deployables import DEPLOYABLES
from lianban_local.testing.stack import RunningPlatform, running_platform
from service_common.app import Service, create_app


@pytest.fixture(scope="session")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningPlatform]:
    """Real servers, all services, the edge, catalogue and demo people."""
    state: Path = tmp_path_factory.mktemp("platform") / "state"
    with running_platform(state) as platform:
        yield platform
    assert platform.left() == [], "a stop leaves no process"


@pytest.fixture
async def app(platform: RunningPlatform) -> AsyncIterator[App]:
    """Client applications at the running platform."""
    async with httpx.AsyncClient(timeout=30) as http:
        yield App(platform.run, http)


SERVICES = tuple(deployable.name for deployable in DEPLOYABLES)


@pytest.fixture
def define(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[[str], Service]:
    def define_service(name: str) -> Service:
        key = base64.b64encode(b"k" * 32).decode()
        environment = {
            "DATABASE_URL": "postgresql://nobody:nothing@127.0.0.1:1/none",
            "NATS_URL": "nats://127.0.0.1:1",
            "ISSUER": "http://localhost/identity",
            "DATA_KEYS": f"1:{key}",
            "INDEX_KEY": key,
            "FILES_FOLDER": str(tmp_path),
            "SCOPES_FILE": str(tmp_path / "scopes.json"),
            "SERVICE_CLIENTS_FILE": str(tmp_path / "clients.json"),
        }
        for peer in (*SERVICES, "authority"):
            environment[f"{peer.upper()}_URL"] = "http://127.0.0.1:1"
        for variable, value in environment.items():
            monkeypatch.setenv(f"{name.upper()}_{variable}", value)
        service: Service = importlib.import_module(f"{name}_service.app").define_service()
        return service

    return define_service


@pytest.fixture
def application(define: Callable[[str], Service]) -> Callable[[str], FastAPI]:
    return lambda name: create_app(define(name), worker=False)
