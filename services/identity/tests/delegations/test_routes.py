"""Agreeing on a delegation over HTTP: text, grant, acceptance, end."""

from datetime import UTC, timedelta
from typing import Any
from uuid import uuid4

import httpx
import pytest
from services.identity.tests.conftest import Clock
from services.identity.tests.factories import Citizen, Officer, Population, Tokens
from sqlalchemy import select, text

from identity_service.db import Transactions
from identity_service.organisation.domain import Role
from service_common.tables import outbox

DELEGATIONS = "/identity/v1/delegations"


def terms(clock: Clock, agent: Citizen | Officer, **changes: Any) -> dict[str, Any]:
    named = (
        {"kind": "HELPER", "username": agent.username}
        if isinstance(agent, Officer)
        else {"name": agent.name, "phone": agent.phone}
    )
    return {
        "agent": named,
        "acts": ["VIEW", "SUBMIT"],
        "matters": ["acceptance:43TCP0018"],
        "valid_until": (clock.now() + timedelta(days=30)).astimezone(UTC).isoformat(),
        **changes,
    }


async def grant(client: httpx.AsyncClient, headers: dict[str, str], body: dict[str, Any]) -> httpx.Response:
    shown = await client.post(f"{DELEGATIONS}/text", json=body, headers=headers)
    assert shown.status_code == 200, shown.text
    agreed = {**body, "agreed_sha256": shown.json()["sha256"]}
    return await client.post(DELEGATIONS, json=agreed, headers={**headers, "Idempotency-Key": str(uuid4())})


async def events(transactions: Transactions) -> list[str]:
    async with transactions() as session:
        rows = await session.scalars(
            select(outbox.c.subject).where(outbox.c.subject.like("%.delegation.%")).order_by(outbox.c.id)
        )
        return [one.removeprefix("gov.identity.delegation.").removesuffix(".v1") for one in rows]


async def test_a_delegation_is_read_agreed_accepted_and_ended(
    client: httpx.AsyncClient,
    population: Population,
    tokens: Tokens,
    clock: Clock,
    transactions: Transactions,
) -> None:
    principal, agent = await population.person(0), await population.person(20)
    made = await grant(client, tokens.person(principal), terms(clock, agent))
    assert made.status_code == 201, made.text
    offered = made.json()
    assert (offered["standing"], offered["principal_id"]) == ("OFFERED", str(principal.id))
    one = made.headers["location"]
    seen = (await client.get(one, headers=tokens.person(agent))).json()
    assert agent.name in seen["text"]
    assert principal.name in seen["text"]

    accept = {"agreed_sha256": seen["text_sha256"]}
    accepted = await client.post(f"{one}/accept", json=accept, headers=tokens.person(agent))
    assert (accepted.status_code, accepted.json()["standing"]) == (200, "ACTIVE"), accepted.text
    again = await client.post(f"{one}/accept", json=accept, headers=tokens.person(agent))
    assert (again.status_code, again.json()["code"]) == (409, "delegation_accepted")

    for side in (principal, agent):
        listed = (await client.get(DELEGATIONS, headers=tokens.person(side))).json()["items"]
        assert [row["id"] for row in listed] == [offered["id"]]
    ended = await client.post(f"{one}/revoke", headers=tokens.person(agent))
    assert ended.json()["standing"] == "REVOKED"
    over = await client.post(f"{one}/revoke", headers=tokens.person(principal))
    assert (over.status_code, over.json()["code"]) == (409, "delegation_over")
    assert await events(transactions) == ["granted", "accepted", "revoked"]


async def test_what_was_agreed_is_kept_sealed_with_its_hash(
    client: httpx.AsyncClient,
    population: Population,
    tokens: Tokens,
    clock: Clock,
    transactions: Transactions,
) -> None:
    principal, agent = await population.person(0), await population.person(20)
    await grant(client, tokens.person(principal), terms(clock, agent))
    async with transactions() as session:
        sealed, digest = (await session.execute(text("SELECT text, text_hash FROM delegations"))).one()
    assert principal.name.encode() not in sealed
    assert len(digest) == 32


async def test_whose_phone_it_is_cannot_be_found_out_by_trying(
    client: httpx.AsyncClient, population: Population, tokens: Tokens, clock: Clock
) -> None:
    curious, sought = tokens.person(await population.person(0)), await population.person(20)
    right = terms(clock, sought)
    wrong = {**right, "agent": {**right["agent"], "name": "王某某"}}

    async def ask(body: dict[str, Any]) -> int:
        return (await client.post(f"{DELEGATIONS}/text", json=body, headers=curious)).status_code

    assert [await ask(right) for _ in range(3)] == [200] * 3
    assert [await ask(wrong) for _ in range(20)] == [422] * 20
    assert await ask(right) == 429
    clock.pass_(minutes=11)
    assert await ask(right) == 200


async def test_nobody_agrees_to_what_they_have_not_read(
    client: httpx.AsyncClient, population: Population, tokens: Tokens, clock: Clock
) -> None:
    principal, agent = await population.person(0), await population.person(20)
    body = terms(clock, agent)
    shown = await client.post(f"{DELEGATIONS}/text", json=body, headers=tokens.person(principal))
    wider = {**body, "acts": ["VIEW", "SUBMIT", "SIGN"], "agreed_sha256": shown.json()["sha256"]}
    refused = await client.post(DELEGATIONS, json=wider, headers=tokens.person(principal))
    assert (refused.status_code, refused.json()["code"]) == (409, "text_not_agreed")
    made = await grant(client, tokens.person(principal), body)
    accept = await client.post(
        f"{made.headers['location']}/accept",
        json={"agreed_sha256": "0" * 64},
        headers=tokens.person(agent),
    )
    assert (accept.status_code, accept.json()["code"]) == (409, "text_not_agreed")


