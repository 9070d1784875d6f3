"""Refresh: rotation, replay, reuse, races."""

import asyncio

import pytest
from services.identity.tests.conftest import Clock
from services.identity.tests.factories import Population
from services.identity.tests.flows import Application, claims_of
from services.identity.tests.oidc.conftest import EndedSessions
from sqlalchemy import select

from identity_service.db import Transactions
from identity_service.oidc.models import RefreshToken


async def living(transactions: Transactions) -> int:
    """Refresh tokens that are not used up."""
    async with transactions() as session:
        return len((await session.scalars(select(RefreshToken).where(RefreshToken.used_at.is_(None)))).all())


async def test_a_refresh_gives_new_tokens_of_the_same_session(
    mobile: Application, population: Population, clock: Clock
) -> None:
    first = await mobile.tokens(await population.person(), "openid identity:me.read")
    clock.pass_(minutes=4)
    second = (await mobile.refresh(first["refresh_token"])).json()
    assert second["refresh_token"] != first["refresh_token"]
    before, after = claims_of(first["access_token"]), claims_of(second["access_token"])
    assert after["sid"] == before["sid"]
    assert after["scope"] == before["scope"]
    assert after["exp"] >= before["exp"] + 240
    identity = claims_of(second["id_token"])
    assert identity["auth_time"] == claims_of(first["id_token"])["auth_time"]
    assert identity["sub"] == claims_of(first["id_token"])["sub"]
    assert "nonce" not in identity


async def test_parallel_refreshes_all_succeed_with_the_same_successor(
    mobile: Application, population: Population, transactions: Transactions, ended: EndedSessions
) -> None:
    first = await mobile.tokens(await population.person())
    answers = await asyncio.gather(*(mobile.refresh(first["refresh_token"]) for _ in range(6)))
    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.json()["refresh_token"] for answer in answers}) == 1
    assert await living(transactions) == 1
    assert await ended.list() == []


async def test_a_late_replay_gets_the_newest_token_of_the_family(
    mobile: Application, population: Population, transactions: Transactions
) -> None:
    first = (await mobile.tokens(await population.person()))["refresh_token"]
    second = (await mobile.refresh(first)).json()["refresh_token"]
    third = (await mobile.refresh(second)).json()["refresh_token"]
    assert (await mobile.refresh(first)).json()["refresh_token"] == third
    assert await living(transactions) == 1


async def test_reuse_after_the_window_ends_the_family(
    mobile: Application, population: Population, clock: Clock, ended: EndedSessions
) -> None:
    given = await mobile.tokens(await population.person())
    second = (await mobile.refresh(given["refresh_token"])).json()["refresh_token"]
    clock.pass_(seconds=11)
    assert (await mobile.refresh(given["refresh_token"])).json()["error"] == "invalid_grant"
    assert (await mobile.refresh(second)).json()["error"] == "invalid_grant"
    assert await ended.list() == [(claims_of(given["access_token"])["sid"], "SUSPICION")]


async def test_another_clients_refresh_token_is_refused_and_not_spoilt(
    mobile: Application, partner: Application, population: Population, ended: EndedSessions
) -> None:
    given = (await mobile.tokens(await population.person()))["refresh_token"]
    assert (await partner.refresh(given)).json()["error"] == "invalid_grant"
    assert (await mobile.refresh(given)).status_code == 200
    assert await ended.list() == []


async def test_a_refresh_may_ask_for_less_but_not_for_more(
    mobile: Application, population: Population
) -> None:
    given = await mobile.tokens(await population.person(), "openid identity:me.read")
    less = (await mobile.refresh(given["refresh_token"], scope="identity:me.read")).json()
    assert less["scope"] == "identity:me.read"
    more = await mobile.refresh(less["refresh_token"], scope="identity:me.read identity:inbox")
    assert more.json()["error"] == "invalid_scope"
    again = (await mobile.refresh(less["refresh_token"])).json()
    assert again["scope"] == "identity:me.read openid"


async def test_a_raised_trust_level_is_in_the_next_token(mobile: Application, population: Population) -> None:
    person = await population.person(verified=False)
    given = await mobile.tokens(person)
    assert claims_of(given["access_token"])["acr"] == "urn:lianban:loa:1"
    await population.verify(person)
    after = (await mobile.refresh(given["refresh_token"])).json()
    assert claims_of(after["access_token"])["acr"] == "urn:lianban:loa:2"


@pytest.mark.parametrize(("scope", "status"), [("openid", 400), ("openid offline_access", 200)])
async def test_a_refresh_token_ends_with_the_session_unless_it_is_for_offline_access(
    mobile: Application, population: Population, clock: Clock, scope: str, status: int
) -> None:
    given = await mobile.tokens(await population.person(), scope)
    clock.pass_(hours=13)
    assert (await mobile.refresh(given["refresh_token"])).status_code == status


async def test_an_old_refresh_token_expires(
    mobile: Application, population: Population, clock: Clock
) -> None:
    given = await mobile.tokens(await population.person(), "openid offline_access")
    clock.pass_(days=31)
    assert (await mobile.refresh(given["refresh_token"])).json()["error"] == "invalid_grant"


@pytest.mark.parametrize("text", ["", "nonsense", "\u96f6" * 20, "a" * 5000])
async def test_what_is_no_refresh_token_is_refused(mobile: Application, text: str) -> None:
    answer = await mobile.refresh(text)
    assert answer.status_code == 400
    assert answer.json()["error"] in {"invalid_grant", "invalid_request"}
