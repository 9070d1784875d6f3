"""Requests with tokens that are bound to a key (RFC 9449)."""

import asyncio
import base64
import hashlib
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
from joserfc import jwt
from joserfc.jwk import ECKey, OctKey, OKPKey, RSAKey
from joserfc.jws import JWSRegistry, serialize_compact
from sqlalchemy import text

from service_common.db import Database, new_id
from service_common.dpop import InvalidProof, SeenProofs, read_proof

ORIGIN = "http://localhost"
NOTES = "/identity/v1/notes"


class _Anything(JWSRegistry):
    """Writes what an attacker would, whatever joserfc thinks of it."""

    max_header_length = 8192

    def check_header(self, header: Any) -> None:
        """Nothing."""


KEY = ECKey.generate_key("P-256")
OTHER_KEY = ECKey.generate_key("P-256")


def prove(
    *,
    method: str = "POST",
    url: str = ORIGIN + NOTES,
    token: str | None = None,
    key: Any = KEY,
    seconds_off: int = 0,
    **changes: Any,
) -> str:
    """A proof, with claims and header parameters changed at will; None leaves one out."""
    claims = {"jti": str(new_id()), "htm": method, "htu": url, "iat": int(time.time()) + seconds_off}
    if token is not None:
        digest = hashlib.sha256(token.encode()).digest()
        claims["ath"] = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
    header = {"alg": "ES256", "typ": "dpop+jwt", "jwk": key.as_dict(private=False)}
    header |= changes.pop("header", {})
    claims = {name: value for name, value in {**claims, **changes}.items() if value is not None}
    return jwt.encode(header, claims, key, registry=_Anything(algorithms=[header["alg"]]))


def read(proof: str, **changes: Any) -> None:
    expected: dict[str, Any] = {"method": "POST", "url": ORIGIN + NOTES, "now": datetime.now(UTC), **changes}
    read_proof(proof, **expected)


@pytest.mark.parametrize(
    ("key", "algorithm"),
    [
        (ECKey.generate_key("P-256"), "ES256"),
        (OKPKey.generate_key("Ed25519"), "Ed25519"),
        (OKPKey.generate_key("Ed25519"), "EdDSA"),
        (RSAKey.generate_key(2048), "PS256"),
    ],
)
def test_each_algorithm_that_is_announced_works(key: Any, algorithm: str) -> None:
    read(prove(key=key, header={"alg": algorithm}))


@pytest.mark.parametrize(
    "changes",
    [
        {"jti": None},
        {"jti": ""},
        {"jti": 7},
        {"jti": "x" * 257},
        {"iat": None},
        {"iat": "now"},
        {"iat": True},
        {"seconds_off": -120},
        {"iat": int(time.time()) + 86_400},  # in the future at the end of a long run, too
        {"iat": 10**400},
        {"iat": float("nan")},
        {"exp": 1},
        {"exp": "soon"},
        {"nbf": 10**400},
        {"header": {"crit": ["extra"], "extra": "x"}},
        {"method": "GET"},
        {"url": "http://localhost/identity/v1/other"},
        {"url": "https://localhost/identity/v1/notes"},
        {"url": "http://localhost:99999/identity/v1/notes"},
        {"url": 7},
        {"nonce": 7},
        {"header": {"typ": "JWT"}},
        {"header": {"jwk": KEY.as_dict(private=True)}},
        {"header": {"jwk": OTHER_KEY.as_dict(private=False)}},
        {"header": {"jwk": "key"}},
        {"header": {"jwk": {}}},
    ],
)
def test_what_is_wrong_with_a_proof_is_found(changes: dict[str, Any]) -> None:
    with pytest.raises(InvalidProof):
        read(prove(**changes))


_NESTED = base64.urlsafe_b64encode(b"[" * 1400).rstrip(b"=").decode()


@pytest.mark.parametrize("value", ["", "a.b.c", "x" * 5000, "é.é.é", f"{_NESTED}.e30.AA"])
def test_what_is_no_proof_is_refused(value: str) -> None:
    with pytest.raises(InvalidProof):
        read(value)


def test_claims_that_are_nested_deeper_than_python_reads_are_no_proof() -> None:
    header = {"typ": "dpop+jwt", "alg": "ES256", "jwk": KEY.as_dict(private=False)}
    signed = serialize_compact(header, b"[" * 2500, KEY, registry=_Anything(algorithms=["ES256"]))
    with pytest.raises(InvalidProof):
        read(signed)


def test_a_shared_key_or_a_weak_one_proves_nothing() -> None:
    secret = OctKey.generate_key(256)
    with pytest.raises(InvalidProof):
        read(prove(key=secret, header={"alg": "HS256", "jwk": secret.as_dict()}))
    with pytest.raises(InvalidProof):
        read(prove(key=RSAKey.generate_key(1024), header={"alg": "PS256"}))


@pytest.mark.parametrize(
    "url",
    [
        "HTTP://LOCALHOST/identity/v1/notes",
        "http://localhost:80/identity/v1/notes",
        "http://localhost/identity/v1/%6Eotes",
        "http://localhost/identity/v1/notes?limit=2#top",
    ],
)
def test_an_address_written_otherwise_is_the_same(url: str) -> None:
    read(prove(url=url))


