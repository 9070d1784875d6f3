"""Identity: tokens and log-ins per second against npm ``oidc-provider`` and raw argon2, verification, and lookup at a million.

Ours is one process as shipped (logs, traces, ``fsync``) on PostgreSQL; the peer is one Node process that keeps everything in
memory. Both sign ES256 and get the same requests from the same load generator.
"""

import asyncio
import base64
import hashlib
import json
import os
import re
import secrets
import shutil
import statistics
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode
from uuid import uuid4

import httpx
from argon2 import PasswordHasher
from joserfc import jwt
from joserfc.jwk import ECKey
from services.identity.tests.factories import CALLBACK, PASSWORD, Citizen

from bench import account_lookup
from bench.peers import oidc_provider
from bench.result import Result, median, spread
from bench.running_identity import PARTNER_SCOPE, SCOPES, SESSIONS, Identity, Seeded, Servers, servers
from bench.token_load import CONNECTIONS, Run, TokenLoad
from lianban_local import ports
from service_common.tokens import IssuerKeys, RevokedSessions, TokenVerifier

ROUNDS = 3
SECONDS = 4
WARMING_SECONDS = 2
ASSERTIONS_A_SECOND = 4_000
LOGIN_SECONDS = 6
VERIFIED_TOKENS = 500
VERIFIER = secrets.token_urlsafe(48)
PEER_RESOURCE = "urn:bench:api"
_ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"


def missing() -> str | None:
    """What this machine lacks for the measurement."""
    lacks = [*oidc_provider.missing(), *(name for name in ("wrk",) if shutil.which(name) is None)]
    return f"{', '.join(lacks)} (Node 20 with npm; Debian package wrk)" if lacks else None


def measure(folder: Path) -> list[Result]:
    with servers(folder / "servers") as running:
        identity = Identity(folder / "servers", running)
        seeded = asyncio.run(identity.seed())
        peer_config, peer_key = _peer_config()
        lookup = asyncio.run(account_lookup.growth(running))
        with (
            identity.running() as pid,
            oidc_provider.running(folder / "peer", port=ports.choose(), config=peer_config) as peer,
        ):
            ours = Ours(folder / "ours", identity, seeded, pid)
            theirs = Theirs(folder / "theirs", peer, peer_key)
            # First: the peer's memory holds 1,000 things, and its assertions would push its sessions out.
            flows = _alternating(ours.flows, theirs.flows)
            basic = _alternating(ours.basic, theirs.basic)
            jwts = _alternating(ours.keyed, theirs.keyed)
            logins = asyncio.run(_logins(identity, seeded.people))
            verification = asyncio.run(_verification(identity, ours.bearer()))
        loose = _without_waiting(folder / "loose", running, identity, seeded)
        written = "nothing is written for it: the row of a client is remembered for half a second"
        return [
            _ratio("token_basic_vs_oidc_provider", 0.8, basic, written),
            _ratio("token_jwt_vs_oidc_provider", 0.5, jwts, f"without waiting for the disk {_shown(loose[0])}; the peer remembers the last 1,000 assertions in memory"),
            _ratio("code_flow_vs_oidc_provider", 0.5, flows, f"without waiting for the disk {_shown(loose[1])}; from a session to tokens, no page"),
            logins,
            verification,
            lookup,
        ]  # fmt: skip


Rounds = tuple[list[Run], list[Run]]


def _alternating(ours: Callable[[int], Run], peer: Callable[[int], Run]) -> Rounds:
    """Both warm, then three runs of each in turn."""
    ours(WARMING_SECONDS)
    peer(WARMING_SECONDS)
    rounds: Rounds = ([], [])
    for _ in range(ROUNDS):
        rounds[0].append(ours(SECONDS))
        rounds[1].append(peer(SECONDS))
    return rounds


