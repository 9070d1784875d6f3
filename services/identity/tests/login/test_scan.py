"""Scan to log in: a browser without a client is let in by the app, or by another browser."""

import asyncio
import re
from collections.abc import AsyncIterator

import httpx
import pytest
from fastapi import FastAPI
from services.identity.tests.conftest import Clock
from services.identity.tests.factories import LOOPBACK, PASSWORD, Citizen, Officer, Population, Tokens
from services.identity.tests.flows import Application, claims_of, hidden
from sqlalchemy import select

from identity_service.accounts.models import Account
from identity_service.db import Transactions
from identity_service.organisation.domain import Role
from identity_service.pages import cookies
from identity_service.sessions.models import LoginSession
from service_common.crypto import KeyRing

SCAN = "/identity/login/scan"
DEVICE = "/identity/device"
FIREFOX = {"user-agent": "Mozilla/5.0 (Windows NT 10.0) Gecko/20100101 Firefox/140.0"}


@pytest.fixture
async def phone(app: FastAPI, population: Population) -> AsyncIterator[Application]:
    """The platform's app on somebody's phone."""
    transport = httpx.ASGITransport(app, client=("198.51.100.9", 4000), raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as browser:
        yield Application(browser, await population.app(), LOOPBACK)


async def headers_of(phone: Application, who: Citizen | Officer) -> dict[str, str]:
    tokens = await phone.tokens(who, "openid identity:devices.approve")
    return {"Authorization": f"Bearer {tokens['access_token']}"}


async def wait_for_scan(browser: httpx.AsyncClient, page: httpx.Response | None = None) -> httpx.Response:
    """The page with the code."""
    page = page or await browser.get("/identity/login", follow_redirects=True)
    form = page.text.split(f'action="{SCAN}"')[1]
    fields = dict(re.findall(r'type="hidden" name="([^"]+)" value="([^"]*)"', form))
    return await browser.post(SCAN, data=fields, headers=FIREFOX, follow_redirects=True)


def code_on(page: httpx.Response) -> str:
    found = re.search(r'class="code">([A-Z-]{9})<', page.text)
    assert found
    return found[1]


def at(page: httpx.Response, action: str = "") -> str:
    return f"/identity/v1/me/device-authorizations/{code_on(page)}{action}"


async def test_a_browser_is_let_in_by_the_app_and_goes_on_to_its_application(
    client: httpx.AsyncClient, phone: Application, population: Population
) -> None:
    person = await population.person()
    lianban = Application(client, phone.client, LOOPBACK)
    page = await wait_for_scan(client, await lianban.begin())
    assert 'http-equiv="refresh"' in page.text
    assert "<svg" in page.text
    assert "script-src 'self'; connect-src 'self'" in page.headers["content-security-policy"]
    state = re.search(r'data-state="([^"]+)"', page.text)
    assert state
    assert (await client.get(state[1])).json() == {"status": "PENDING"}

    headers = await headers_of(phone, person)
    shown = (await phone.browser.get(at(page), headers=headers)).json()
    assert (shown["kind"], shown["browser"], shown["address"]) == (
        "BROWSER",
        "Firefox · Windows",
        "127.0.0.1",
    )
    assert shown["scopes"] == []
    assert (await phone.browser.post(at(page, "/approve"), headers=headers)).status_code == 204
    assert (await client.get(state[1])).json() == {"status": "APPROVED"}
    done = await lianban.follow(await client.get(page.url, headers=FIREFOX))
    assert done.headers["location"].startswith(f"{LOOPBACK}?code=")
    code = done.headers["location"].split("code=")[1].split("&")[0]
    tokens = (await lianban.exchange(code)).json()
    assert claims_of(tokens["access_token"])["sub"] == str(person.id)
    account = await client.get("/identity/account")
    assert "Firefox · Windows" in account.text


async def test_another_browser_approves_after_it_was_told_who_asks(
    client: httpx.AsyncClient, phone: Application, population: Population
) -> None:
    await phone.tokens(await population.person(), "openid")
    page = await wait_for_scan(client)
    confirm = await phone.browser.get(f"{DEVICE}?user_code={code_on(page)}")
    assert "浏览器“Firefox · Windows”请求以您的身份登录" in confirm.text
    assert "127.0.0.1" in confirm.text
    assert code_on(page) in confirm.text
    done = await phone.browser.post(DEVICE, data={**hidden(confirm), "decision": "allow"})
    assert "已同意登录" in done.text
    entered = await client.get(page.url, follow_redirects=True)
    assert "您已登录" in entered.text


async def test_whoever_was_let_in_and_has_not_come_is_logged_out_with_all_others(
    client: httpx.AsyncClient, phone: Application, population: Population, tokens: Tokens
) -> None:
    person = await population.person()
    page = await wait_for_scan(client)
    approved = await phone.browser.post(at(page, "/approve"), headers=await headers_of(phone, person))
    assert approved.status_code == 204
    ended = await phone.browser.post("/identity/v1/me/sessions/end-others", headers=tokens.person(person))
    assert ended.status_code == 204
    late = await client.get(page.url, follow_redirects=True)
    assert "lianban_session" not in client.cookies
    assert "您已登录" not in late.text


async def test_staff_are_let_in_with_the_factors_that_they_showed_elsewhere(
    client: httpx.AsyncClient, phone: Application, population: Population, transactions: Transactions
) -> None:
    officer = await population.staff(Role.CLERK)
    page = await wait_for_scan(client)
    await phone.browser.post(at(page, "/approve"), headers=await headers_of(phone, officer))
    assert "您已登录" in (await client.get(page.url, follow_redirects=True)).text
    async with transactions() as session:
        methods = (await session.scalars(select(LoginSession.methods))).all()
    assert methods == [["pwd", "otp", "mfa"]] * 2


async def test_only_the_browser_that_showed_the_code_gets_in_and_only_once(
    app: FastAPI, client: httpx.AsyncClient, phone: Application, population: Population
) -> None:
    page = await wait_for_scan(client)
    headers = await headers_of(phone, await population.person())
    await phone.browser.post(at(page, "/approve"), headers=headers)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://localhost") as thief:
        await thief.get("/identity/login", follow_redirects=True)
        assert "interaction_gone" in (await thief.get(page.url)).text
    await client.get(page.url, follow_redirects=True)
    assert "interaction_gone" in (await client.get(page.url)).text
    denied = await phone.browser.post(at(page, "/deny"), headers=headers)
    assert denied.status_code == 404


async def test_a_browser_that_asks_several_times_at_once_gets_its_one_session_by_each_answer(
    app: FastAPI,
    client: httpx.AsyncClient,
    phone: Application,
    population: Population,
    transactions: Transactions,
) -> None:
    person = await population.person()
    page = await wait_for_scan(client)
    approved = await phone.browser.post(at(page, "/approve"), headers=await headers_of(phone, person))
    assert approved.status_code == 204
    browser = client.cookies["lianban_browser"]

    async def ask() -> httpx.Response:
        """As a browser does that has not read the other answers yet."""
        async with httpx.AsyncClient(
            transport=httpx.ASGITransport(app), base_url="http://localhost"
        ) as window:
            window.cookies.set("lianban_browser", browser)
            return await window.get(page.url)

    answers = await asyncio.gather(*(ask() for _ in range(3)))
    assert {answer.status_code for answer in answers} == {303}
    assert len({answer.cookies["lianban_session"] for answer in answers}) == 1
    async with transactions() as session:
        let_in = (await session.scalars(select(LoginSession).where(LoginSession.is_let_in))).all()
    assert len(let_in) == 1
    client.cookies.set("lianban_session", answers[2].cookies["lianban_session"])
    account = await client.get(answers[2].headers["location"], follow_redirects=True)
    assert "您已登录" in account.text


async def test_who_lets_a_browser_in_twice_at_once_is_told_twice_that_it_is_in(
    client: httpx.AsyncClient, phone: Application, population: Population
) -> None:
    person, somebody_else = await population.person(), await population.person(1)
    page = await wait_for_scan(client)
    headers = await headers_of(phone, person)
    confirm = await phone.browser.get(f"{DEVICE}?user_code={code_on(page)}")
    answers = await asyncio.gather(
        *(phone.browser.post(DEVICE, data={**hidden(confirm), "decision": "allow"}) for _ in range(2)),
        *(phone.browser.post(at(page, "/approve"), headers=headers) for _ in range(2)),
    )
    assert [answer.status_code for answer in answers] == [200, 200, 204, 204]
    assert all("已同意登录" in answer.text for answer in answers[:2])
    phone.browser.cookies.clear()
    others = await headers_of(phone, somebody_else)
    assert (await phone.browser.post(at(page, "/approve"), headers=others)).status_code == 404


async def test_a_browser_that_was_let_in_lets_in_no_other_until_somebody_logs_in_there(
    *,
    app: FastAPI,
    client: httpx.AsyncClient,
    phone: Application,
    population: Population,
    ring: KeyRing,
) -> None:
    person = await population.person()
    page = await wait_for_scan(client)
    await phone.browser.post(at(page, "/approve"), headers=await headers_of(phone, person))
    assert "您已登录" in (await client.get(page.url, follow_redirects=True)).text
    assert "/identity/login?onward=passkeys&amp;again=true" in (await client.get("/identity/passkeys")).text
    passkeys = cookies.form_token(ring, client.cookies["lianban_browser"], "passkeys")
    fresh = await client.post("/identity/passkeys/options", data={"form_token": passkeys})
    assert "log_in_again" in fresh.text

    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://localhost") as third:
        waits = await wait_for_scan(third)
        told = await client.get(f"{DEVICE}?user_code={code_on(waits)}")
        assert (told.status_code, "本设备是通过扫码登录的" in told.text) == (403, True)
        assert "Firefox" not in told.text
        own = await headers_of(Application(client, phone.client, LOOPBACK), person)
        refused = await client.post(at(waits, "/approve"), headers=own)
        assert (refused.status_code, refused.json()["code"]) == (403, "let_in_by_scanning")

        again = re.search(r'href="(/identity/device/login[^"]+)"', told.text)
        assert again
        form = await client.get(again[1], follow_redirects=True)
        typed = {**hidden(form), "username": person.username, "password": PASSWORD}
        confirm = await client.post("/identity/login", data=typed, follow_redirects=True)
        done = await client.post(DEVICE, data={**hidden(confirm), "decision": "allow"})
        assert "已同意登录" in done.text
        assert "您已登录" in (await third.get(waits.url, follow_redirects=True)).text


async def test_who_refuses_or_waits_too_long_lets_nobody_in(
    client: httpx.AsyncClient, phone: Application, population: Population, clock: Clock
) -> None:
    headers = await headers_of(phone, await population.person())
    page = await wait_for_scan(client)
    await phone.browser.post(at(page, "/deny"), headers=headers)
    refused = await client.get(page.url)
    assert "已失效或被拒绝" in refused.text
    assert 'http-equiv="refresh"' not in refused.text

    page = await wait_for_scan(client, refused)
    await phone.browser.post(at(page, "/approve"), headers=headers)
    clock.pass_(minutes=4)
    assert "已失效或被拒绝" in (await client.get(page.url)).text


async def test_a_new_code_is_worth_all_and_the_one_before_nothing(
    client: httpx.AsyncClient, phone: Application, population: Population
) -> None:
    headers = await headers_of(phone, await population.person())
    log_in = await client.get("/identity/login", follow_redirects=True)
    first = await wait_for_scan(client, log_in)
    second = await wait_for_scan(client, log_in)
    assert (await phone.browser.post(at(first, "/approve"), headers=headers)).status_code == 404
    assert (await phone.browser.post(at(second, "/approve"), headers=headers)).status_code == 204


async def test_a_scan_is_no_fresh_log_in(
    *,
    client: httpx.AsyncClient,
    phone: Application,
    population: Population,
    clock: Clock,
    ring: KeyRing,
) -> None:
    person = await population.person()
    lianban = Application(client, phone.client, LOOPBACK)
    asked = await lianban.begin(prompt="login")
    assert SCAN not in asked.text
    refused = await client.post(SCAN, data=hidden(asked))
    assert (refused.status_code, "scan_not_offered" in refused.text) == (403, True)

    await phone.tokens(person, "openid")
    clock.pass_(minutes=20)
    page = await wait_for_scan(client)
    confirm = await phone.browser.get(f"{DEVICE}?user_code={code_on(page)}")
    await phone.browser.post(DEVICE, data={**hidden(confirm), "decision": "allow"})
    assert "您已登录" in (await client.get(page.url, follow_redirects=True)).text
    assert "/identity/login" in (await lianban.begin(max_age="600")).text
    assert "/identity/login?onward=passkeys&amp;again=true" in (await client.get("/identity/passkeys")).text
    passkeys = cookies.form_token(ring, client.cookies["lianban_browser"], "passkeys")
    again = await client.post("/identity/passkeys/options", data={"form_token": passkeys})
    assert "log_in_again" in again.text


async def test_an_account_that_was_closed_meanwhile_does_not_get_in(
    client: httpx.AsyncClient, phone: Application, population: Population, transactions: Transactions
) -> None:
    person = await population.person()
    page = await wait_for_scan(client)
    await phone.browser.post(at(page, "/approve"), headers=await headers_of(phone, person))
    async with transactions() as session:
        (await session.get_one(Account, person.id)).is_active = False
    refused = await client.get(page.url)
    assert "interaction_gone" in refused.text
    assert "lianban_session" not in refused.headers.get("set-cookie", "")


async def test_a_form_of_another_site_asks_for_no_code(client: httpx.AsyncClient) -> None:
    page = await client.get("/identity/login", follow_redirects=True)
    forged = {**hidden(page), "form_token": "0" * 64}
    assert "form_not_ours" in (await client.post(SCAN, data=forged)).text
    assert "interaction_gone" in (await client.get(f"{SCAN}?interaction={forged['interaction']}")).text
