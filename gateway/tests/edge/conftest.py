"""A running Envoy in front of a small upstream with bad habits, and tokens that identity could have issued."""

import asyncio
import contextlib
import json
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest
from joserfc import jwt
from joserfc.jwk import ECKey

from gateway_service.edge import rate_limits
from gateway_service.edge.envoy import render
from gateway_service.edge.options import Address, EdgeOptions
from gateway_service.edge.routes import RATE_LIMITS, SERVICES, Bucket, RateClass, RateLimit
from lianban_local import ports
from lianban_local.servers.envoy import EnvoyServer


@dataclass
class Seen:
    """One request as it arrived."""

    method: str
    path: str
    headers: list[tuple[str, str]]
    body: bytes
    connection: int

    def all(self, name: str) -> list[str]:
        return [value for key, value in self.headers if key.lower() == name]

    def header(self, name: str) -> str | None:
        return next(iter(self.all(name)), None)


@dataclass
class Upstream:
    """Plays all services. Behaviour by the last segment of the path."""

    keys: dict[str, Any]
    requests: list[Seen] = field(default_factory=list)
    key_fetches: int = 0
    connections: int = 0
    # Below those of outgoing connections: while it is away nobody else can be given its port.
    port: int = field(default_factory=ports.choose)
    _server: asyncio.Server | None = None
    _writers: set[asyncio.StreamWriter] = field(default_factory=set)

    async def start(self) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port)

    async def stop(self) -> None:
        """Vanishes: nothing listens, open connections are cut."""
        assert self._server
        self._server.close()
        for writer in list(self._writers):
            writer.transport.abort()
        await self._server.wait_closed()

    async def cut_idle_connections(self) -> None:
        """As a server does whose keep-alive time is over."""
        for writer in list(self._writers):
            writer.transport.abort()

    def to(self, path: str) -> list[Seen]:
        return [one for one in self.requests if one.path.split("?")[0] == path]

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        number = self.connections
        self._writers.add(writer)
        try:
            with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
                while (seen := await _read(reader, number)) is not None:
                    if not await self._answer(seen, writer):
                        return
        finally:
            self._writers.discard(writer)
            writer.close()

    async def _answer(self, seen: Seen, writer: asyncio.StreamWriter) -> bool:
        """Returns whether the connection stays open."""
        path = seen.path.split("?")[0]
        if path == "/identity/jwks":
            self.key_fetches += 1
            await _send(writer, 200, self.keys)
            return True
        self.requests.append(seen)
        habit = path.rsplit("/", 1)[-1]
        if habit == "dies" or (habit == "dies-once" and len(self.to(path)) == 1):
            writer.transport.abort()
            return False
        if habit == "stalls":
            await asyncio.sleep(30)
        elif habit == "babbles":
            writer.write(b"this is no HTTP\r\n\r\n")
            await writer.drain()
            return False
        elif habit == "busy-once" and len(self.to(path)) == 1:
            await _send(writer, 503, {"code": "unavailable"})
        elif habit == "only-get" and seen.method != "GET":
            await _send(writer, 405, {"code": "method_not_allowed"}, allow="GET")
        elif habit.startswith("long"):
            versioned = {"etag": '"7"'} if habit == "long-versioned" else {}
            await _send(writer, 200, {"text": "便利店" * 4000}, **versioned)
        else:
            await _send(writer, 200, {"ok": True, "length": len(seen.body)})
        return True


async def _read(reader: asyncio.StreamReader, connection: int) -> Seen | None:
    head = await reader.readuntil(b"\r\n\r\n")
    first, *lines = head.decode("latin-1").split("\r\n")[:-2]
    method, path, _ = first.split(" ", 2)
    headers = [(name, value.strip()) for name, value in (line.split(":", 1) for line in lines)]
    by_name = {name.lower(): value for name, value in headers}
    if "chunked" in by_name.get("transfer-encoding", ""):
        body = await _read_chunks(reader)
    else:
        body = await reader.readexactly(int(by_name.get("content-length", 0)))
    return Seen(method, path, headers, body, connection)


async def _read_chunks(reader: asyncio.StreamReader) -> bytes:
    body = b""
    while size := int((await reader.readline()).strip(), 16):
        body += await reader.readexactly(size)
        await reader.readline()
    await reader.readline()
    return body


async def _send(writer: asyncio.StreamWriter, status: int, answer: object, **headers: str) -> None:
    body = json.dumps(answer, ensure_ascii=False).encode()
    lines = [
        f"HTTP/1.1 {status} Answer",
        "content-type: application/json",
        f"content-length: {len(body)}",
        *(f"{name}: {value}" for name, value in headers.items()),
    ]
    writer.write("\r\n".join(lines).encode() + b"\r\n\r\n" + body)
    await writer.drain()


