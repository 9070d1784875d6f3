"""Registering clients over HTTP."""

from typing import Any

import httpx
import pytest
from joserfc.jwk import ECKey
from services.identity.tests.factories import HEALTH_USCC, Population, Tokens

from identity_service.organisation.domain import Role


def metadata(**changes: Any) -> dict[str, Any]:
    return {
        "client_name": "审批系统",
        "grant_types": ["authorization_code"],
        "redirect_uris": ["https://partner.example/cb"],
        "scopes": ["openid", "profile"],
        **changes,
    }


@pytest.fixture
async def operator(population: Population, tokens: Tokens) -> dict[str, str]:
    return tokens.staff(await population.staff(Role.OPERATOR))


async def test_the_secret_is_shown_once_and_is_long(
    client: httpx.AsyncClient, operator: dict[str, str]
) -> None:
    made = await client.post("/identity/v1/clients", json=metadata(), headers=operator)
    assert made.status_code == 201, made.text
    assert len(made.json()["client_secret"]) >= 43
    shown = await client.get(f"/identity/v1/clients/{made.json()['client_id']}", headers=operator)
    assert "client_secret" not in shown.json()


async def test_a_second_secret_works_beside_the_first(
    client: httpx.AsyncClient, operator: dict[str, str], population: Population, tokens: Tokens
) -> None:
    made = (await client.post("/identity/v1/clients", json=metadata(), headers=operator)).json()
    fresh = tokens.staff(await population.staff(Role.OPERATOR))
    address = f"/identity/v1/clients/{made['client_id']}/secrets"
    second = (await client.post(address, headers=fresh)).json()["client_secret"]
    for secret in (made["client_secret"], second):
        answer = await client.post(
            "/identity/token",
            data={"grant_type": "authorization_code", "code": "x", "redirect_uri": "x"},
            auth=(made["client_id"], secret),
        )
        assert answer.json()["error"] == "invalid_grant"  # authenticated, though the code is none


@pytest.mark.parametrize(
    ("changes", "pointer"),
    [
        ({"redirect_uris": ["http://partner.example/cb"]}, "/redirect_uris/0"),
        ({"redirect_uris": []}, "/redirect_uris"),
        ({"scopes": ["openid", "no:such"]}, "/scopes/1"),
        ({"scopes": ["*"]}, "/scopes/0"),
        ({"grant_types": ["refresh_token"]}, "/grant_types"),
        (
            {"token_endpoint_auth_method": "none", "grant_types": ["client_credentials"]},
            "/grant_types",
        ),
        ({"token_endpoint_auth_method": "private_key_jwt"}, "/jwks"),
        ({"jwks": {"keys": []}}, "/jwks"),
        ({"client_id": "with space"}, "/client_id"),
        ({"grant_types": ["password"]}, "/grant_types/0"),
        ({"post_logout_redirect_uris": ["javascript:alert(1)"]}, "/post_logout_redirect_uris/0"),
    ],
)
async def test_metadata_that_do_not_fit_are_named(
    client: httpx.AsyncClient, operator: dict[str, str], changes: dict[str, Any], pointer: str
) -> None:
    answer = await client.post("/identity/v1/clients", json=metadata(**changes), headers=operator)
    assert answer.status_code == 422
    assert pointer in [problem["pointer"] for problem in answer.json()["errors"]]


async def test_no_client_waits_for_id_tokens_that_nobody_can_sign(
    client: httpx.AsyncClient, operator: dict[str, str]
) -> None:
    asked = metadata(id_token_signed_response_alg="RS256")
    answer = await client.post("/identity/v1/clients", json=asked, headers=operator)
    assert (answer.status_code, answer.json()["code"]) == (422, "no_such_algorithm")
    made = await client.post("/identity/v1/clients", json=metadata(), headers=operator)
    assert made.json()["id_token_signed_response_alg"] == "ES256"


async def test_a_client_id_is_taken_once(
    client: httpx.AsyncClient, operator: dict[str, str], population: Population, tokens: Tokens
) -> None:
    body = metadata(client_id="health-desk")
    assert (await client.post("/identity/v1/clients", json=body, headers=operator)).status_code == 201
    other = tokens.staff(await population.staff(Role.OPERATOR))
    answer = await client.post("/identity/v1/clients", json=body, headers=other)
    assert (answer.status_code, answer.json()["code"]) == (409, "client_id_taken")


async def test_supervisors_register_for_their_own_department_alone(
    client: httpx.AsyncClient, population: Population, tokens: Tokens
) -> None:
    supervisor = await population.staff(Role.SUPERVISOR)
    health = await population.department(HEALTH_USCC)
    own = await client.post("/identity/v1/clients", json=metadata(), headers=tokens.staff(supervisor))
    assert own.json()["department_id"] == str(supervisor.department_id)
    for changes in ({"department_id": str(health.id)}, {"first_party": True}):
        answer = await client.post(
            "/identity/v1/clients", json=metadata(**changes), headers=tokens.staff(supervisor)
        )
        assert answer.status_code == 403
    stranger = await population.staff(Role.SUPERVISOR, uscc=HEALTH_USCC)
    foreign = f"/identity/v1/clients/{own.json()['client_id']}"
    assert (await client.get(foreign, headers=tokens.staff(stranger))).status_code == 404
    listed = (await client.get("/identity/v1/clients", headers=tokens.staff(stranger))).json()
    assert listed["items"] == []


async def test_a_client_with_keys_has_no_secret(client: httpx.AsyncClient, operator: dict[str, str]) -> None:
    key = ECKey.generate_key("P-256", {"alg": "ES256"}, auto_kid=True)
    body = metadata(
        token_endpoint_auth_method="private_key_jwt",
        grant_types=["client_credentials"],
        redirect_uris=[],
        jwks={"keys": [key.as_dict(private=False)]},
    )
    made = await client.post("/identity/v1/clients", json=body, headers=operator)
    assert made.status_code == 201, made.text
    assert made.json()["client_secret"] is None
    assert made.json()["jwks"]["keys"][0]["kid"] == key.kid


async def test_stopping_a_client_needs_its_version(
    client: httpx.AsyncClient, operator: dict[str, str]
) -> None:
    made = await client.post("/identity/v1/clients", json=metadata(), headers=operator)
    address = f"/identity/v1/clients/{made.json()['client_id']}/activity"
    assert (await client.put(address, json={"is_active": False}, headers=operator)).status_code == 428
    headers = {**operator, "If-Match": made.headers["etag"]}
    stopped = await client.put(address, json={"is_active": False}, headers=headers)
    assert stopped.json()["is_active"] is False
