"""Clients of high trust are held to the FAPI 2.0 Security Profile: each refusal, and the way through."""

from datetime import timedelta
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from joserfc.jwk import ECKey, RSAKey
from services.identity.tests.conftest import ISSUER
from services.identity.tests.factories import CALLBACK, Population
from services.identity.tests.flows import claims_of, query_of
from services.identity.tests.oidc.keyed import KeyedApplication
from sqlalchemy import select

from identity_service.db import Transactions
from identity_service.oidc.models import AuthorizationCode
from identity_service.relying_parties.domain import (
    Authentication,
    GrantType,
    InvalidClientMetadata,
    SecurityProfile,
)
from service_common.clock import utc_now

SCOPE = "openid offline_access"


@pytest.fixture(scope="module")
def client_key() -> ECKey:
    return ECKey.generate_key("P-256", {"alg": "ES256", "use": "sig"}, auto_kid=True)


@pytest.fixture
async def bank(client: httpx.AsyncClient, population: Population, client_key: ECKey) -> KeyedApplication:
    """A partner marked as high trust: the one flag turns everything on."""
    registered = await population.client(
        authentication=Authentication.PRIVATE_KEY,
        jwks={"keys": [client_key.as_dict(private=False)]},
        security_profile=SecurityProfile.FAPI2,
    )
    return KeyedApplication(client, registered, CALLBACK, client_key=client_key)


async def test_the_way_through(bank: KeyedApplication, population: Population) -> None:
    code = await bank.pushed_code(await population.person(), SCOPE)
    granted = await bank.exchange(code)
    assert (granted.status_code, granted.json()["token_type"]) == (200, "DPoP"), granted.text
    assert claims_of(granted.json()["access_token"])["cnf"] == {"jkt": bank.key.thumbprint()}
    refresh_token = granted.json()["refresh_token"]
    for _ in range(2):  # it stays the same: an answer that is lost loses nothing
        renewed = await bank.refresh(refresh_token)
        assert (renewed.status_code, renewed.json()["token_type"]) == (200, "DPoP")
        assert renewed.json().get("refresh_token", refresh_token) == refresh_token


async def test_the_answer_names_the_issuer(bank: KeyedApplication) -> None:
    pushed = (await bank.push("openid", prompt="none")).json()
    answer = await bank.browser.get(
        "/identity/authorize",
        params={"client_id": bank.client.client_id, "request_uri": pushed["request_uri"]},
    )
    assert query_of(answer.headers["location"])["iss"] == ISSUER


async def test_a_request_in_the_address_is_refused(bank: KeyedApplication) -> None:
    answer = await bank.begin(SCOPE)
    assert query_of(answer.headers["location"])["error"] == "invalid_request"


@pytest.mark.parametrize("changes", [{"code_challenge": None}, {"code_challenge_method": "plain"}])
async def test_a_request_without_pkce_is_refused(
    bank: KeyedApplication, changes: dict[str, str | None]
) -> None:
    answer = await bank.push(SCOPE, **changes)
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request")


@pytest.mark.parametrize(
    "assertion",
    [{"aud": f"{ISSUER}/token"}, {"aud": [ISSUER]}, {"aud": [ISSUER, "https://elsewhere"]}, {"aud": ""}],
)
async def test_an_assertion_is_for_the_issuer_alone(
    bank: KeyedApplication, assertion: dict[str, Any]
) -> None:
    bank.assertion = assertion
    for answer in (await bank.push(SCOPE), await bank.refresh("x")):
        assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client")


async def test_a_client_that_shows_no_assertion_is_refused(bank: KeyedApplication) -> None:
    bank.client_key = None
    for answer in (await bank.push(SCOPE), await bank.refresh("x")):
        assert answer.json()["error"] == "invalid_client"


async def test_a_token_without_proof_is_refused_and_the_code_stays(
    bank: KeyedApplication, population: Population
) -> None:
    code = await bank.pushed_code(await population.person(), SCOPE)
    bank.proofs = False
    refused = await bank.exchange(code)
    assert (refused.status_code, refused.json()["error"]) == (400, "invalid_dpop_proof")
    bank.proofs = True
    assert (await bank.exchange(code)).status_code == 200


async def test_a_code_lives_a_minute_whatever_others_get(
    app: FastAPI, bank: KeyedApplication, population: Population, transactions: Transactions
) -> None:
    app.state.settings = app.state.settings.model_copy(update={"code_seconds": 600})
    await bank.pushed_code(await population.person(), SCOPE)
    async with transactions() as session:
        [code] = await session.scalars(select(AuthorizationCode))
    assert code.expires_at - utc_now() <= timedelta(seconds=60)


@pytest.mark.parametrize(
    ("changes", "pointer"),
    [
        ({"authentication": Authentication.SECRET, "jwks": None}, "/token_endpoint_auth_method"),
        ({"redirect_uris": ["http://127.0.0.1/callback"]}, "/redirect_uris/0"),
        ({"id_token_signed_response_alg": "RS256"}, "/id_token_signed_response_alg"),
    ],
)
async def test_a_registration_that_breaks_the_profile_is_refused(
    population: Population, client_key: ECKey, changes: dict[str, Any], pointer: str
) -> None:
    facts: dict[str, Any] = {
        "authentication": Authentication.PRIVATE_KEY,
        "jwks": {"keys": [client_key.as_dict(private=False)]},
        "security_profile": SecurityProfile.FAPI2,
        "grant_types": [GrantType.AUTHORIZATION_CODE],
        **changes,
    }
    with pytest.raises(InvalidClientMetadata) as refused:
        await population.client(**facts)
    assert [one.pointer for one in refused.value.fields] == [pointer]


async def test_an_algorithm_outside_the_profile_is_refused(
    client: httpx.AsyncClient, population: Population
) -> None:
    key = RSAKey.generate_key(2048, {"use": "sig"}, auto_kid=True)
    registered = await population.client(
        authentication=Authentication.PRIVATE_KEY,
        jwks={"keys": [key.as_dict(private=False)]},
        security_profile=SecurityProfile.FAPI2,
    )
    for algorithm, status in (("RS256", 401), ("PS256", 201)):
        bank = KeyedApplication(client, registered, CALLBACK, client_key=key, client_algorithm=algorithm)
        assert (await bank.push(SCOPE)).status_code == status
