"""Companies, their representatives and agents over HTTP."""

from datetime import timedelta
from uuid import uuid4

import httpx
import pytest
from services.identity.tests.conftest import Clock
from services.identity.tests.factories import Population, Tokens
from sqlalchemy import select

from identity_service.db import Transactions
from lianban_local.authority.register import population as register
from service_common.tables import outbox


async def events(transactions: Transactions) -> list[tuple[str, int]]:
    async with transactions() as session:
        rows = await session.execute(
            select(outbox.c.subject, outbox.c.revision)
            .where(outbox.c.subject.like("gov.identity.agent.%") | outbox.c.subject.like("%legal-person%"))
            .order_by(outbox.c.id)
        )
        return [(row.subject.removeprefix("gov.identity."), row.revision) for row in rows]


async def test_a_representative_registers_the_company_once(
    client: httpx.AsyncClient, population: Population, tokens: Tokens, transactions: Transactions
) -> None:
    person, company = await population.company()
    body = {"uscc": company.uscc, "name": company.name}
    answer = await client.post("/identity/v1/legal-persons", json=body, headers=tokens.person(person))
    assert answer.status_code == 201, answer.text
    assert answer.json()["id"] == str(company.id)
    assert await events(transactions) == [("legal-person.registered.v1", 1)]
    shown = (await client.get("/identity/v1/me/represented", headers=tokens.person(person))).json()
    assert [(one["uscc"], one["acts_as"]) for one in shown["items"]] == [(company.uscc, "REPRESENTATIVE")]


async def test_only_the_representative_may_register_it(
    client: httpx.AsyncClient, population: Population, tokens: Tokens
) -> None:
    entry = register().legal_persons[0]
    other = await population.person(20)
    answer = await client.post(
        "/identity/v1/legal-persons",
        json={"uscc": entry.uscc, "name": entry.name},
        headers=tokens.person(other),
    )
    assert (answer.status_code, answer.json()["code"]) == (422, "legal_person_not_confirmed")


async def test_a_company_that_is_no_more_cannot_be_registered(
    client: httpx.AsyncClient, population: Population, tokens: Tokens
) -> None:
    entry = next(one for one in register().legal_persons if one.status == "revoked")
    numbers = [person.id_number for person in register().natural_persons]
    person = await population.person(numbers.index(entry.representative_id_number))
    answer = await client.post(
        "/identity/v1/legal-persons",
        json={"uscc": entry.uscc, "name": entry.name},
        headers=tokens.person(person),
    )
    assert answer.json()["code"] == "legal_person_not_confirmed"


async def test_an_unverified_person_is_asked_to_verify_first(
    client: httpx.AsyncClient, population: Population, tokens: Tokens
) -> None:
    person = await population.person(verified=False)
    entry = register().legal_persons[0]
    answer = await client.post(
        "/identity/v1/legal-persons",
        json={"uscc": entry.uscc, "name": entry.name},
        headers=tokens.person(person, acr="urn:lianban:loa:1"),
    )
    assert (answer.status_code, answer.json()["code"]) == (401, "insufficient_user_authentication")
    assert 'acr_values="urn:lianban:loa:2"' in answer.headers["www-authenticate"]


async def test_a_bad_credit_code_is_named(
    client: httpx.AsyncClient, population: Population, tokens: Tokens
) -> None:
    person = await population.person()
    answer = await client.post(
        "/identity/v1/legal-persons",
        json={"uscc": "91990101MA0000A190", "name": "某某公司"},
        headers=tokens.person(person),
    )
    assert answer.json()["errors"][0]["pointer"] == "/uscc"


async def test_an_agent_is_appointed_acts_and_is_revoked(
    client: httpx.AsyncClient, population: Population, tokens: Tokens, transactions: Transactions
) -> None:
    person, company = await population.company()
    agent = await population.person(20)
    agents = f"/identity/v1/legal-persons/{company.id}/agents"
    body = {"name": agent.name, "phone": agent.phone}
    made = await client.post(agents, json=body, headers=tokens.person(person))
    assert made.status_code == 201, made.text
    shown = (await client.get("/identity/v1/me/represented", headers=tokens.person(agent))).json()
    assert [one["acts_as_label"] for one in shown["items"]] == ["经办人"]
    again = await client.post(agents, json=body, headers=tokens.person(person))
    assert (again.status_code, again.json()["code"]) == (409, "agent_appointed_already")
    revoke = f"{agents}/{made.json()['id']}/revoke"
    assert (await client.post(revoke, headers=tokens.person(person))).status_code == 200
    shown = (await client.get("/identity/v1/me/represented", headers=tokens.person(agent))).json()
    assert shown["items"] == []
    assert (await client.post(revoke, headers=tokens.person(person))).status_code == 409
    assert await events(transactions) == [
        ("legal-person.registered.v1", 1),
        ("agent.appointed.v1", 2),
        ("agent.revoked.v1", 3),
    ]
    listed = (await client.get(agents, headers=tokens.person(person))).json()
    assert [row["revoked_at"] is None for row in listed["items"]] == [False]


async def test_an_appointment_ends_by_itself_and_can_be_renewed(
    client: httpx.AsyncClient, population: Population, tokens: Tokens, clock: Clock
) -> None:
    person, company = await population.company()
    agent = await population.person(20)
    body = {
        "name": agent.name,
        "phone": agent.phone,
        "valid_until": (clock.now() + timedelta(days=1)).isoformat(),
    }
    agents = f"/identity/v1/legal-persons/{company.id}/agents"
    assert (await client.post(agents, json=body, headers=tokens.person(person))).status_code == 201
    clock.pass_(days=2)
    shown = (await client.get("/identity/v1/me/represented", headers=tokens.person(agent))).json()
    assert shown["items"] == []
    expired = await client.post(agents, json=body, headers=tokens.person(person))
    assert expired.json()["errors"][0]["pointer"] == "/valid_until"
    body["valid_until"] = (clock.now() + timedelta(days=1)).isoformat()
    assert (await client.post(agents, json=body, headers=tokens.person(person))).status_code == 201


async def test_who_is_not_verified_or_named_otherwise_cannot_be_appointed(
    client: httpx.AsyncClient, population: Population, tokens: Tokens
) -> None:
    person, company = await population.company()
    unverified = await population.person(21, verified=False)
    agent = await population.person(20)
    agents = f"/identity/v1/legal-persons/{company.id}/agents"
    for name, phone in (
        (unverified.name, unverified.phone),
        ("别的名字", agent.phone),
        (agent.name, "19900009999"),
        (person.name, person.phone),
    ):
        body = {"name": name, "phone": phone}
        answer = await client.post(agents, json=body, headers=tokens.person(person))
        assert (answer.status_code, answer.json()["code"]) == (422, "agent_not_found")


@pytest.mark.parametrize("path", ["agents", "agents/{agent}/revoke"])
async def test_strangers_learn_nothing(
    client: httpx.AsyncClient, population: Population, tokens: Tokens, path: str
) -> None:
    _, company = await population.company()
    stranger = await population.person(20)
    address = f"/identity/v1/legal-persons/{company.id}/{path.format(agent=uuid4())}"
    body = {"name": stranger.name, "phone": stranger.phone}
    answer = await client.post(address, json=body, headers=tokens.person(stranger))
    assert answer.status_code == 404
