"""Token exchange (RFC 8693): an agent's token for one to act for the principal, and never for more."""

import asyncio
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
from fastapi import FastAPI
from joserfc.jwk import ECKey
from services.identity.tests.conftest import Clock
from services.identity.tests.factories import Citizen, Officer, Population, Tokens
from services.identity.tests.flows import Application, claims_of
from services.identity.tests.oidc.conftest import EndedSessions
from services.identity.tests.oidc.keyed import KeyedApplication
from sqlalchemy import text

from identity_service.db import Transactions
from identity_service.organisation.domain import Role
from identity_service.scopes import ScopeCatalogue, ScopeEntry
from service_common.delegation import Act

ACCESS_TOKEN = "urn:ietf:params:oauth:token-type:access_token"
EXCHANGE = "urn:ietf:params:oauth:grant-type:token-exchange"
WRITE, PRESENT, DECIDE = (
    "acceptance:applications.write",
    "certificates:licences.present",
    "acceptance:cases.decide",
)
SCOPE = f"openid identity:me.read {WRITE} {PRESENT}"


@pytest.fixture(autouse=True)
def all_services(app: FastAPI) -> None:
    """The scopes of other services, as they are exported to identity."""
    roles = {WRITE: {"citizen"}, PRESENT: {"citizen"}, DECIDE: {"approver", "clerk"}}
    more = {
        name: ScopeEntry(name=name, zh=name, en=name, roles=frozenset(held)) for name, held in roles.items()
    }
    app.state.scopes = ScopeCatalogue({**app.state.scopes.entries, **more})


async def exchange(
    app: Application, subject_token: str, delegation: UUID | str, /, **changes: str | None
) -> httpx.Response:
    asked = {
        "grant_type": EXCHANGE,
        "subject_token": subject_token,
        "subject_token_type": ACCESS_TOKEN,
        "delegation": str(delegation),
        **changes,
    }
    return await app.token(**asked)


async def sign_in(app: Application, who: Citizen | Officer, scope: str = SCOPE) -> str:
    token: str = (await app.tokens(who, scope))["access_token"]
    return token


async def test_the_token_names_principal_and_agent_and_what_is_allowed(
    mobile: Application, population: Population
) -> None:
    principal, agent = await population.person(0), await population.person(20)
    delegation = await population.delegation(
        principal, agent, acts=frozenset({Act.SUBMIT, Act.VIEW}), matters=frozenset({"acceptance:43TCP0018"})
    )
    answer = await exchange(mobile, await sign_in(mobile, agent), delegation)
    assert answer.status_code == 200, answer.text
    body = answer.json()
    assert (body["issued_token_type"], body["token_type"]) == (ACCESS_TOKEN, "Bearer")
    assert "refresh_token" not in body
    claims = claims_of(body["access_token"])
    assert claims["sub"] == str(principal.id)
    assert claims["act"] == {"sub": str(agent.id), "subject_type": "person"}
    assert claims["delegation"] == {
        "id": str(delegation),
        "acts": ["SUBMIT", "VIEW"],
        "matters": ["acceptance:43TCP0018"],
    }
    assert (claims["scope"], claims["aud"]) == (WRITE, ["urn:lianban:acceptance"])
    assert "represents" not in claims


async def test_the_agents_own_token_is_never_widened(mobile: Application, population: Population) -> None:
    principal, agent = await population.person(0), await population.person(20)
    delegation = await population.delegation(
        principal, agent, matters=frozenset({"acceptance:*", "certificates:*"})
    )
    narrow = await sign_in(mobile, agent, f"openid {PRESENT}")
    got = await exchange(mobile, narrow, delegation, scope=f"{WRITE} {PRESENT} identity:me.read")
    assert got.json()["scope"] == PRESENT
    refused = await exchange(mobile, narrow, delegation, scope=WRITE)
    assert (refused.status_code, refused.json()["error"]) == (400, "invalid_scope")
    elsewhere = await exchange(mobile, narrow, delegation, resource="urn:lianban:acceptance")
    assert (elsewhere.status_code, elsewhere.json()["error"]) == (400, "invalid_target")


