"""What is opened while somebody's sessions are ended: it is seen and ended as well, whichever comes first."""

import asyncio
from collections.abc import AsyncIterator

import httpx
import pytest
from fastapi import FastAPI
from services.identity.tests.factories import LOOPBACK, Population, RegisteredClient, Tokens
from services.identity.tests.flows import Application, query_of
from services.identity.tests.held import Held
from services.identity.tests.oidc.conftest import EndedSessions

from identity_service.db import Transactions
from identity_service.relying_parties.domain import Authentication, GrantType


@pytest.fixture
def held(transactions: Transactions) -> Held:
    return Held(transactions)


@pytest.fixture
async def stolen(app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    """Another browser with a living session of the same person."""
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
        yield client


async def end_others(client: httpx.AsyncClient, headers: dict[str, str]) -> httpx.Response:
    return await client.post("/identity/v1/me/sessions/end-others", headers=headers)


async def test_a_grant_that_is_opened_while_all_others_are_ended_ends_too(
    client: httpx.AsyncClient, stolen: httpx.AsyncClient, population: Population, tokens: Tokens, held: Held
) -> None:
    person = await population.person()
    there = Application(stolen, await population.app(), LOOPBACK)
    await there.tokens(person)
    async with held.rows("login_sessions"):
        opening = asyncio.create_task(there.begin("openid offline_access"))
        await held.until_wait(1)
        ending = asyncio.create_task(end_others(client, tokens.person(person)))
        await held.until_wait(2, or_done=ending)
    opened, ended = await asyncio.gather(opening, ending)
    assert ended.status_code == 204
    answer = await there.exchange(query_of(opened.headers["location"])["code"])
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_grant")


async def test_what_all_others_are_ended_before_is_not_opened(
    client: httpx.AsyncClient, stolen: httpx.AsyncClient, population: Population, tokens: Tokens, held: Held
) -> None:
    person = await population.person()
    there = Application(stolen, await population.app(), LOOPBACK)
    await there.tokens(person)
    async with held.table("authorization_codes"):
        opening = asyncio.create_task(there.begin("openid offline_access"))
        await held.until_wait(1)
        assert (await end_others(client, tokens.person(person))).status_code == 204
    assert (await opening).url.path == "/identity/login"


@pytest.fixture
async def kiosk(population: Population) -> RegisteredClient:
    return await population.client(
        authentication=Authentication.NONE,
        grant_types=[GrantType.DEVICE_CODE],
        redirect_uris=[],
        scopes=["*"],
        first_party=True,
    )


async def test_a_device_that_is_let_in_while_all_others_are_ended_is_not_in(
    client: httpx.AsyncClient,
    stolen: httpx.AsyncClient,
    kiosk: RegisteredClient,
    population: Population,
    tokens: Tokens,
    held: Held,
) -> None:
    person = await population.person()
    there, device = Application(stolen, await population.app(), LOOPBACK), Application(stolen, kiosk, "")
    token = (await there.tokens(person, "openid identity:devices.approve"))["access_token"]
    codes = (await device.call("/identity/device_authorization", scope="openid")).json()
    address = f"/identity/v1/me/device-authorizations/{codes['user_code']}/approve"
    async with held.table("device_authorizations"):
        opening = asyncio.create_task(stolen.post(address, headers={"Authorization": f"Bearer {token}"}))
        await held.until_wait(1)
        ending = asyncio.create_task(end_others(client, tokens.person(person)))
        await held.until_wait(2, or_done=ending)
    opened, ended = await asyncio.gather(opening, ending)
    assert (opened.status_code, ended.status_code) == (204, 204)
    answer = await device.token(grant_type=GrantType.DEVICE_CODE, device_code=codes["device_code"])
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_grant")


async def test_a_token_that_is_revoked_twice_at_once_ends_its_grant_once(
    client: httpx.AsyncClient, population: Population, ended: EndedSessions
) -> None:
    mobile = Application(client, await population.app(), LOOPBACK)
    token = (await mobile.tokens(await population.person(), "openid offline_access"))["refresh_token"]
    answers = await asyncio.gather(*(mobile.call("/identity/revoke", token=token) for _ in range(4)))
    assert [answer.status_code for answer in answers] == [200] * 4
    assert len(await ended.list()) == 1
