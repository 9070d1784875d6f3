"""Tokens bound to a key at the provider (RFC 9449): proofs, nonces, refresh tokens, codes, introspection."""

import asyncio
import base64
import hashlib
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from joserfc.jwk import ECKey
from services.identity.tests.conftest import ISSUER
from services.identity.tests.factories import CALLBACK, Population
from services.identity.tests.flows import claims_of
from services.identity.tests.oidc.keyed import KeyedApplication, prove

from identity_service.relying_parties.domain import GrantType

SCOPE = "openid offline_access identity:me.read"


@pytest.fixture
async def mobile(client: httpx.AsyncClient, population: Population) -> KeyedApplication:
    """The platform's own app, with a key of its own."""
    return KeyedApplication(client, await population.app(), "http://127.0.0.1:51234/callback")


async def use(client: httpx.AsyncClient, key: ECKey, token: str, *, scheme: str = "DPoP") -> httpx.Response:
    """A request to userinfo with a token and its proof."""
    digest = hashlib.sha256(token.encode()).digest()
    ath = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
    proof = prove(key, method="GET", url=f"{ISSUER}/userinfo", ath=ath)
    headers = {"Authorization": f"{scheme} {token}", "DPoP": proof}
    return await client.get("/identity/userinfo", headers=headers)


async def test_a_proof_at_the_token_endpoint_binds_the_token(
    client: httpx.AsyncClient, mobile: KeyedApplication, population: Population
) -> None:
    granted = await mobile.tokens(await population.person(), SCOPE)
    assert granted["token_type"] == "DPoP"
    token = granted["access_token"]
    assert claims_of(token)["cnf"] == {"jkt": mobile.key.thumbprint()}
    assert (await use(client, mobile.key, token)).status_code == 200
    for refused in (
        await use(client, mobile.key, token, scheme="Bearer"),
        await use(client, ECKey.generate_key("P-256"), token),
        await client.get("/identity/userinfo", headers={"Authorization": f"DPoP {token}"}),
    ):
        assert refused.status_code == 401
        assert refused.headers["www-authenticate"].startswith("DPoP ")


async def test_without_a_proof_nothing_is_bound(mobile: KeyedApplication, population: Population) -> None:
    mobile.proofs = False
    granted = await mobile.tokens(await population.person(), SCOPE)
    assert granted["token_type"] == "Bearer"
    assert "cnf" not in claims_of(granted["access_token"])


async def test_a_public_clients_refresh_token_is_bound_to_the_key(
    mobile: KeyedApplication, population: Population
) -> None:
    refresh_token = (await mobile.tokens(await population.person(), SCOPE))["refresh_token"]
    own, mobile.key = mobile.key, ECKey.generate_key("P-256")
    stolen = await mobile.refresh(refresh_token)
    assert (stolen.status_code, stolen.json()["error"]) == (400, "invalid_grant")
    mobile.proofs = False
    bare = await mobile.refresh(refresh_token)
    assert (bare.status_code, bare.json()["error"]) == (400, "invalid_grant")
    mobile.key, mobile.proofs = own, True
    renewed = await mobile.refresh(refresh_token)
    assert (renewed.status_code, renewed.json()["token_type"]) == (200, "DPoP")


@pytest.mark.parametrize("wrong", ["of another address", "two", "no proof", "replayed"])
async def test_a_wrong_proof_is_refused_by_name(
    client: httpx.AsyncClient, mobile: KeyedApplication, wrong: str
) -> None:
    proof = prove(mobile.key)
    shown = {
        "of another address": [prove(mobile.key, url=f"{ISSUER}/userinfo")],
        "two": [proof, prove(mobile.key)],
        "no proof": ["a.b.c"],
        "replayed": [proof],
    }[wrong]
    form = {"grant_type": "refresh_token", "refresh_token": "x", "client_id": mobile.client.client_id}

    async def ask() -> httpx.Response:
        headers = [("DPoP", one) for one in shown]
        return await client.post("/identity/token", data=form, headers=headers)

    answer = await ask()
    if wrong == "replayed":
        assert answer.json()["error"] == "invalid_grant"
        answers = await asyncio.gather(ask(), ask())
        assert {one.json()["error"] for one in answers} == {"invalid_dpop_proof"}
        return
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_dpop_proof")