async def test_the_level_is_that_of_the_less_known_of_the_two(
    mobile: Application, population: Population
) -> None:
    principal, helper = await population.person(0), await population.staff(Role.CLERK)
    delegation = await population.delegation(principal, helper)
    answer = await exchange(mobile, await sign_in(mobile, helper, f"openid {DECIDE}"), delegation)
    assert answer.status_code == 200, answer.text
    claims = claims_of(answer.json()["access_token"])
    assert claims["acr"] == "urn:lianban:loa:2"
    assert claims["act"] == {"sub": str(helper.id), "subject_type": "staff"}
    assert claims["scope"] == WRITE
    assert "roles" not in claims


async def test_for_a_legal_person_the_subject_is_the_legal_person(
    mobile: Application, population: Population
) -> None:
    (representative, company), agent = await population.company(), await population.person(20)
    delegation = await population.delegation(representative, agent, legal_person_id=company.id)
    answer = await exchange(mobile, await sign_in(mobile, agent), delegation)
    claims = claims_of(answer.json()["access_token"])
    assert (claims["sub"], claims["subject_type"]) == (str(company.id), "legal_person")


@pytest.mark.parametrize(
    "case", ["unknown", "malformed", "missing", "not accepted", "of another agent", "expired", "revoked"]
)
async def test_a_delegation_that_cannot_be_used_gives_nothing(
    client: httpx.AsyncClient,
    mobile: Application,
    population: Population,
    tokens: Tokens,
    clock: Clock,
    case: str,
) -> None:
    principal, agent = await population.person(0), await population.person(20)
    chosen = await population.person(21) if case == "of another agent" else agent
    delegation: Any = await population.delegation(
        principal,
        chosen,
        accepted=case != "not accepted",
        valid_until=clock.now() + timedelta(seconds=30),
    )
    subject_token = await sign_in(mobile, agent)
    if case == "expired":
        clock.pass_(seconds=31)
    if case == "revoked":
        one = f"/identity/v1/delegations/{delegation}"
        assert (await client.post(f"{one}/revoke", headers=tokens.person(principal))).status_code == 200
    named = {"unknown": uuid4(), "malformed": "nonsense", "missing": None}.get(case, delegation)
    answer = await exchange(mobile, subject_token, "", delegation=None if named is None else str(named))
    expected = "invalid_request" if case in ("malformed", "missing") else "invalid_grant"
    assert (answer.status_code, answer.json()["error"]) == (400, expected)


async def test_a_subject_token_must_be_a_living_one_of_this_client(
    client: httpx.AsyncClient, mobile: Application, population: Population, clock: Clock
) -> None:
    principal, agent = await population.person(0), await population.person(20)
    delegation = await population.delegation(principal, agent)
    own = await sign_in(mobile, agent)
    other = Application(client, await population.app(), mobile.redirect_uri)
    exchanged = (await exchange(mobile, own, delegation)).json()["access_token"]
    signed_with_us = (await mobile.exchange(await mobile.code(agent, SCOPE))).json()["id_token"]
    for app, shown in (
        (mobile, "nonsense"),
        (mobile, signed_with_us),
        (mobile, exchanged),  # no chain: who was entrusted entrusts nobody
        (other, own),
    ):
        answer = await exchange(app, shown, delegation)
        assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request")
    await client.post("/identity/revoke", data={"token": own, "client_id": mobile.client.client_id})
    answer = await exchange(mobile, own, delegation)
    assert answer.json()["error"] == "invalid_request"
    fresh = await sign_in(mobile, agent)
    clock.pass_(minutes=6)
    answer = await exchange(mobile, fresh, delegation)
    assert answer.json()["error"] == "invalid_request"


@pytest.mark.parametrize(
    "changes",
    [
        {"subject_token": None},
        {"subject_token_type": None},
        {"subject_token_type": "urn:ietf:params:oauth:token-type:id_token"},
        {"requested_token_type": "urn:ietf:params:oauth:token-type:refresh_token"},
        {"actor_token": "x", "actor_token_type": ACCESS_TOKEN},
    ],
)
async def test_a_malformed_exchange_is_refused_by_name(
    mobile: Application, population: Population, changes: dict[str, str | None]
) -> None:
    answer = await exchange(mobile, "x", uuid4(), **changes)
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request")


async def test_only_the_platforms_own_clients_exchange(partner: Application) -> None:
    answer = await exchange(partner, "x", uuid4())
    assert (answer.status_code, answer.json()["error"]) == (400, "unauthorized_client")


async def _uses(transactions: Transactions) -> int:
    async with transactions() as session:
        return int(await session.scalar(text("SELECT uses FROM delegations")) or 0)