def _ratio(name: str, goal: float, rounds: Rounds, more: str) -> Result:
    ours, peer = rounds
    ratios = [one.per_second / other.per_second for one, other in zip(ours, peer, strict=True)]
    return Result(
        name=name,
        value=round(median(ratios), 3),
        unit="ratio",
        goal=goal,
        peer="npm oidc-provider 9, one process, in memory",
        detail=f"ours {_shown_all(ours)}, peer {_shown_all(peer)}, ratios {min(ratios):.2f}…{max(ratios):.2f}; {more}; "
        f"wrk, {CONNECTIONS} connections",
    )


def _shown_all(runs: Sequence[Run]) -> str:
    rates = [one.per_second for one in runs]
    return f"{median(rates):,.0f}/s ({spread(rates)}) at {median([one.cpu_ms for one in runs]):.2f} ms CPU of its process"


def _shown(run: Run) -> str:
    return f"{run.per_second:,.0f}/s"


def _basic(client_id: str, secret: str) -> str:
    pair = f"{quote(client_id, safe='')}:{quote(secret, safe='')}"
    return f"Basic {base64.b64encode(pair.encode()).decode()}"


def _assertions(client_id: str, audience: str, key: ECKey, scope: str, count: int) -> list[str]:
    """Bodies of token requests, each with an assertion of its own, good for ten minutes."""
    now = int(time.time())
    header = {"alg": "ES256", "kid": str(key.kid)}
    form = {"grant_type": "client_credentials", "scope": scope, "client_assertion_type": _ASSERTION_TYPE}
    common = {"iss": client_id, "sub": client_id, "aud": audience, "iat": now, "exp": now + 600}
    return [
        urlencode({**form, "client_assertion": jwt.encode(header, {**common, "jti": str(uuid4())}, key)})
        for _ in range(count)
    ]


def _authorization(client_id: str, scope: str) -> str:
    challenge = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).rstrip(b"=").decode()
    asked = {
        "response_type": "code", "client_id": client_id, "redirect_uri": CALLBACK, "scope": scope, "state": "s",
        "nonce": "n", "code_challenge": challenge, "code_challenge_method": "S256",
    }  # fmt: skip
    return urlencode(asked)


_REDEEM = urlencode({"grant_type": "authorization_code", "redirect_uri": CALLBACK, "code_verifier": VERIFIER})


class Ours:
    """The three loads on identity."""

    def __init__(self, folder: Path, identity: Identity, seeded: Seeded, pid: int) -> None:
        self._issuer, self._origin, self._seeded = identity.issuer, identity.origin, seeded
        self._load = TokenLoad(folder, origin=identity.origin, token_path="/identity/token", pid=pid)
        self._credentials = _basic(seeded.basic.client_id, seeded.basic.secret or "")
        self._form = urlencode({"grant_type": "client_credentials", "scope": PARTNER_SCOPE})

    def basic(self, seconds: int) -> Run:
        return self._load.tokens([self._form], seconds=seconds, authorization=self._credentials)

    def keyed(self, seconds: int) -> Run:
        bodies = _assertions(
            self._seeded.keyed.client_id,
            self._issuer,
            self._seeded.key,
            PARTNER_SCOPE,
            seconds * ASSERTIONS_A_SECOND,
        )
        return self._load.tokens(bodies, seconds=seconds)

    def flows(self, seconds: int) -> Run:
        partner = self._seeded.partner
        address = f"/identity/authorize?{_authorization(partner.client_id, ' '.join(SCOPES))}"
        asked = [(address, cookie) for cookie in self._seeded.cookies]
        authorization = _basic(partner.client_id, partner.secret or "")
        return self._load.flows(asked, _REDEEM, seconds=seconds, authorization=authorization)

    def bearer(self) -> Callable[[], str]:
        """Gets one access token."""
        http = httpx.Client()

        def get() -> str:
            headers = {
                "Authorization": self._credentials,
                "Content-Type": "application/x-www-form-urlencoded",
            }
            answer = http.post(f"{self._origin}/identity/token", content=self._form, headers=headers)
            return str(answer.raise_for_status().json()["access_token"])

        return get


