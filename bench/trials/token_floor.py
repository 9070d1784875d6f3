"""What a token costs in Python, layer upon layer: which part of it is ours?

Run `python -m bench.trials.token_floor` (about two minutes; needs `wrk`). Each variant answers the same form of a client, from a
fresh process, as our services run: uvicorn with uvloop and httptools, keep-alive, 16 connections. What counts is the CPU time of
the process for each request: it moves less than the rate when the machine does other things. Turn by turn (A B C, A B C, …),
medians with their range. A code flow is two requests: its variants do the first and the second half in turn. The statements go
to a PostgreSQL of its own that waits for the disk. The decision drawn from it is `docs/adr/0008-cost-of-a-token.md`.

The file keeps to itself on purpose, but for the application that all our services share, which is what it measures.
"""

import argparse
import base64
import json
import os
import secrets
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from typing import Any

import httpx
import psutil
import psycopg
import uvicorn
from fastapi import APIRouter, FastAPI, Request, Response
from joserfc import jwt
from joserfc.jwk import ECKey
from sqlalchemy import MetaData, text
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from identity_service.oidc.routes.direct import DirectRoute
from lianban_local import ports
from lianban_local.servers.postgres import PostgresServer
from service_common.app import Service, create_app
from service_common.auth import PUBLIC
from service_common.db import async_url
from service_common.gathering import Gathered
from service_common.logging import configure_logging
from service_common.settings import ServiceSettings
from service_common.telemetry import configure_telemetry

ROUNDS = 3
SECONDS = 4
KEY = ECKey.generate_key("P-256", {"use": "sig", "alg": "ES256"}, auto_kid=True)
HEADER = {"alg": "ES256", "kid": str(KEY.kid), "typ": "at+jwt"}
FORM = "grant_type=client_credentials&scope=certificates%3Alicences.verify"


def _signed() -> bytes:
    """An answer as long as ours, with a signature of its own."""
    now = int(time.time())
    claims = {
        "iss": "http://127.0.0.1:8000/identity",
        "aud": ["urn:lianban:certificates"],
        "client_id": "c-4be5d1a0c2f39e77",
        "scope": "certificates:licences.verify",
        "jti": base64.b64encode(os.urandom(16)).decode(),
        "iat": now,
        "exp": now + 300,
        "sub": "c-4be5d1a0c2f39e77",
        "subject_type": "client",
    }
    token = jwt.encode(HEADER, claims, KEY, algorithms=["ES256"])
    return json.dumps({"access_token": token, "token_type": "Bearer", "expires_in": 300}).encode()


FIXED = _signed()


def _plain(answer: Callable[[], bytes]) -> Any:
    """The least there is: an ASGI function that reads the body and answers."""

    async def app(_scope: Any, receive: Any, send: Any) -> None:
        while (await receive()).get("more_body"):
            pass
        body = answer()
        headers = [
            (b"content-type", b"application/json"),
            (b"content-length", str(len(body)).encode()),
            (b"cache-control", b"no-store"),
        ]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    return app


def _bare_fastapi() -> FastAPI:
    app = FastAPI(openapi_url=None)

    @app.post("/token")
    async def token(request: Request) -> Response:
        await request.body()
        return Response(_signed(), media_type="application/json")

    return app


Answer = Callable[[], Awaitable[bytes]]


def _ours(answer: Answer) -> FastAPI:
    """The application of every service: telemetry, logs, problem documents, limits; one route like that of tokens."""
    router = APIRouter(route_class=DirectRoute)

    @router.post("/token", dependencies=[PUBLIC])
    async def token(request: Request) -> Response:
        await request.body()
        return Response(await answer(), media_type="application/json")

    key = base64.b64encode(bytes(32)).decode()
    told = {"database_url": "postgresql://nobody@127.0.0.1:9/none", "nats_url": "nats://127.0.0.1:9"}
    traces = Path(tempfile.mkdtemp()) / "traces.jsonl"
    settings = ServiceSettings.model_validate(
        told | {"issuer": "http://127.0.0.1/identity", "identity_url": "http://127.0.0.1:9",
                "data_keys": f"1:{key}", "index_key": key, "traces_file": traces, "log_format": "json"}
    )  # fmt: skip
    configure_telemetry("floor", settings)
    configure_logging("floor", settings)
    migrations = Path(__file__).resolve().parents[2] / "services/identity/migrations"
    service = Service(
        name="identity", title="floor", description="", settings=settings, routers=(router,), migrations=migrations, metadata=MetaData()
    )  # fmt: skip
    return create_app(service, worker=False)


