"""A department drafts its clients, an operator grants scopes; secrets and keys overlap."""

from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from joserfc.jwk import ECKey
from services.identity.tests.factories import HEALTH_USCC, Officer, Population, Tokens
from services.identity.tests.flows import what_was_believed_is_over

from identity_service.organisation.domain import Role
from identity_service.settings import Settings

CLIENTS = "/identity/v1/clients"


def metadata(**changes: Any) -> dict[str, Any]:
    return {
        "client_name": "审批系统",
        "grant_types": ["client_credentials"],
        "redirect_uris": [],
        "scopes": ["identity:clients.manage", "openid"],
        **changes,
    }


@pytest.fixture
async def administrator(population: Population) -> Officer:
    return await population.staff(Role.SUPERVISOR)


async def draft(
    client: httpx.AsyncClient, headers: dict[str, str], **changes: Any
) -> tuple[dict[str, Any], str]:
    made = await client.post(CLIENTS, json=metadata(**changes), headers=headers)
    assert made.status_code == 201, made.text
    return made.json(), made.headers["etag"]


async def test_a_department_asks_and_an_operator_grants(
    client: httpx.AsyncClient, population: Population, tokens: Tokens, administrator: Officer
) -> None:
    own = tokens.staff(administrator)
    made, _ = await draft(client, own)
    assert (made["scopes"], made["asked_scopes"]) == ([], ["identity:clients.manage", "openid"])
    address = f"{CLIENTS}/{made['client_id']}"
    more = await client.post(f"{address}/scope-requests", json={"scopes": ["profile"]}, headers=own)
    assert (more.status_code, more.json()["asked_scopes"]) == (
        202,
        ["identity:clients.manage", "openid", "profile"],
    )
    unknown = await client.post(f"{address}/scope-requests", json={"scopes": ["no:such"]}, headers=own)
    assert (unknown.status_code, unknown.json()["code"]) == (422, "unknown_scopes")
    current = await client.get(address, headers=own)
    operator = tokens.staff(await population.staff(Role.OPERATOR))
    headers = {**operator, "If-Match": current.headers["etag"]}
    by_itself = await client.put(
        f"{address}/scopes",
        json={"scopes": ["openid"]},
        headers={**tokens.staff(administrator, scope="identity:clients.manage"), "If-Match": '"1"'},
    )
    assert (by_itself.status_code, by_itself.json()["code"]) == (403, "insufficient_scope")
    granted = await client.put(f"{address}/scopes", json={"scopes": ["openid"]}, headers=headers)
    assert (granted.json()["scopes"], granted.json()["asked_scopes"]) == (["openid"], []), granted.text
    stale = await client.put(f"{address}/scopes", json={"scopes": ["openid"]}, headers=headers)
    assert stale.status_code == 412


async def test_a_sandbox_client_lives_only_where_there_is_a_sandbox(
    client: httpx.AsyncClient,
    app: FastAPI,
    settings: Settings,
    population: Population,
    tokens: Tokens,
    administrator: Officer,
) -> None:
    body = metadata(environment="SANDBOX")
    refused = await client.post(CLIENTS, json=body, headers=tokens.staff(administrator))
    assert (refused.status_code, refused.json()["code"]) == (422, "no_sandbox_here")
    app.state.settings = settings.model_copy(update={"serves_sandbox": True})
    made, _ = await draft(client, tokens.staff(administrator), environment="SANDBOX")
    assert (made["environment"], made["asked_scopes"]) == ("SANDBOX", [])
    assert made["scopes"] == ["identity:clients.manage", "openid"]


async def works(client: httpx.AsyncClient, client_id: str, secret: str) -> bool:
    form = {"grant_type": "client_credentials", "scope": "openid"}
    answer = await client.post("/identity/token", data=form, auth=(client_id, secret))
    return bool(answer.json()["error"] != "invalid_client")


async def test_two_secrets_work_side_by_side_and_a_third_retires_the_oldest(
    client: httpx.AsyncClient, tokens: Tokens, administrator: Officer
) -> None:
    made, _ = await draft(client, tokens.staff(administrator))
    address = f"{CLIENTS}/{made['client_id']}/secrets"
    secrets = [made["client_secret"]]
    for _ in range(2):
        added = await client.post(address, headers=tokens.staff(administrator))
        secrets.append(added.json()["client_secret"])
    assert [await works(client, made["client_id"], secret) for secret in secrets] == [False, True, True]
    listed = (await client.get(address, headers=tokens.staff(administrator))).json()["items"]
    assert listed[-1]["id"] == added.json()["id"]
    assert "client_secret" not in listed[0]
    retire = f"{address}/{listed[0]['id']}/retire"
    assert (await client.post(retire, headers=tokens.staff(administrator))).status_code == 204
    assert (await client.post(retire, headers=tokens.staff(administrator))).status_code == 404
    last = await client.post(f"{address}/{listed[1]['id']}/retire", headers=tokens.staff(administrator))
    assert (last.status_code, last.json()["code"]) == (409, "last_key")
    await what_was_believed_is_over()
    assert [await works(client, made["client_id"], secret) for secret in secrets] == [False, False, True]


async def test_public_keys_overlap_in_the_same_way(
    client: httpx.AsyncClient, population: Population, tokens: Tokens, administrator: Officer
) -> None:
    keys = [ECKey.generate_key("P-256", {"alg": "ES256"}, auto_kid=True) for _ in range(3)]
    public = [key.as_dict(private=False) for key in keys]
    made, _ = await draft(
        client,
        tokens.staff(administrator),
        token_endpoint_auth_method="private_key_jwt",
        jwks={"keys": public[:1]},
    )
    address = f"{CLIENTS}/{made['client_id']}/keys"
    for key in public[1:]:
        answer = await client.post(address, json={"key": key}, headers=tokens.staff(administrator))
    assert [one["kid"] for one in answer.json()["jwks"]["keys"]] == [keys[1].kid, keys[2].kid]
    private = {"key": keys[0].as_dict(private=True)}
    refused = await client.post(address, json=private, headers=tokens.staff(administrator))
    assert (refused.status_code, refused.json()["code"]) == (422, "invalid_client_metadata")
    stranger = tokens.staff(await population.staff(Role.SUPERVISOR, uscc=HEALTH_USCC))
    assert (await client.post(f"{address}/{keys[1].kid}/retire", headers=stranger)).status_code == 404
    own = tokens.staff(administrator)
    assert (await client.post(f"{address}/{keys[1].kid}/retire", headers=own)).status_code == 200
    last = await client.post(f"{address}/{keys[2].kid}/retire", headers=own)
    assert (last.status_code, last.json()["code"]) == (409, "last_key")
