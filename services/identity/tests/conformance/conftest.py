"""The identity service on a port of its own, and libraries that its users have."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
import uvicorn
from fastapi import FastAPI
from services.identity.tests.factories import Citizen, Population
from services.identity.tests.flows import hidden
from services.identity.tests.npm_packages import installed_packages

from identity_service.app import define_service
from identity_service.clients.authority import Authority
from identity_service.settings import Settings
from service_common.app import create_app

HERE = Path(__file__).parent


@pytest.fixture
async def origin(settings: Settings, authority: Authority) -> AsyncIterator[str]:
    """Where the service listens, over HTTP as its users see it."""
    listening = socket.create_server(("127.0.0.1", 0))
    origin = f"http://127.0.0.1:{listening.getsockname()[1]}"
    app: FastAPI = create_app(
        define_service(settings.model_copy(update={"issuer": f"{origin}/identity", "public_origin": origin})),
        worker=False,
    )
    server = uvicorn.Server(uvicorn.Config(app, log_level="warning", access_log=False))
    server.capture_signals = contextlib.nullcontext  # type: ignore[assignment]  # signals are pytest's
    serving = asyncio.create_task(server.serve(sockets=[listening]))
    while not server.started:
        await asyncio.sleep(0.02)
    app.state.authority = authority
    yield origin
    server.should_exit = True
    await serving


class Person:
    """Somebody with a browser: follows addresses, fills in forms, and says where the browser ended up."""

    def __init__(self, who: Citizen, browser: httpx.AsyncClient) -> None:
        self.who = who
        self._browser = browser

    async def log_in(self, url: str, password: str) -> str:
        """Through log-in and consent, back to the client."""
        page = await self._walk(await self._browser.get(url))
        if "/identity/login" in page.text:
            page = await self._post("/identity/login", page, username=self.who.username, password=password)
        if "/identity/consent" in page.text:
            page = await self._post("/identity/consent", page, decision="allow")
        assert page.is_redirect, page.text
        return str(page.headers["location"])

    async def let_in(self, url: str, password: str) -> None:
        """At the page that a device shows."""
        page = await self._walk(await self._browser.get(url))
        if "/identity/device/login" in page.text:
            login = httpx.URL(url).copy_with(path="/identity/device/login")
            page = await self._walk(await self._browser.get(login))
            page = await self._post("/identity/login", page, username=self.who.username, password=password)
        page = await self._post("/identity/device", page, decision="allow")
        assert "已同意登录" in page.text

    async def visit(self, url: str) -> str:
        """Wherever that leads."""
        return str((await self._browser.get(url)).headers["location"])

    async def _post(self, path: str, page: httpx.Response, **typed: str) -> httpx.Response:
        return await self._walk(await self._browser.post(path, data={**hidden(page), **typed}))

    async def _walk(self, page: httpx.Response) -> httpx.Response:
        while page.is_redirect and page.headers["location"].startswith("/"):
            page = await self._browser.get(page.headers["location"])
        return page


@pytest.fixture
async def person(origin: str, population: Population) -> AsyncIterator[Person]:
    async with httpx.AsyncClient(base_url=origin) as browser:
        yield Person(await population.person(), browser)


@pytest.fixture(scope="session")
def node_folder() -> Path:
    """Where openid-client is installed."""
    return installed_packages(HERE)