async def _a_signature() -> bytes:
    return _signed()


_ASSERTION = jwt.encode(
    HEADER, {"iss": "c", "sub": "c", "aud": "i", "jti": "j" * 22, "exp": int(time.time()) + 600}, KEY
)


async def _verified() -> bytes:
    """What ``private_key_jwt`` needs of joserfc."""
    jwt.decode(_ASSERTION, KEY, algorithms=["ES256"])
    return _signed()


def _statements() -> AsyncEngine:
    """As ``lone_statements`` has them: each is committed by itself."""
    engine = create_async_engine(async_url(os.environ[_DATABASE]), pool_size=8, max_overflow=0)
    return engine.execution_options(isolation_level="AUTOCOMMIT")


_WRITE = text("INSERT INTO written SELECT unnest(CAST(:ids AS text[])), :at")
_READ = text("SELECT * FROM known WHERE id = ANY(CAST(:ids AS int[]))")
_USE = text("UPDATE written SET used_at = :at WHERE id = ANY(CAST(:ids AS text[]))")
_names = count()


def _name() -> str:
    return f"{os.getpid()}-{next(_names)}"


Statement = Callable[[AsyncEngine, Sequence[str]], Awaitable[None]]


async def _read(engine: AsyncEngine, ids: Sequence[str]) -> None:
    async with engine.connect() as connection:
        (await connection.execute(_READ, {"ids": [7] * len(ids)})).all()


async def _write(engine: AsyncEngine, ids: Sequence[str]) -> None:
    async with engine.connect() as connection:
        await connection.execute(_WRITE, {"ids": ids, "at": datetime.now(UTC)})


async def _use_up(engine: AsyncEngine, ids: Sequence[str]) -> None:
    async with engine.connect() as connection:
        await connection.execute(_USE, {"ids": ids, "at": datetime.now(UTC)})


def _alone(engine: AsyncEngine, statement: Statement) -> Callable[[str], Awaitable[None]]:
    return lambda one: statement(engine, [one])


def _together(engine: AsyncEngine, statement: Statement) -> Callable[[str], Awaitable[None]]:
    async def send(ids: Sequence[str]) -> Sequence[None]:
        await statement(engine, ids)
        return [None] * len(ids)

    return Gathered(send)


def _remembered() -> Answer:
    """The number of each assertion is written, those of a moment together."""
    write = _together(_statements(), _write)

    async def answer() -> bytes:
        await write(_name())
        return await _verified()

    return answer


def _flow(sent: Callable[[AsyncEngine, Statement], Callable[[str], Awaitable[None]]]) -> Answer:
    """One half reads who is there and writes a code; the other reads the code, uses it up and signs two tokens."""
    engine = _statements()
    read, write, use_up = (sent(engine, one) for one in (_read, _write, _use_up))
    codes: list[str] = []

    async def answer() -> bytes:
        if codes:
            code = codes.pop()
            await read(code)
            await use_up(code)
            return _signed() + _signed()
        code = _name()
        await read(code)
        await write(code)
        codes.append(code)
        return code.encode()

    return answer


