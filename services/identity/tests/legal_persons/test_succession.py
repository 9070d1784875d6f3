"""Administrators, and what happens when the register names another representative, or none."""

import httpx
import pytest
from services.identity.tests.factories import LOOPBACK, Citizen, Population, Tokens
from services.identity.tests.flows import Application, claims_of
from sqlalchemy import select

from identity_service.clients.authority import Authority
from identity_service.db import Transactions
from identity_service.legal_persons.models import LegalPerson
from identity_service.legal_persons.succession import check_again, due_for_a_check
from lianban_local.authority import register
from service_common.clock import utc_now
from service_common.crypto import KeyRing
from service_common.tables import outbox


async def appoint(
    client: httpx.AsyncClient, company: LegalPerson, agent: Citizen, headers: dict[str, str], **more: str
) -> httpx.Response:
    body = {"name": agent.name, "phone": agent.phone, **more}
    return await client.post(f"/identity/v1/legal-persons/{company.id}/agents", json=body, headers=headers)


async def represented(client: httpx.AsyncClient, headers: dict[str, str]) -> list[str]:
    items = (await client.get("/identity/v1/me/represented", headers=headers)).json()["items"]
    return [one["acts_as"] for one in items]


def now_represented_by(monkeypatch: pytest.MonkeyPatch, uscc: str, id_number: str, **changes: str) -> None:
    """The register writes another representative, or status, into its entry."""
    known = register.population()
    entries = tuple(
        one.model_copy(update={"representative_id_number": id_number, **changes}) if one.uscc == uscc else one
        for one in known.legal_persons
    )
    changed = known.model_copy(update={"legal_persons": entries})
    monkeypatch.setattr(register, "population", lambda: changed)


async def test_an_administrator_manages_agents_but_no_administrators(
    client: httpx.AsyncClient, population: Population, tokens: Tokens
) -> None:
    owner, company = await population.company()
    administrator, agent = await population.person(20), await population.person(21)
    made = await appoint(client, company, administrator, tokens.person(owner), role="ADMINISTRATOR")
    assert made.json()["role"] == "ADMINISTRATOR"
    assert await represented(client, tokens.person(administrator)) == ["ADMINISTRATOR"]
    refused = await appoint(client, company, agent, tokens.person(administrator), role="ADMINISTRATOR")
    assert (refused.status_code, refused.json()["code"]) == (403, "representative_only")
    appointed = await appoint(client, company, agent, tokens.person(administrator))
    assert appointed.status_code == 201, appointed.text
    agents = f"/identity/v1/legal-persons/{company.id}/agents"
    assert (await client.get(agents, headers=tokens.person(agent))).status_code == 404
    own = f"{agents}/{made.json()['id']}/revoke"
    assert (await client.post(own, headers=tokens.person(agent))).status_code == 404
    revoked = await client.post(
        f"{agents}/{appointed.json()['id']}/revoke", headers=tokens.person(administrator)
    )
    assert revoked.status_code == 200


async def test_another_representative_suspends_every_appointment_until_it_is_confirmed(
    client: httpx.AsyncClient,
    population: Population,
    tokens: Tokens,
    transactions: Transactions,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    former, company = await population.company()
    agent, successor = await population.person(20), await population.person(21)
    made = (await appoint(client, company, agent, tokens.person(former))).json()
    app = Application(client, await population.app(), LOOPBACK)
    got = await app.tokens(agent, "openid offline_access")
    assert claims_of(got["access_token"])["represents"] == [str(company.id)]

    now_represented_by(monkeypatch, company.uscc, successor.id_number)
    body = {"uscc": company.uscc, "name": company.name}
    taken = await client.post("/identity/v1/legal-persons", json=body, headers=tokens.person(successor))
    assert taken.status_code == 201, taken.text
    assert await represented(client, tokens.person(former)) == []
    assert await represented(client, tokens.person(agent)) == []
    got = (await app.refresh(got["refresh_token"])).json()
    assert claims_of(got["access_token"])["represents"] == []

    confirm = f"/identity/v1/legal-persons/{company.id}/agents/{made['id']}/confirm"
    assert (await client.post(confirm, headers=tokens.person(former))).status_code == 404
    assert (await client.post(confirm, headers=tokens.person(successor))).json()["suspended_at"] is None
    again = await client.post(confirm, headers=tokens.person(successor))
    assert (again.status_code, again.json()["code"]) == (409, "not_suspended")
    got = (await app.refresh(got["refresh_token"])).json()
    assert claims_of(got["access_token"])["represents"] == [str(company.id)]
    async with transactions() as session:
        subjects = await session.scalars(
            select(outbox.c.subject).where(outbox.c.aggregate_id == company.id).order_by(outbox.c.revision)
        )
        assert [subject.removeprefix("gov.identity.") for subject in subjects] == [
            "legal-person.registered.v1",
            "agent.appointed.v1",
            "legal-person.representative-changed.v1",
            "agent.revoked.v1",
            "agent.appointed.v1",
        ]


async def test_a_company_that_the_register_no_longer_confirms_is_acted_for_by_nobody(
    client: httpx.AsyncClient,
    population: Population,
    tokens: Tokens,
    transactions: Transactions,
    ring: KeyRing,
    authority: Authority,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    owner, company = await population.company()
    now = utc_now()
    async with transactions() as session:
        assert await due_for_a_check(session, before=now, limit=10) == [company.id]
    assert await check_again(transactions, ring, authority, company.id, now=now) is True
    now_represented_by(monkeypatch, company.uscc, owner.id_number, status="revoked")
    for _ in range(2):
        assert await check_again(transactions, ring, authority, company.id, now=now) is False
    assert await represented(client, tokens.person(owner)) == []
    assert (await appoint(client, company, owner, tokens.person(owner))).status_code == 404
    async with transactions() as session:
        suspended = await session.scalars(
            select(outbox.c.subject).where(outbox.c.subject.like("%legal-person.suspended%"))
        )
        assert len(suspended.all()) == 1
        assert await due_for_a_check(session, before=now, limit=10) == []
    monkeypatch.undo()
    assert await check_again(transactions, ring, authority, company.id, now=now) is True
    assert await represented(client, tokens.person(owner)) == ["REPRESENTATIVE"]
