"""Changing a client after its registration: by its department, under the same rules, and at once."""

from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from services.identity.tests.factories import CALLBACK, HEALTH_USCC, Officer, Population, Tokens
from services.identity.tests.flows import Application, what_was_believed_is_over
from sqlalchemy import update

from identity_service.db import Transactions
from identity_service.organisation.domain import Role
from identity_service.relying_parties.domain import Environment
from identity_service.relying_parties.models import Client
from identity_service.settings import Settings

CLIENTS = "/identity/v1/clients"
NEW = "https://new.partner.example/callback"


def change(**fields: Any) -> dict[str, Any]:
    return {"client_name": "审批系统二期", "redirect_uris": [NEW], **fields}


@pytest.fixture
async def administrator(population: Population) -> Officer:
    return await population.staff(Role.SUPERVISOR, uscc=HEALTH_USCC)


async def put(
    client: httpx.AsyncClient, headers: dict[str, str], client_id: str, body: dict[str, Any], etag: str = ""
) -> httpx.Response:
    shown = await client.get(f"{CLIENTS}/{client_id}", headers=headers)
    match = {"If-Match": etag or shown.headers.get("etag", '"1"')}
    return await client.put(f"{CLIENTS}/{client_id}", json=body, headers={**headers, **match})


async def test_the_new_addresses_apply_at_once_and_what_it_may_do_stays(
    client: httpx.AsyncClient, population: Population, tokens: Tokens, administrator: Officer
) -> None:
    registered = await population.client()
    headers = tokens.staff(administrator)
    before = (await client.get(f"{CLIENTS}/{registered.client_id}", headers=headers)).json()
    logout = {
        "post_logout_redirect_uris": ["https://new.partner.example/bye"],
        "backchannel_logout_uri": "https://new.partner.example/logout",
        "frontchannel_logout_uri": "https://new.partner.example/out",
    }
    done = await put(client, headers, registered.client_id, change(**logout))
    assert done.status_code == 200, done.text
    assert done.json() == {**before, "client_name": "审批系统二期", "redirect_uris": [NEW], **logout}
    await what_was_believed_is_over()
    assert "登录" in (await Application(client, registered, NEW).begin()).text
    old = await Application(client, registered, CALLBACK).begin()
    assert (old.status_code, "应用发来的请求不正确" in old.text) == (400, True)


@pytest.mark.parametrize(
    ("fields", "pointer"),
    [
        ({"redirect_uris": ["http://partner.example/callback"]}, "/redirect_uris/0"),
        ({"redirect_uris": [f"{NEW}#part"]}, "/redirect_uris/0"),
        ({"redirect_uris": []}, "/redirect_uris"),
        ({"post_logout_redirect_uris": ["javascript:alert(1)"]}, "/post_logout_redirect_uris/0"),
        ({"backchannel_logout_uri": "http://partner.example/logout"}, "/backchannel_logout_uri"),
        ({"frontchannel_logout_uri": "https://else.example/out"}, "/frontchannel_logout_uri"),
    ],
)
async def test_the_rules_of_registration_hold(
    client: httpx.AsyncClient,
    population: Population,
    tokens: Tokens,
    administrator: Officer,
    fields: dict[str, Any],
    pointer: str,
) -> None:
    registered = await population.client()
    refused = await put(client, tokens.staff(administrator), registered.client_id, change(**fields))
    assert (refused.status_code, refused.json()["code"]) == (422, "invalid_client_metadata")
    assert pointer in [one["pointer"] for one in refused.json()["errors"]]


async def test_an_old_version_changes_nothing_and_a_version_must_be_named(
    client: httpx.AsyncClient, population: Population, tokens: Tokens, administrator: Officer
) -> None:
    registered = await population.client()
    headers = tokens.staff(administrator)
    first = (await client.get(f"{CLIENTS}/{registered.client_id}", headers=headers)).headers["etag"]
    assert (await put(client, headers, registered.client_id, change(), first)).status_code == 200
    stale = await put(client, headers, registered.client_id, change(client_name="三期"), first)
    assert stale.status_code == 412
    unnamed = await client.put(f"{CLIENTS}/{registered.client_id}", json=change(), headers=headers)
    assert unnamed.status_code == 428


async def test_neither_another_department_s_client_nor_one_of_the_platform_is_changed(
    client: httpx.AsyncClient,
    population: Population,
    tokens: Tokens,
    administrator: Officer,
    transactions: Transactions,
) -> None:
    foreign = await put(
        client,
        tokens.staff(await population.staff(Role.SUPERVISOR)),
        (await population.client()).client_id,
        change(),
    )
    assert (foreign.status_code, foreign.json()["code"]) == (404, "no_such_client")
    own = await population.client(first_party=True)
    async with transactions() as session:
        await session.execute(update(Client).values(department_id=administrator.department_id))
    refused = await put(client, tokens.staff(administrator), own.client_id, change())
    assert (refused.status_code, refused.json()["code"]) == (403, "first_party_by_operators_only")
    operator = tokens.staff(await population.staff(Role.OPERATOR))
    assert (await put(client, operator, own.client_id, change())).status_code == 200


async def test_a_sandbox_client_is_changed_only_where_there_is_a_sandbox(
    client: httpx.AsyncClient,
    app: FastAPI,
    settings: Settings,
    population: Population,
    tokens: Tokens,
    administrator: Officer,
    transactions: Transactions,
) -> None:
    registered = await population.client()
    async with transactions() as session:
        await session.execute(update(Client).values(environment=Environment.SANDBOX))
    headers = tokens.staff(administrator)
    refused = await put(client, headers, registered.client_id, change())
    assert refused.json()["code"] == "no_sandbox_here"
    shown = await client.get(f"{CLIENTS}/{registered.client_id}", headers=headers)
    assert shown.json()["redirect_uris"] == [CALLBACK]
    app.state.settings = settings.model_copy(update={"serves_sandbox": True})
    assert (await put(client, headers, registered.client_id, change())).status_code == 200