async def test_only_the_two_sides_know_of_it_and_only_the_agent_accepts(
    client: httpx.AsyncClient, population: Population, tokens: Tokens, clock: Clock
) -> None:
    principal, agent = await population.person(0), await population.person(20)
    stranger, clerk = await population.person(21), await population.staff(Role.CLERK)
    made = await grant(client, tokens.person(principal), terms(clock, agent))
    one = made.headers["location"]
    digest = (await client.get(one, headers=tokens.person(principal))).json()["text_sha256"]
    for headers in (tokens.person(stranger), tokens.staff(clerk)):
        assert (await client.get(one, headers=headers)).status_code == 404
        assert (await client.post(f"{one}/revoke", headers=headers)).status_code == 404
    for headers in (tokens.person(stranger), tokens.person(principal)):
        refused = await client.post(f"{one}/accept", json={"agreed_sha256": digest}, headers=headers)
        assert (refused.status_code, refused.json()["code"]) == (404, "no_such_delegation")


async def test_both_sides_need_the_level(
    client: httpx.AsyncClient, population: Population, tokens: Tokens, clock: Clock
) -> None:
    principal, agent = await population.person(0), await population.person(20)
    unverified = await population.person(21, verified=False)
    low = tokens.person(principal, acr="urn:lianban:loa:1")
    refused = await client.post(f"{DELEGATIONS}/text", json=terms(clock, agent), headers=low)
    assert refused.json()["code"] == "insufficient_user_authentication"
    refused = await client.post(
        f"{DELEGATIONS}/text", json=terms(clock, unverified), headers=tokens.person(principal)
    )
    assert (refused.status_code, refused.json()["code"]) == (422, "agent_not_found")
    made = await grant(client, tokens.person(principal), terms(clock, agent))
    one = made.headers["location"]
    digest = (await client.get(one, headers=tokens.person(agent))).json()["text_sha256"]
    low = tokens.person(agent, acr="urn:lianban:loa:1")
    refused = await client.post(f"{one}/accept", json={"agreed_sha256": digest}, headers=low)
    assert refused.json()["code"] == "insufficient_user_authentication"


async def test_who_gives_a_power_has_logged_in_lately(
    client: httpx.AsyncClient, population: Population, tokens: Tokens, clock: Clock
) -> None:
    principal, agent = await population.person(0), await population.person(20)
    long_ago = int((clock.now() - timedelta(minutes=16)).timestamp())
    refused = await grant(client, tokens.person(principal, auth_time=long_ago), terms(clock, agent))
    assert (refused.status_code, refused.json()["code"]) == (401, "insufficient_user_authentication")
    assert refused.headers["www-authenticate"] == (
        'Bearer error="insufficient_user_authentication", max_age="900"'
    )


@pytest.mark.parametrize("wrong", ["name", "self"])
async def test_one_answer_for_every_agent_who_does_not_suit(
    client: httpx.AsyncClient, population: Population, tokens: Tokens, clock: Clock, wrong: str
) -> None:
    principal, agent = await population.person(0), await population.person(20)
    body = terms(clock, principal if wrong == "self" else agent)
    if wrong == "name":
        body["agent"]["name"] = "某某某"
    refused = await client.post(f"{DELEGATIONS}/text", json=body, headers=tokens.person(principal))
    assert (refused.status_code, refused.json()["code"]) == (422, "agent_not_found")


async def test_a_window_clerk_helps_and_an_approver_does_not(
    client: httpx.AsyncClient, population: Population, tokens: Tokens, clock: Clock
) -> None:
    principal, helper = await population.person(0), await population.staff(Role.CLERK)
    approver = await population.staff(Role.APPROVER)
    made = await grant(client, tokens.person(principal), terms(clock, helper))
    assert made.json()["agent_kind"] == "HELPER", made.text
    one = made.headers["location"]
    digest = (await client.get(one, headers=tokens.staff(helper))).json()["text_sha256"]
    accepted = await client.post(
        f"{one}/accept",
        json={"agreed_sha256": digest},
        headers=tokens.staff(helper, acr="urn:lianban:loa:3"),
    )
    assert accepted.json()["standing"] == "ACTIVE", accepted.text
    refused = await client.post(
        f"{DELEGATIONS}/text", json=terms(clock, approver), headers=tokens.person(principal)
    )
    assert refused.json()["code"] == "agent_not_found"


async def test_a_representative_entrusts_the_companys_matters(
    client: httpx.AsyncClient, population: Population, tokens: Tokens, clock: Clock
) -> None:
    person, company = await population.company()
    agent = await population.person(20)
    body = terms(clock, agent, legal_person_id=str(company.id))
    made = await grant(client, tokens.person(person), body)
    assert (made.json()["principal_kind"], made.json()["principal_id"]) == ("LEGAL_PERSON", str(company.id))
    refused = await client.post(
        f"{DELEGATIONS}/text",
        json=terms(clock, await population.person(21), legal_person_id=str(company.id)),
        headers=tokens.person(agent),
    )
    assert (refused.status_code, refused.json()["code"]) == (404, "no_such_legal_person")