VARIANTS: dict[str, Callable[[], Any]] = {
    "uvicorn, a fixed body": lambda: _plain(lambda: FIXED),
    "and a signature by joserfc": lambda: _plain(_signed),
    "the same through FastAPI alone": _bare_fastapi,
    "the same in our application": lambda: _ours(_a_signature),
    "and an assertion verified": lambda: _ours(_verified),
    "and its number written, those of a moment together": lambda: _ours(_remembered()),
    "half a code flow: two statements, one signature": lambda: _ours(_flow(_alone)),
    "half a code flow, statements of a moment together": lambda: _ours(_flow(_together)),
}
_DATABASE = "FLOOR_DATABASE_URL"
_TABLES = """
CREATE TABLE written (id text PRIMARY KEY, at timestamptz NOT NULL, used_at timestamptz);
CREATE TABLE known AS SELECT id, now() AS at, md5(id::text) AS name, md5((id + 1)::text) AS secret,
  ARRAY[md5('a'), md5('b')] AS roles, now() AS seen_at, NULL::timestamptz AS ended_at FROM generate_series(1, 100) AS id;
ALTER TABLE known ADD PRIMARY KEY (id);
"""


def serve(variant: str, port: int) -> None:
    # No lifespan: our application would wait for the broker that this trial does without.
    uvicorn.run(VARIANTS[variant](), port=port, log_config=None, access_log=False, server_header=False, lifespan="off")  # fmt: skip


@contextmanager
def _database(folder: Path) -> Iterator[None]:
    """A PostgreSQL of its own, whose address the variants find in the environment."""
    server = PostgresServer(folder, port=ports.choose(), password=secrets.token_hex(20), max_connections=40)
    server.start()
    try:
        server.wait_ready()
        with psycopg.connect(server.admin_url, autocommit=True) as admin:
            admin.execute(_TABLES)
        os.environ[_DATABASE] = server.admin_url
        yield
    finally:
        server.stop()


def measure(variant: str, folder: Path) -> tuple[float, float]:
    """Requests per second, and CPU milliseconds of the server for each."""
    port = ports.choose()
    server = subprocess.Popen([sys.executable, __file__, "--serve", variant, "--port", str(port)])
    try:
        _await_answer(f"http://127.0.0.1:{port}/token")
        _load(port, folder, 1)
        process = psutil.Process(server.pid)
        before = sum(process.cpu_times()[:2])
        requests, seconds = _load(port, folder, SECONDS)
        return requests / seconds, 1000 * (sum(process.cpu_times()[:2]) - before) / requests
    finally:
        server.kill()
        server.wait()


def _await_answer(url: str) -> None:
    for _ in range(600):
        try:
            httpx.post(url, content=FORM).raise_for_status()
        except httpx.TransportError:
            time.sleep(0.1)
        else:
            return
    raise RuntimeError("the server does not answer")


def _load(port: int, folder: Path, seconds: int) -> tuple[int, float]:
    script = folder / "form.lua"
    script.write_text(
        f"""wrk.method = "POST"; wrk.body = "{FORM}"
wrk.headers["Content-Type"] = "application/x-www-form-urlencoded"
function done(all) io.write(string.format("RESULT %d %d %d\\n", all.requests, all.duration, all.errors.status)) end
"""
    )
    command = ["wrk", "-t1", "-c16", f"-d{seconds}s", "-s", str(script), f"http://127.0.0.1:{port}/token"]
    out = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    requests, microseconds, bad = (
        int(one) for one in next(line for line in out.splitlines() if line.startswith("RESULT")).split()[1:]
    )
    assert bad == 0
    return requests, microseconds / 1e6


def main() -> None:
    found: dict[str, list[tuple[float, float]]] = {variant: [] for variant in VARIANTS}
    with tempfile.TemporaryDirectory() as folder, _database(Path(folder)):
        for _ in range(ROUNDS):
            for variant, runs in found.items():
                runs.append(measure(variant, Path(folder)))
    print("| layer | CPU ms per request (lowest) | requests/s |")
    print("|---|---|---|")
    for variant, runs in found.items():
        costs = [cost for _, cost in runs]
        rate = statistics.median([rate for rate, _ in runs])
        print(f"| {variant} | {statistics.median(costs):.3f} ({min(costs):.3f}) | {rate:,.0f} |")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--serve", choices=VARIANTS)
    parser.add_argument("--port", type=int)
    given = parser.parse_args()
    serve(given.serve, given.port) if given.serve else main()