class Issuer:
    """Signs tokens as identity does; ``rotate`` begins a new key beside the old ones."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.keys: list[ECKey] = []
        self.jwks: dict[str, Any] = {"keys": []}
        self.rotate()

    def rotate(self) -> None:
        self.keys.append(new_key())
        self.jwks["keys"] = [key.as_dict(private=False) | {"use": "sig", "alg": "ES256"} for key in self.keys]

    def token(self, *, key: ECKey | None = None, **claims: Any) -> str:
        signer = key or self.keys[-1]
        now = int(time.time())
        body = {
            "iss": self.url,
            "sub": str(uuid4()),
            "subject_type": "person",
            "client_id": "demo-app",
            "aud": ["urn:lianban:acceptance"],
            "iat": now,
            "exp": now + 300,
        } | claims
        body = {name: value for name, value in body.items() if value is not None}
        return jwt.encode({"alg": "ES256", "typ": "at+jwt", "kid": str(signer.kid)}, body, signer)

    def bearer(self, **claims: Any) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token(**claims)}"}


def new_key() -> ECKey:
    return ECKey.generate_key("P-256", {"kid": uuid4().hex})


@dataclass
class Edge:
    """What a test needs of the running edge."""

    http: httpx.AsyncClient
    upstream: Upstream
    issuer: Issuer
    server: EnvoyServer

    async def counter(self, name: str) -> int:
        """One figure of Envoy's statistics."""
        async with httpx.AsyncClient(timeout=60) as admin:
            url = f"http://127.0.0.1:{self.server.admin_port}/stats?filter=^{name}$"
            text = (await admin.get(url)).text
        return int(text.rsplit(":", 1)[1]) if text.strip() else 0

    def log(self) -> list[dict[str, Any]]:
        """The access log so far."""
        lines = self.server.log.read_text().splitlines()
        return [json.loads(line) for line in lines if line.startswith("{")]

    def log_of(self, answer: httpx.Response) -> list[dict[str, Any]]:
        """The access log's lines about one request."""
        return [one for one in self.log() if one.get("request_id") == answer.headers["x-request-id"]]


EdgeStarter = Callable[..., AbstractAsyncContextManager[Edge]]


@asynccontextmanager
async def running_edge(folder: Path, **options: Any) -> AsyncIterator[Edge]:
    port = ports.choose()
    admin_port = ports.choose(avoid={port})
    issuer = Issuer(f"http://localhost:{port}/identity")
    upstream = Upstream(issuer.jwks)
    await upstream.start()
    address = Address("127.0.0.1", upstream.port)

    def write(path: Path) -> None:
        edge = EdgeOptions(
            issuer=issuer.url,
            upstreams=dict.fromkeys(SERVICES, address),
            listen=Address("127.0.0.1", port),
            admin_port=admin_port,
            **options,
        )
        path.write_text(render(edge), encoding="utf-8")

    server = EnvoyServer(folder, port=port, admin_port=admin_port, render=write)
    server.start()
    try:
        await _until_keys_are_known(server, upstream)
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=60) as http:
            yield Edge(http, upstream, issuer, server)
    finally:
        server.stop()
        await upstream.stop()


async def _until_keys_are_known(server: EnvoyServer, upstream: Upstream) -> None:
    async with asyncio.timeout(60):
        while upstream.key_fetches == 0 or not await asyncio.to_thread(server.is_ready):
            assert server.is_running, server.log.read_text()
            await asyncio.sleep(0.03)


@pytest.fixture(scope="session")
async def shared_edge(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Edge]:
    async with running_edge(tmp_path_factory.mktemp("edge")) as edge:
        yield edge


@pytest.fixture
def edge(shared_edge: Edge) -> Edge:
    """One Envoy for all tests that do not disturb it; the record of requests begins anew."""
    shared_edge.upstream.requests.clear()
    shared_edge.http.cookies.clear()
    return shared_edge


@pytest.fixture
def start_edge(tmp_path: Path) -> EdgeStarter:
    """An Envoy of one's own: ``async with start_edge(limits=…) as edge``."""
    return lambda **options: running_edge(tmp_path, **options)


@pytest.fixture
def tiny_limits(monkeypatch: pytest.MonkeyPatch) -> Mapping[RateClass, RateLimit]:
    """Limits that a test reaches, in buckets that nothing drips into while it counts, however slow the machine is."""
    monkeypatch.setattr(rate_limits, "_FILL_INTERVAL", "3600s")
    small = RateLimit(people=Bucket(3, 1), clients=Bucket(6, 1), addresses=Bucket(4, 1))
    return dict.fromkeys(RATE_LIMITS, small)


@pytest.fixture
async def collector() -> AsyncIterator[Upstream]:
    """Receives spans, as an OpenTelemetry collector does."""
    collector = Upstream({})
    await collector.start()
    yield collector
    await collector.stop()
