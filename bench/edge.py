"""``edge_vs_nginx``: requests per second through the edge as shipped, with verified tokens, over nginx without any.

The same upstream (nginx with a small JSON) stands behind both. Envoy runs the configuration that the platform runs, rendered
by the same code from the same route table: verification, limits, access log, all on, and traces sent to a collector.
10,000 distinct tokens; a worker remembers those that it has verified, so the figure is taken when each has seen all, and
the cold one beside it. Envoy without anything of ours, in the same rounds, says how much of the distance is Envoy itself.
"""

import json
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

from joserfc import jwt
from joserfc.jwk import ECKey, KeySet

from bench.peers import envoy, nginx
from bench.result import Result, median, spread
from lianban_local import ports
from lianban_local.servers.envoy import EnvoyServer

TOKENS = 10_000
CONNECTIONS = 16
SECONDS = 8
WARMING_SECONDS = 5
ROUNDS = 3
PATH = "/acceptance/v1/cases"
ANSWER = json.dumps({"items": [{"id": str(uuid4()), "status": "ACCEPTED"}], "next": None})

_WRK_SCRIPT = """
local requests = {}
local n = 0
function init(args)
  for token in io.lines(args[1]) do
    n = n + 1
    requests[n] = wrk.format("GET", "%s", {["Host"] = "localhost", ["Authorization"] = "Bearer " .. token})
  end
end
local i = 0
function request()
  i = i %% n + 1
  return requests[i]
end
function done(summary, latency, _)
  local bad = summary.errors.status + summary.errors.connect + summary.errors.read + summary.errors.timeout
  io.write(string.format("RESULT %%d %%d %%d\\n", summary.requests, summary.duration, bad))
end
"""


def missing() -> str | None:
    """What this machine lacks for the measurement."""
    lacks = [name for name in ("nginx", "wrk") if shutil.which(name) is None]
    return f"{' and '.join(lacks)} (Debian packages nginx-light, wrk)" if lacks else None


def measure(folder: Path) -> list[Result]:
    """Three alternating runs of each, the median of both."""
    key = ECKey.generate_key("P-256", parameters={"kid": "bench", "alg": "ES256", "use": "sig"})
    script, tokens = folder / "tokens.lua", folder / "tokens"
    script.write_text(_WRK_SCRIPT % PATH)
    edge_port, admin_port, nginx_port, upstream_port = (ports.choose() for _ in range(4))
    _write_tokens(tokens, key, issuer=f"http://localhost:{edge_port}/identity")
    jwks = json.dumps(KeySet([key]).as_dict(private=False))
    ours, peers, cold, bare = [], [], [], []
    with (
        nginx.upstream(folder / "upstream", port=upstream_port, answer=ANSWER, jwks=jwks),
        nginx.proxy(folder / "proxy", port=nginx_port, upstream_port=upstream_port),
    ):
        for round_ in range(ROUNDS):
            with _edge(folder / f"edge-{round_}", edge_port, admin_port, upstream_port):
                cold.append(_wrk(edge_port, script, tokens, seconds=1))
                _wrk(edge_port, script, tokens, seconds=WARMING_SECONDS)
                ours.append(_wrk(edge_port, script, tokens, seconds=SECONDS))
            peers.append(_wrk(nginx_port, script, tokens, seconds=SECONDS))
            with _bare_envoy(folder / f"bare-{round_}", edge_port, admin_port, upstream_port):
                bare.append(_wrk(edge_port, script, tokens, seconds=SECONDS))
    return [
        Result(
            name="edge_vs_nginx",
            value=round(median(ours) / median(peers), 3),
            unit="ratio",
            goal=0.4,
            peer="nginx, one worker (Envoy: one per core), proxying the same upstream without tokens",
            detail=f"edge {median(ours):,.0f} requests/s ({spread(ours)}), nginx {median(peers):,.0f} ({spread(peers)}), "
            f"edge with a cold token cache {median(cold):,.0f}; Envoy without filters, log and traces "
            f"{median(bare):,.0f} ({spread(bare)}), {median(bare) / median(peers):.2f} of nginx; "
            f"{TOKENS:,} tokens, {CONNECTIONS} connections",
        )
    ]


@contextmanager
def _edge(folder: Path, port: int, admin_port: int, upstream_port: int) -> Iterator[None]:
    def render(file: Path) -> None:
        services = ("identity", "acceptance", "certificates", "hotline", "evaluation", "gateway")
        upstreams = [
            word for name in services for word in ("--upstream", f"{name}=127.0.0.1:{upstream_port}")
        ]
        subprocess.run(
            [sys.executable, "-m", "gateway_service", "envoy", "--out", str(file), "--listen-port", str(port),
             "--admin-port", str(admin_port), "--otlp", f"127.0.0.1:{upstream_port}", *upstreams],
            check=True,
        )  # fmt: skip

    with _running(EnvoyServer(folder, port=port, admin_port=admin_port, render=render)):
        yield


@contextmanager
def _bare_envoy(folder: Path, port: int, admin_port: int, upstream_port: int) -> Iterator[None]:
    def render(file: Path) -> None:
        file.write_text(envoy.bare(port, admin_port, upstream_port))

    with _running(EnvoyServer(folder, port=port, admin_port=admin_port, render=render)):
        yield


@contextmanager
def _running(server: EnvoyServer) -> Iterator[None]:
    server.state.mkdir(parents=True)
    server.start()
    try:
        server.wait_ready()
        yield
    finally:
        server.stop()


def _write_tokens(file: Path, key: ECKey, *, issuer: str) -> None:
    now = int(time.time())
    with file.open("w") as lines:
        for _ in range(TOKENS):
            claims = {
                "iss": issuer, "aud": ["urn:lianban:acceptance"], "sub": str(uuid4()), "subject_type": "person",
                "client_id": "lianban-app", "scope": "acceptance:applications.read", "sid": str(uuid4()),
                "acr": "urn:lianban:loa:2", "jti": str(uuid4()), "iat": now, "exp": now + 3600,
            }  # fmt: skip
            lines.write(jwt.encode({"alg": "ES256", "kid": "bench", "typ": "at+jwt"}, claims, key) + "\n")


def _wrk(port: int, script: Path, tokens: Path, *, seconds: int) -> float:
    """Requests per second. Raises: RuntimeError when an answer was not 2xx: a refused request is a cheap one."""
    done = subprocess.run(
        ["wrk", "-t1", f"-c{CONNECTIONS}", f"-d{seconds}s", "-s", str(script), f"http://127.0.0.1:{port}", "--", str(tokens)],
        check=True,
        capture_output=True,
        text=True,
    )  # fmt: skip
    line = next(line for line in done.stdout.splitlines() if line.startswith("RESULT"))
    requests, microseconds, bad = map(int, line.split()[1:])
    if bad:
        raise RuntimeError(f"{bad} of {requests} requests failed")
    return requests / (microseconds / 1e6)
