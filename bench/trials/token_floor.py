"""What a token costs in Python, layer upon layer: which part of it is ours?

Run `python bench/trials/token_floor.py` (about a minute; needs `wrk`). Each variant answers the same form of a client with the
same body, from a fresh process, as our services run: uvicorn with uvloop and httptools, keep-alive, 16 connections. What counts is
the CPU time of the process for each request: it moves less than the rate when the machine does other things. Turn by turn
(A B C, A B C, …), medians with their range. The decision drawn from it is `docs/adr/0008-cost-of-a-token.md`.

The file keeps to itself on purpose, but for the application that all our services share, which is what it measures.
"""

import argparse
import base64
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import psutil
import uvicorn
from fastapi import APIRouter, FastAPI, Request, Response
from joserfc import jwt
from joserfc.jwk import ECKey
from sqlalchemy import MetaData

from identity_service.oidc.routes.direct import DirectRoute
from lianban_local import ports
from service_common.app import Service, create_app
from service_common.auth import PUBLIC
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


def _ours() -> FastAPI:
    """The application of every service: telemetry, logs, problem documents, limits; one route like that of tokens, no database."""
    router = APIRouter(route_class=DirectRoute)

    @router.post("/token", dependencies=[PUBLIC])
    async def token(request: Request) -> Response:
        await request.body()
        return Response(_signed(), media_type="application/json")

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


VARIANTS: dict[str, Callable[[], Any]] = {
    "uvicorn, a fixed body": lambda: _plain(lambda: FIXED),
    "and a signature by joserfc": lambda: _plain(_signed),
    "the same through FastAPI alone": _bare_fastapi,
    "the same in our application": _ours,
}


def serve(variant: str, port: int) -> None:
    # No lifespan: our application would wait for the broker that this trial does without.
    uvicorn.run(VARIANTS[variant](), port=port, log_config=None, access_log=False, server_header=False, lifespan="off")  # fmt: skip


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
    with tempfile.TemporaryDirectory() as folder:
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