async def test_a_nonce_is_given_and_an_old_or_foreign_one_refused(
    mobile: KeyedApplication, population: Population, clock: Any
) -> None:
    granted = await mobile.exchange(await mobile.code(await population.person(), SCOPE))
    mobile.nonce = granted.headers["dpop-nonce"]
    renewed = await mobile.refresh(granted.json()["refresh_token"])
    assert renewed.status_code == 200
    mobile.nonce = "of-somebody-else"
    refused = await mobile.refresh(renewed.json()["refresh_token"])
    assert (refused.status_code, refused.json()["error"]) == (400, "use_dpop_nonce")
    mobile.nonce = refused.headers["dpop-nonce"]
    assert (await mobile.refresh(renewed.json()["refresh_token"])).status_code == 200


async def test_where_a_nonce_is_required_the_client_is_told_once(
    app: FastAPI, mobile: KeyedApplication, population: Population
) -> None:
    app.state.settings = app.state.settings.model_copy(update={"dpop_nonce_required": True})
    code = await mobile.code(await population.person(), SCOPE)
    refused = await mobile.exchange(code)
    assert (refused.status_code, refused.json()["error"]) == (400, "use_dpop_nonce")
    mobile.nonce = refused.headers["dpop-nonce"]
    assert (await mobile.exchange(code)).status_code == 200  # the code was not used up


async def test_a_code_can_be_bound_before_it_is_given(
    mobile: KeyedApplication, population: Population
) -> None:
    person = await population.person()
    code = await mobile.code(person, SCOPE, dpop_jkt=mobile.key.thumbprint())
    own, mobile.key = mobile.key, ECKey.generate_key("P-256")
    refused = await mobile.exchange(code)
    assert (refused.status_code, refused.json()["error"]) == (400, "invalid_dpop_proof")
    mobile.key = own
    assert (await mobile.exchange(code)).status_code == 200
    malformed = await mobile.begin(SCOPE, dpop_jkt="short")
    assert "error=invalid_request" in malformed.headers["location"]


async def test_a_proof_at_the_pushed_request_binds_the_code(
    mobile: KeyedApplication, population: Population
) -> None:
    conflicting = await mobile.push(SCOPE, dpop_jkt=ECKey.generate_key("P-256").thumbprint())
    assert conflicting.json()["error"] == "invalid_dpop_proof"
    code = await mobile.pushed_code(await population.person(), SCOPE)
    own, mobile.key = mobile.key, ECKey.generate_key("P-256")
    assert (await mobile.exchange(code)).json()["error"] == "invalid_dpop_proof"
    mobile.key = own
    assert (await mobile.exchange(code)).status_code == 200


async def test_a_client_can_ask_that_all_its_tokens_be_bound(
    client: httpx.AsyncClient, population: Population
) -> None:
    registered = await population.client(
        dpop_bound_access_tokens=True, grant_types=[GrantType.AUTHORIZATION_CODE]
    )
    bound = KeyedApplication(client, registered, CALLBACK)
    form = {
        "grant_type": "authorization_code",
        "code": "x",
        "redirect_uri": CALLBACK,
        "code_verifier": "v" * 43,
    }
    auth = httpx.BasicAuth(registered.client_id, registered.secret or "")
    bare = await client.post("/identity/token", data=form, auth=auth)
    assert (bare.status_code, bare.json()["error"]) == (400, "invalid_dpop_proof")
    proven = await client.post("/identity/token", data=form, auth=auth, headers={"DPoP": prove(bound.key)})
    assert proven.json()["error"] == "invalid_grant"


async def test_introspection_tells_the_key(client: httpx.AsyncClient, population: Population) -> None:
    registered = await population.client()
    partner = KeyedApplication(client, registered, CALLBACK)
    auth = httpx.BasicAuth(registered.client_id, registered.secret or "")
    code = await partner.code(await population.person(), "openid profile")
    granted = await client.post(
        "/identity/token",
        data={
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": CALLBACK,
            "code_verifier": partner.verifier,
        },
        auth=auth,
        headers={"DPoP": prove(partner.key)},
    )
    token = granted.json()["access_token"]
    shown = (await client.post("/identity/introspect", data={"token": token}, auth=auth)).json()
    assert (shown["active"], shown["token_type"]) == (True, "DPoP")
    assert shown["cnf"] == {"jkt": partner.key.thumbprint()}


async def test_discovery_tells_the_algorithms(client: httpx.AsyncClient) -> None:
    metadata = (await client.get("/identity/.well-known/openid-configuration")).json()
    assert "ES256" in metadata["dpop_signing_alg_values_supported"]
