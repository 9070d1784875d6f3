"""A guardian gets tokens to act for the child, as long as the guardianship runs."""

import asyncio
from uuid import UUID

import httpx
import pytest
from fastapi import FastAPI
from services.identity.tests.conftest import Clock
from services.identity.tests.factories import LOOPBACK, Population, Tokens
from services.identity.tests.flows import Application, claims_of
from services.identity.tests.held import Held

from identity_service.db import Transactions
from identity_service.scopes import ScopeCatalogue, ScopeEntry

WRITE = "acceptance:applications.write"
CHILD = {"name": "王小苗", "id_number": "990101201803150611"}


@pytest.fixture(autouse=True)
def all_services(app: FastAPI) -> None:
    """A scope of another service, as it is exported to identity."""
    entry = ScopeEntry(name=WRITE, zh=WRITE, en=WRITE, roles=frozenset({"citizen"}))
    app.state.scopes = ScopeCatalogue({**app.state.scopes.entries, WRITE: entry})


async def exchange(app: Application, token: str, delegation: UUID | str) -> httpx.Response:
    return await app.token(
        grant_type="urn:ietf:params:oauth:grant-type:token-exchange",
        subject_token=token,
        subject_token_type="urn:ietf:params:oauth:token-type:access_token",
        delegation=str(delegation),
    )


async def test_a_guardian_acts_for_the_child_until_it_is_of_age(
    client: httpx.AsyncClient, population: Population, tokens: Tokens, clock: Clock
) -> None:
    guardian = await population.person(0)
    app = Application(client, await population.app(), LOOPBACK)
    headers = tokens.person(guardian)
    made = (await client.post("/identity/v1/me/children", json=CHILD, headers=headers)).json()
    got = await app.tokens(guardian, f"openid offline_access {WRITE}")
    answer = await exchange(app, got["access_token"], made["delegation_id"])
    assert answer.status_code == 200, answer.text
    claims = claims_of(answer.json()["access_token"])
    assert (claims["sub"], claims["act"]["sub"]) == (made["child_id"], str(guardian.id))
    address = f"/identity/v1/me/guardianships/{made['id']}/end"
    assert (await client.post(address, headers=headers)).status_code == 204
    refused = await exchange(app, got["access_token"], made["delegation_id"])
    assert refused.status_code == 400
    again = (await client.post("/identity/v1/me/children", json=CHILD, headers=headers)).json()
    assert again["delegation_id"] != made["delegation_id"]
    assert (await exchange(app, got["access_token"], again["delegation_id"])).status_code == 200


async def test_registering_a_child_twice_at_once_lets_the_guardian_act_once(
    client: httpx.AsyncClient, population: Population, tokens: Tokens, transactions: Transactions
) -> None:
    headers = tokens.person(await population.person(0))
    before = (await client.post("/identity/v1/me/children", json=CHILD, headers=headers)).json()
    await client.post(f"/identity/v1/me/guardianships/{before['id']}/end", headers=headers)

    async def register() -> httpx.Response:
        return await client.post("/identity/v1/me/children", json=CHILD, headers=headers)

    held = Held(transactions)
    async with held.table("delegations"):
        first = asyncio.create_task(register())
        await held.until_wait(1)
        second = asyncio.create_task(register())
        await held.until_wait(2)
    answers = [answer.json() for answer in await asyncio.gather(first, second)]
    assert len({one["id"] for one in answers}) == 1
    assert len({one["delegation_id"] for one in answers}) == 1