def test_a_proof_may_say_more_than_we_know_and_how_long_it_is_meant() -> None:
    now = int(time.time())
    read(prove(header={"extra": "x"}, extra="y", nbf=now, exp=now + 300))


def _bound(token: Callable[..., str], **claims: Any) -> str:
    return token(cnf={"jkt": KEY.thumbprint()}, **claims)


async def _write(
    client: httpx.AsyncClient, token: str, *proofs: str, scheme: str = "DPoP", **more: str
) -> httpx.Response:
    headers = [("Authorization", f"{scheme} {token}"), ("Idempotency-Key", str(new_id()))]
    headers += list(more.items())
    headers += [("DPoP", proof) for proof in proofs]
    client.headers.pop("Authorization", None)
    return await client.post(NOTES, json={"text": "x"}, headers=headers)


async def test_a_bound_token_works_with_its_proof_alone(
    client: httpx.AsyncClient, token: Callable[..., str]
) -> None:
    bound = _bound(token)
    assert (await _write(client, bound, prove(token=bound))).status_code == 201
    for wrong in (
        [],
        [prove(token=bound), prove(token=bound)],
        [prove()],  # of no token
        [prove(token="another")],
        [prove(token=bound, key=OTHER_KEY)],
        [prove(token=bound, method="GET")],
    ):
        answer = await _write(client, bound, *wrong)
        assert (answer.status_code, answer.json()["code"]) == (401, "invalid_dpop_proof")
        challenge = answer.headers["www-authenticate"]
        assert challenge == 'DPoP error="invalid_dpop_proof", algs="ES256 Ed25519 EdDSA PS256"'


async def test_a_bound_token_is_no_bearer_token_and_an_unbound_one_has_no_proof(
    client: httpx.AsyncClient, token: Callable[..., str]
) -> None:
    bound, unbound = _bound(token), token()
    downgraded = await _write(client, bound, prove(token=bound), scheme="Bearer")
    assert (downgraded.status_code, downgraded.json()["code"]) == (401, "invalid_token")
    assert downgraded.headers["www-authenticate"].startswith('DPoP error="invalid_token"')
    upgraded = await _write(client, unbound, prove(token=unbound))
    assert (upgraded.status_code, upgraded.json()["code"]) == (401, "invalid_token")


async def test_a_proof_is_accepted_once_by_all_instances(
    client: httpx.AsyncClient, token: Callable[..., str], database: Database
) -> None:
    bound = _bound(token)
    proof = prove(token=bound)
    answers = await asyncio.gather(*(_write(client, bound, proof) for _ in range(5)))
    assert sorted(one.status_code for one in answers) == [201, 401, 401, 401, 401]
    elsewhere = SeenProofs(database)
    again = read_proof(proof, method="POST", url=ORIGIN + NOTES, now=datetime.now(UTC), access_token=bound)
    with pytest.raises(InvalidProof):
        await elsewhere.accept(again)


async def test_what_the_gateway_passes_on_is_good_once_for_each_path(
    client: httpx.AsyncClient, token: Callable[..., str]
) -> None:
    bound, home = _bound(token), "/gateway/v1/home"
    proof = prove(token=bound, url=ORIGIN + home)
    passed_on = {"X-Lianban-Proven-At": home}
    assert (await _write(client, bound, proof)).status_code == 401
    assert (await _write(client, bound, proof, **passed_on)).status_code == 201
    assert (await _write(client, bound, proof, **passed_on)).status_code == 401
    elsewhere = prove(token=bound, url=f"{ORIGIN}/hotline/v1/tickets")
    assert (
        await _write(client, bound, elsewhere, **{"X-Lianban-Proven-At": "/hotline/v1/tickets"})
    ).status_code == 401


async def test_a_refused_request_has_used_its_proof_up(
    client: httpx.AsyncClient, token: Callable[..., str]
) -> None:
    lacking = _bound(token, scope="openid")
    proof = prove(token=lacking)
    assert (await _write(client, lacking, proof)).status_code == 403
    assert (await _write(client, lacking, proof)).json()["code"] == "invalid_dpop_proof"


async def test_proofs_that_are_over_are_forgotten(database: Database) -> None:
    async with database.sessions.begin() as session:
        await session.execute(text("INSERT INTO seen_proofs VALUES ('\\x01', now() - interval '5 minutes')"))
    fresh = read_proof(prove(), method="POST", url=ORIGIN + NOTES, now=datetime.now(UTC))
    await SeenProofs(database).accept(fresh)
    async with database.sessions() as session:
        assert await session.scalar(text("SELECT count(*) FROM seen_proofs")) == 1


async def test_two_tokens_in_one_request_are_refused(
    client: httpx.AsyncClient, token: Callable[..., str]
) -> None:
    client.headers.pop("Authorization", None)
    headers = [("Authorization", f"Bearer {token()}"), ("Authorization", f"Bearer {token()}")]
    answer = await client.get(f"{NOTES}/{new_id()}", headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (401, "invalid_token")