class Theirs:
    """The three loads on oidc-provider."""

    def __init__(self, folder: Path, peer: oidc_provider.RunningPeer, key: ECKey) -> None:
        self._peer, self._key = peer, key
        self._load = TokenLoad(folder, origin=peer.origin, token_path="/token", pid=peer.pid)
        self._form = urlencode({"grant_type": "client_credentials", "scope": "api"})

    def basic(self, seconds: int) -> Run:
        return self._load.tokens([self._form], seconds=seconds, authorization=_basic("basic", "s" * 43))

    def keyed(self, seconds: int) -> Run:
        return self._load.tokens(
            _assertions("keyed", self._peer.origin, self._key, "api", seconds * ASSERTIONS_A_SECOND),
            seconds=seconds,
        )

    def flows(self, seconds: int) -> Run:
        address = f"/auth?{_authorization('browser', 'openid api')}"
        asked = [(address, cookie) for cookie in self._peer.cookies]
        return self._load.flows(asked, _REDEEM, seconds=seconds, authorization=_basic("browser", "s" * 43))


def _peer_config() -> tuple[dict[str, Any], ECKey]:
    signing = ECKey.generate_key("P-256", {"use": "sig", "alg": "ES256"}, auto_kid=True)
    client = ECKey.generate_key("P-256", {"use": "sig", "alg": "ES256"}, auto_kid=True)
    machine = {"grant_types": ["client_credentials"], "redirect_uris": [], "response_types": [],
               "id_token_signed_response_alg": "ES256"}  # fmt: skip
    clients = [
        {"client_id": "basic", "client_secret": "s" * 43, "token_endpoint_auth_method": "client_secret_basic", **machine},
        {"client_id": "keyed", "token_endpoint_auth_method": "private_key_jwt",
         "jwks": {"keys": [client.as_dict(private=False)]}, "token_endpoint_auth_signing_alg": "ES256", **machine},
        {"client_id": "browser", "client_secret": "s" * 43, "redirect_uris": [CALLBACK],
         "grant_types": ["authorization_code"], "id_token_signed_response_alg": "ES256"},
    ]  # fmt: skip
    config = {"resource": PEER_RESOURCE, "jwk": signing.as_dict(private=True), "clients": clients,
              "browserClient": "browser", "sessions": SESSIONS}  # fmt: skip
    return config, client


def _without_waiting(folder: Path, running: Servers, identity: Identity, seeded: Seeded) -> tuple[Run, Run]:
    """Assertions and code flow once more, with commits that do not wait for the disk: what durability costs us."""
    running.set_durable(identity.database_url, durable=False)
    with identity.running() as pid:
        ours = Ours(folder, identity, seeded, pid)
        ours.flows(WARMING_SECONDS)
        runs = ours.keyed(SECONDS), ours.flows(SECONDS)
    running.set_durable(identity.database_url, durable=True)
    return runs


async def _logins(identity: Identity, people: Sequence[Citizen]) -> Result:
    """Page, form, password, session; raw argon2 verifies in the same number of threads as ours."""
    ours, raw = [], []
    await _log_ins(identity.origin, people, seconds=WARMING_SECONDS)
    for _ in range(ROUNDS):
        ours.append(await _log_ins(identity.origin, people, seconds=LOGIN_SECONDS))
        raw.append(await asyncio.to_thread(_raw_argon2, LOGIN_SECONDS))
    ratios = [one / other for one, other in zip(ours, raw, strict=True)]
    parameters = PasswordHasher()
    return Result(
        name="password_logins_vs_argon2",
        value=round(median(ratios), 3),
        unit="ratio",
        goal=0.7,
        peer=f"argon2-cffi, {os.cpu_count()} threads, the same parameters",
        detail=f"ours {median(ours):.1f}/s ({min(ours):.1f}…{max(ours):.1f}), raw {median(raw):.1f}/s "
        f"({min(raw):.1f}…{max(raw):.1f}), ratios {min(ratios):.2f}…{max(ratios):.2f}; Argon2id "
        f"{parameters.memory_cost // 1024} MiB, {parameters.time_cost} passes, {parameters.parallelism} lanes; with the page "
        f"before it; httpx, {len(people)} browsers",
    )


