"""The personal space: sources, consents, export, closing the account."""

import httpx
from fastapi import FastAPI
from services.identity.tests.factories import CALLBACK, LOOPBACK, PASSWORD, Population, Tokens
from services.identity.tests.flows import Application
from sqlalchemy import select

from identity_service.accounts.models import Account
from identity_service.db import Transactions
from identity_service.people.handlers import lookup
from identity_service.people.models import Person
from service_common.crypto import KeyRing
from service_common.tables import outbox

ME = "/identity/v1/me"


async def test_each_attribute_has_its_source_and_freshness(
    client: httpx.AsyncClient, population: Population, tokens: Tokens
) -> None:
    person = await population.person()
    items = (await client.get(f"{ME}/profile", headers=tokens.person(person))).json()["items"]
    facts = {one["attribute"]: one for one in items}
    assert (facts["name"]["source"], facts["name"]["value"]) == ("REGISTER", "王**")
    assert facts["name"]["confirmed_at"] is not None
    assert (facts["phone"]["source_label"], facts["trust_level"]["value"]) == ("短信验证", "2")
    assert facts["username"]["source"] == "SELF"
    assert person.id_number not in str(items)


async def test_a_consent_is_listed_and_withdrawn_with_everything_that_rests_on_it(
    client: httpx.AsyncClient, population: Population, tokens: Tokens, transactions: Transactions
) -> None:
    person, third_party = await population.person(), await population.client()
    app = Application(client, third_party, CALLBACK)
    got = await app.tokens(person, "openid profile offline_access")
    headers = tokens.person(person)
    (given,) = (await client.get(f"{ME}/consents", headers=headers)).json()["items"]
    assert (given["client_id"], given["client_name"]) == (third_party.client_id, "示例应用")
    assert given["department_name"]
    assert "profile" in given["scopes"]
    address = f"{ME}/consents/{third_party.client_id}/withdraw"
    stranger = tokens.person(await population.person(1, verified=False))
    assert (await client.post(address, headers=stranger)).status_code == 404
    assert (await client.post(address, headers=headers)).status_code == 204
    assert (await client.post(address, headers=headers)).json()["code"] == "no_such_consent"
    assert (await app.refresh(got["refresh_token"])).status_code == 400
    assert (await client.get(f"{ME}/consents", headers=headers)).json()["items"] == []


async def test_the_export_holds_the_own_data_and_no_secret(
    client: httpx.AsyncClient, population: Population, tokens: Tokens, transactions: Transactions
) -> None:
    person, company = await population.company()
    app = Application(client, await population.app(), LOOPBACK)
    got = await app.tokens(person, "openid identity:me.manage")
    stale = await client.get(f"{ME}/export", headers=tokens.person(person))
    assert (stale.status_code, stale.json()["code"]) == (403, "log_in_again")
    headers = {"Authorization": f"Bearer {got['access_token']}"}
    answer = await client.get(f"{ME}/export", headers=headers)
    assert answer.headers["cache-control"] == "no-store"
    assert "attachment" in answer.headers["content-disposition"]
    data = answer.json()
    assert (data["person"]["name"], data["person"]["id_number"]) == (person.name, person.id_number)
    assert [one["uscc"] for one in data["represented"]] == [company.uscc]
    assert [one["method"] for one in data["verifications"]] == ["REAL_NAME"]
    assert len(data["sessions"]) == 1
    assert data["truncated"] == []
    async with transactions() as session:
        account = await session.get_one(Account, person.id)
    assert account.password_hash not in answer.text


async def test_the_language_of_messages_is_chosen(
    client: httpx.AsyncClient, population: Population, tokens: Tokens, transactions: Transactions
) -> None:
    person = await population.person(verified=False)
    headers = tokens.person(person)
    assert (
        await client.put(f"{ME}/preferences", json={"language": "en"}, headers=headers)
    ).status_code == 204
    assert (
        await client.put(f"{ME}/preferences", json={"language": "fr"}, headers=headers)
    ).status_code == 422
    async with transactions() as session:
        assert (await session.get_one(Person, person.id)).language == "en"


async def test_a_closed_account_is_entered_by_nobody_and_leaves_the_phone_free(
    client: httpx.AsyncClient,
    app: FastAPI,
    population: Population,
    tokens: Tokens,
    transactions: Transactions,
    ring: KeyRing,
) -> None:
    owner, company = await population.company()
    agent = await population.person(20)
    agents = f"/identity/v1/legal-persons/{company.id}/agents"
    body = {"name": agent.name, "phone": agent.phone}
    assert (await client.post(agents, json=body, headers=tokens.person(owner))).status_code == 201
    mobile = Application(client, await population.app(), LOOPBACK)
    got = await mobile.tokens(agent, "openid offline_access")
    headers = tokens.person(agent)
    wrong = await client.post(f"{ME}/closing", json={"password": "not the right one"}, headers=headers)
    assert (wrong.status_code, wrong.json()["code"]) == (422, "wrong_current_password")
    closed = await client.post(f"{ME}/closing", json={"password": PASSWORD}, headers=headers)
    assert closed.status_code == 204, closed.text
    assert (await mobile.refresh(got["refresh_token"])).status_code == 400
    page = await mobile.begin("openid")
    again = await mobile.post("/identity/login", page, username=agent.username, password=PASSWORD)
    assert again.status_code == 422
    async with transactions() as session:
        assert await lookup.account_of_phone(session, ring, agent.phone) is None
        kept = await lookup.profile_of(session, ring, agent.id)
        subjects = set(
            await session.scalars(
                select(outbox.c.subject).where(outbox.c.aggregate_id.in_([agent.id, company.id]))
            )
        )
    assert (kept.name, kept.id_number, kept.phone) == (agent.name, agent.id_number, None)
    assert {"gov.identity.person.closed.v1", "gov.identity.agent.revoked.v1"} <= subjects
    anew = await population.person(20, username="citizen20.again")
    assert anew.id != agent.id


async def test_who_represents_a_company_cannot_leave_it_alone(
    client: httpx.AsyncClient, population: Population, tokens: Tokens
) -> None:
    owner, _ = await population.company()
    answer = await client.post(f"{ME}/closing", json={"password": PASSWORD}, headers=tokens.person(owner))
    assert (answer.status_code, answer.json()["code"]) == (409, "still_represents")
