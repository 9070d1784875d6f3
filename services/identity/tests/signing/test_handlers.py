"""Signing keys: made once, rotated with overlap, without a restart."""

import asyncio
from datetime import timedelta

import httpx
import pytest
from fastapi import FastAPI
from joserfc import jwt
from joserfc.jwk import RSAKey
from services.identity.tests.factories import Population, Tokens
from sqlalchemy import select

from identity_service.db import Transactions
from identity_service.signing import handlers
from identity_service.signing.domain import ALGORITHM, ID_TOKEN_ALGORITHMS, KeySpan, signing_kid
from identity_service.signing.models import SigningKey
from service_common.clock import utc_now
from service_common.crypto import KeyRing

LEAD, KEPT = timedelta(minutes=15), timedelta(days=30)


def test_the_newest_key_whose_time_has_come_signs() -> None:
    now = utc_now()
    spans = [
        KeySpan("old", now - timedelta(days=1)),
        KeySpan("current", now),
        KeySpan("next", now + timedelta(seconds=1)),
    ]
    assert signing_kid(spans, now=now) == "current"
    assert signing_kid(spans, now=now + timedelta(seconds=1)) == "next"
    assert signing_kid([], now=now) is None


async def test_many_processes_at_once_make_one_first_key(transactions: Transactions, ring: KeyRing) -> None:
    await asyncio.gather(*(handlers.KeyStore(transactions, ring).current() for _ in range(5)))
    async with transactions() as session:
        assert len((await session.scalars(select(SigningKey.kid))).all()) == 1


async def test_a_rotated_key_is_published_before_it_signs_and_the_old_one_after(
    transactions: Transactions, ring: KeyRing
) -> None:
    began = utc_now()
    async with transactions() as session:
        first = await handlers.rotate_key(session, ring, lead=LEAD, kept=KEPT, now=began)
        second = await handlers.rotate_key(session, ring, lead=LEAD, kept=KEPT, now=began)

    async def at(moment: timedelta) -> tuple[str | None, set[str]]:
        async with transactions() as session:
            keys = await handlers.load_keys(session, ring, now=began + moment)
        return signing_kid(keys.spans, now=began + moment), {str(key.kid) for key in keys.public.keys}

    assert await at(timedelta()) == (first, {first, second})
    assert await at(LEAD) == (second, {first, second})
    assert await at(LEAD + KEPT - timedelta(seconds=1)) == (second, {first, second})
    assert await at(LEAD + KEPT + timedelta(seconds=1)) == (second, {second})


async def test_each_algorithm_has_keys_of_its_own(transactions: Transactions, ring: KeyRing) -> None:
    await handlers.KeyStore(transactions, ring).current()
    store = handlers.KeyStore(transactions, ring, further=["EdDSA", "RS256"])
    await asyncio.gather(store.current(), handlers.KeyStore(transactions, ring, further=["EdDSA"]).current())
    now = utc_now()
    async with transactions() as session:
        new = await handlers.rotate_key(session, ring, lead=LEAD, kept=KEPT, now=now, algorithm="EdDSA")
        keys = await handlers.load_keys(session, ring, now=now)
    assert sorted(span.algorithm for span in keys.spans) == sorted([*ID_TOKEN_ALGORITHMS, "EdDSA"])
    for algorithm in ID_TOKEN_ALGORITHMS:
        token = keys.sign({"sub": algorithm}, kind="JWT", now=now, algorithm=algorithm)
        assert keys.read(token, kind="JWT") == {"sub": algorithm}
        kid = signing_kid(keys.spans, now=now + LEAD, algorithm=algorithm)
        assert (kid == new) is (algorithm == "EdDSA")
    of_another = jwt.encode(
        {"alg": "RS256", "kid": signing_kid(keys.spans, now=now, algorithm=ALGORITHM)},
        {"sub": "x"},
        RSAKey.generate_key(2048),
    )
    assert keys.read(of_another, kind="JWT") is None


async def test_a_key_of_a_kind_that_a_later_version_made_does_no_harm(
    transactions: Transactions, ring: KeyRing
) -> None:
    store = handlers.KeyStore(transactions, ring)
    await store.current()
    async with transactions() as session:
        later = SigningKey(
            kid="later",
            private_jwk=b"?",
            public_jwk={"kty": "AKP", "alg": "ML-DSA-44", "kid": "later"},
            signs_from=utc_now(),
        )
        session.add(later)
    async with transactions() as session:
        keys = await handlers.load_keys(session, ring, now=utc_now())
    assert [span.algorithm for span in keys.spans] == [ALGORITHM]


async def test_private_keys_are_sealed(transactions: Transactions, ring: KeyRing) -> None:
    async with transactions() as session:
        await handlers.ensure_keys(session, ring, ["ES256"], now=utc_now())
        row = (await session.scalars(select(SigningKey))).one()
    assert b'"d"' not in row.private_jwk
    assert "d" not in row.public_jwk


async def test_running_processes_see_a_rotation_and_old_tokens_stay_good(
    app: FastAPI,
    client: httpx.AsyncClient,
    population: Population,
    tokens: Tokens,
    transactions: Transactions,
    ring: KeyRing,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    person = await population.person()
    before = tokens.person(person)
    async with transactions() as session:
        new = await handlers.rotate_key(session, ring, lead=timedelta(), kept=KEPT, now=utc_now())
    monkeypatch.setattr(handlers, "_LOOK_AGAIN_SECONDS", 0.0)
    published = (await client.get("/identity/jwks")).json()["keys"]
    assert new in {key["kid"] for key in published}
    assert all("d" not in key for key in published)
    assert (await client.get("/identity/v1/me", headers=before)).status_code == 200
    keys = await app.state.signing_keys.current()
    assert keys.sign({}, kind="JWT", now=utc_now())
    assert signing_kid(keys.spans, now=utc_now()) == new


async def test_a_token_of_one_kind_is_not_read_as_another(app: FastAPI) -> None:
    keys = await app.state.signing_keys.current()
    access = keys.sign({"sub": "x"}, kind="at+jwt", now=utc_now())
    assert keys.read(access, kind="at+jwt") == {"sub": "x"}
    assert keys.read(access, kind="JWT") is None
    assert keys.read("a.b.c", kind="JWT") is None