async def _log_ins(origin: str, people: Sequence[Citizen], *, seconds: float) -> float:
    end = time.perf_counter() + seconds
    began = time.perf_counter()
    counts = await asyncio.gather(
        *(_browser(origin, person, f"198.51.100.{n + 1}", end) for n, person in enumerate(people))
    )
    return sum(counts) / (time.perf_counter() - began)


async def _browser(origin: str, person: Citizen, address: str, end: float) -> int:
    """One person at one address, logging in again and again. Raises: RuntimeError when it does not work."""
    count = 0
    async with httpx.AsyncClient(
        base_url=origin, headers={"X-Forwarded-For": address}, timeout=30
    ) as browser:
        while time.perf_counter() < end:
            browser.cookies.delete("lianban_session") if "lianban_session" in browser.cookies else None
            page = await browser.get("/identity/login", follow_redirects=True)
            form = dict(re.findall(r'type="hidden" name="([^"]+)" value="([^"]*)"', page.text))
            typed = {**form, "username": person.username, "password": PASSWORD}
            answer = await browser.post("/identity/login", data=typed)
            if answer.status_code != 303 or "lianban_session" not in browser.cookies:
                raise RuntimeError(f"log-in answered {answer.status_code}: {answer.text[:300]}")
            count += 1
    return count


def _raw_argon2(seconds: float) -> float:
    hasher = PasswordHasher()
    known = hasher.hash(PASSWORD)
    began = time.perf_counter()

    def verify_until_end(_thread: int) -> int:
        count = 0
        while time.perf_counter() - began < seconds:
            hasher.verify(known, PASSWORD)
            count += 1
        return count

    threads = os.cpu_count() or 1
    with ThreadPoolExecutor(threads) as pool:
        count = sum(pool.map(verify_until_end, range(threads)))
    return count / (time.perf_counter() - began)


async def _verification(identity: Identity, get_token: Callable[[], str]) -> Result:
    """A service meets a token for the first time: signature, claims, session; and once more."""
    claims = json.loads(base64.urlsafe_b64decode(get_token().split(".")[1] + "=="))
    calls = 0

    async def count(_request: httpx.Request) -> None:
        nonlocal calls
        calls += 1

    async with httpx.AsyncClient(event_hooks={"request": [count]}) as http:
        keys = IssuerKeys(f"{identity.issuer}/jwks", http)
        audience = str(claims["aud"][0])
        verifier = TokenVerifier(
            issuer=identity.issuer, audience=audience, keys=keys, revoked=RevokedSessions()
        )
        tokens = [await asyncio.to_thread(get_token) for _ in range(VERIFIED_TOKENS)]
        await verifier.verify(tokens[0])
        fetched = calls
        first = [await _timed(verifier, token) for token in tokens[1:]]
        again = [await _timed(verifier, token) for token in tokens[1:]]
    return Result(
        name="token_verification_p50_ms",
        value=round(median(first), 3),
        unit="ms",
        goal=0.3,
        at_most=True,
        peer="limit",
        detail=f"{len(first):,} tokens never seen before, {calls - fetched} calls out; p95 {_p95(first):.3f} ms; a token seen before "
        f"{median(again):.3f} ms",
    )


async def _timed(verifier: TokenVerifier, token: str) -> float:
    began = time.perf_counter()
    await verifier.verify(token)
    return (time.perf_counter() - began) * 1000


def _p95(values: Sequence[float]) -> float:
    return statistics.quantiles(values, n=20)[18]
