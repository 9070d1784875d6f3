"""Codes that are shown and verified: once, within a minute, telling what the terminal's scopes allow."""

import asyncio
from typing import Any

import httpx
import pytest
from services.identity.tests.conftest import Clock
from services.identity.tests.factories import HEALTH_USCC, Population, RegisteredClient, Tokens
from services.identity.tests.flows import claims_of

from identity_service.db import Transactions
from identity_service.identity_codes.handlers import prune_identity_codes
from identity_service.relying_parties.domain import GrantType

SHOW = "/identity/v1/me/identity-code"
VERIFY = "/identity/v1/identity-code-verifications"


@pytest.fixture
async def terminal(population: Population) -> RegisteredClient:
    """A kiosk of the health commission."""
    return await population.client(
        grant_types=[GrantType.CLIENT_CREDENTIALS], redirect_uris=[], scopes=["identity:codes.verify"]
    )


async def verify(
    client: httpx.AsyncClient,
    population: Population,
    tokens: Tokens,
    terminal: RegisteredClient,
    code: str,
    *more: str,
) -> httpx.Response:
    department = await population.department(HEALTH_USCC)
    headers = tokens.headers(
        sub=terminal.client_id,
        subject_type="client",
        client_id=terminal.client_id,
        department_id=str(department.id),
        scope=" ".join(["identity:codes.verify", *more]),
    )
    return await client.post(VERIFY, json={"code": code, "reference": "A023"}, headers=headers)


async def test_a_terminal_learns_what_its_scopes_allow_and_the_person_reads_it(
    client: httpx.AsyncClient, population: Population, tokens: Tokens, terminal: RegisteredClient
) -> None:
    person = await population.person()
    headers = tokens.person(person)
    codes = [(await client.post(SHOW, headers=headers)).json()["code"] for _ in range(2)]
    plain = (await verify(client, population, tokens, terminal, codes[0])).json()
    assert (plain["trust_level"], plain["name"], plain["id_number"], plain["phone"]) == (2, None, None, None)
    assert plain["subject"] != str(person.id)
    more = await verify(client, population, tokens, terminal, codes[1], "identity:codes.verify.name")
    assert (more.json()["name"], more.json()["id_number"]) == (person.name, None)
    assert more.json()["subject"] == plain["subject"]
    log = (await client.get("/identity/v1/me/access-log", headers=headers)).json()["items"]
    assert [(one["attributes"], one["reference"], one["purpose"]) for one in log] == [
        (["name", "trust_level"], "A023", "IDENTITY_CODE"),
        (["trust_level"], "A023", "IDENTITY_CODE"),
    ]
    assert log[0]["department_name"]


async def test_a_code_tells_nothing_and_is_long_enough(
    client: httpx.AsyncClient, population: Population, tokens: Tokens
) -> None:
    person = await population.person()
    code = (await client.post(SHOW, headers=tokens.person(person))).json()["code"]
    claims = claims_of(code)
    assert set(claims) == {"iss", "jti", "exp", "kind"}
    assert len(claims["jti"]) >= 22


async def test_a_code_is_good_once_even_at_two_terminals_at_once(
    client: httpx.AsyncClient, population: Population, tokens: Tokens, terminal: RegisteredClient
) -> None:
    person = await population.person(verified=False)
    code = (await client.post(SHOW, headers=tokens.person(person))).json()["code"]
    answers = await asyncio.gather(*(verify(client, population, tokens, terminal, code) for _ in range(4)))
    assert sorted(answer.status_code for answer in answers) == [200, 422, 422, 422]


async def test_a_code_is_good_for_a_minute_and_is_forgotten(
    client: httpx.AsyncClient,
    population: Population,
    tokens: Tokens,
    terminal: RegisteredClient,
    clock: Clock,
    transactions: Transactions,
) -> None:
    person = await population.person(verified=False)
    code = (await client.post(SHOW, headers=tokens.person(person))).json()["code"]
    clock.pass_(seconds=61)
    late = await verify(client, population, tokens, terminal, code)
    assert (late.status_code, late.json()["code"]) == (422, "code_not_valid")
    async with transactions() as session:
        await prune_identity_codes(session, now=clock.now())


@pytest.mark.parametrize("broken", ["x" * 40, "a.b.c" * 10, None])
async def test_what_we_did_not_sign_as_a_code_is_none(
    client: httpx.AsyncClient,
    population: Population,
    tokens: Tokens,
    terminal: RegisteredClient,
    broken: str | None,
) -> None:
    person = await population.person(verified=False)
    access_token = tokens.person(person)["Authorization"].removeprefix("Bearer ")
    answer = await verify(client, population, tokens, terminal, broken or access_token)
    assert (answer.status_code, answer.json()["code"]) == (422, "code_not_valid")


async def test_an_enterprise_code_names_the_company_and_the_capacity(
    client: httpx.AsyncClient, population: Population, tokens: Tokens, terminal: RegisteredClient
) -> None:
    owner, company = await population.company()
    stranger = await population.person(20)
    address = f"/identity/v1/legal-persons/{company.id}/enterprise-code"
    assert (await client.post(address, headers=tokens.person(stranger))).status_code == 404
    code: dict[str, Any] = (await client.post(address, headers=tokens.person(owner))).json()
    assert code["kind_label"] == "企业码"
    bearer = (await verify(client, population, tokens, terminal, code["code"])).json()
    assert bearer["legal_person"]["uscc"] == company.uscc
    assert (bearer["legal_person"]["acts_as"], bearer["name"]) == ("REPRESENTATIVE", None)


async def test_a_code_of_somebody_who_no_longer_acts_for_the_company_is_none(
    client: httpx.AsyncClient, population: Population, tokens: Tokens, terminal: RegisteredClient
) -> None:
    owner, company = await population.company()
    agent = await population.person(20)
    agents = f"/identity/v1/legal-persons/{company.id}/agents"
    body = {"name": agent.name, "phone": agent.phone}
    made = (await client.post(agents, json=body, headers=tokens.person(owner))).json()
    address = f"/identity/v1/legal-persons/{company.id}/enterprise-code"
    code = (await client.post(address, headers=tokens.person(agent))).json()["code"]
    await client.post(f"{agents}/{made['id']}/revoke", headers=tokens.person(owner))
    answer = await verify(client, population, tokens, terminal, code)
    assert (answer.status_code, answer.json()["code"]) == (422, "code_not_valid")