async def test_one_sitting_is_one_use_and_a_refused_exchange_is_none(
    mobile: Application, population: Population, clock: Clock, transactions: Transactions
) -> None:
    principal, agent = await population.person(0), await population.person(20)
    delegation = await population.delegation(principal, agent, max_uses=1)
    granted = await mobile.tokens(agent, SCOPE)
    assert (await exchange(mobile, granted["access_token"], delegation, scope="openid")).status_code == 400
    assert await _uses(transactions) == 0
    first = (await exchange(mobile, granted["access_token"], delegation)).json()["access_token"]
    again = (await exchange(mobile, granted["access_token"], delegation)).json()["access_token"]
    assert claims_of(first)["sid"] == claims_of(again)["sid"]
    assert await _uses(transactions) == 1
    clock.pass_(minutes=61)
    renewed = (await mobile.refresh(granted["refresh_token"])).json()["access_token"]
    over = await exchange(mobile, renewed, delegation)
    assert over.json()["error"] == "invalid_grant"


async def test_the_last_use_is_given_once_to_two_sittings_at_once(
    mobile: Application, population: Population, transactions: Transactions
) -> None:
    principal, agent = await population.person(0), await population.person(20)
    delegation = await population.delegation(principal, agent, max_uses=1)
    sittings = [await sign_in(mobile, agent) for _ in range(4)]
    answers = await asyncio.gather(*(exchange(mobile, one, delegation) for one in sittings))
    assert sorted(one.status_code for one in answers) == [200, 400, 400, 400]
    assert await _uses(transactions) == 1


async def test_revocation_ends_the_tokens_and_nothing_else(
    client: httpx.AsyncClient,
    mobile: Application,
    population: Population,
    tokens: Tokens,
    ended: EndedSessions,
) -> None:
    principal, agent = await population.person(0), await population.person(20)
    delegation = await population.delegation(principal, agent)
    sitting = claims_of(
        (await exchange(mobile, await sign_in(mobile, agent), delegation)).json()["access_token"]
    )
    one = f"/identity/v1/delegations/{delegation}"
    await client.post(f"{one}/revoke", headers=tokens.person(principal))
    assert await ended.list() == [(sitting["sid"], "CLOSED")]


async def test_logging_out_ends_what_was_done_for_others_too(
    client: httpx.AsyncClient, mobile: Application, population: Population, ended: EndedSessions
) -> None:
    principal, agent = await population.person(0), await population.person(20)
    delegation = await population.delegation(principal, agent)
    own = await sign_in(mobile, agent, f"{SCOPE} offline_access")
    sitting = claims_of((await exchange(mobile, own, delegation)).json()["access_token"])
    await client.post("/identity/revoke", data={"token": own, "client_id": mobile.client.client_id})
    assert {sid for sid, _ in await ended.list()} == {claims_of(own)["sid"], sitting["sid"]}


async def test_a_delegated_token_does_not_open_identity_itself(
    client: httpx.AsyncClient, mobile: Application, population: Population, tokens: Tokens
) -> None:
    principal, agent = await population.person(0), await population.person(20)
    forged_wider = tokens.person(
        principal,
        act={"sub": str(agent.id), "subject_type": "person"},
        delegation={"id": str(uuid4()), "acts": list(Act), "matters": ["identity:*"]},
    )
    answer = await client.get("/identity/v1/me", headers=forged_wider)
    assert (answer.status_code, answer.json()["code"]) == (403, "not_delegated")


async def test_a_bound_token_is_exchanged_with_its_key_alone(
    client: httpx.AsyncClient, population: Population
) -> None:
    principal, agent = await population.person(0), await population.person(20)
    delegation = await population.delegation(principal, agent)
    mobile = KeyedApplication(client, await population.app(), "http://127.0.0.1:51234/callback")
    bound = await sign_in(mobile, agent)
    own, mobile.key = mobile.key, ECKey.generate_key("P-256")
    stolen = await exchange(mobile, bound, delegation)
    assert (stolen.status_code, stolen.json()["error"]) == (400, "invalid_dpop_proof")
    mobile.key = own
    answer = (await exchange(mobile, bound, delegation)).json()
    assert answer["token_type"] == "DPoP"
    assert claims_of(answer["access_token"])["cnf"] == {"jkt": own.thumbprint()}


async def test_discovery_tells_of_it(client: httpx.AsyncClient) -> None:
    metadata = (await client.get("/identity/.well-known/openid-configuration")).json()
    assert EXCHANGE in metadata["grant_types_supported"]
