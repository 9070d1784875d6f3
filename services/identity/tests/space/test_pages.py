"""My account in the browser."""

import re
from collections.abc import AsyncIterator

import httpx
import pytest
from fastapi import FastAPI
from services.identity.tests.factories import CALLBACK, LOOPBACK, PASSWORD, Citizen, Population
from services.identity.tests.flows import Application, hidden
from sqlalchemy import select

from identity_service.db import Transactions
from identity_service.oidc.models import Consent
from identity_service.organisation.domain import Role
from identity_service.sessions.models import LoginSession

ACCOUNT = "/identity/account"
END, WITHDRAW = f"{ACCOUNT}/sessions/end", f"{ACCOUNT}/consents/withdraw"
OTHERS = f"{ACCOUNT}/sessions/end-others"


@pytest.fixture
async def other_browser(app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as browser:
        yield browser


async def enter(browser: httpx.AsyncClient, who: Citizen) -> httpx.Response:
    """Logged in, at the account page."""
    page = await browser.get("/identity/login", follow_redirects=True)
    typed = {**hidden(page), "username": who.username, "password": PASSWORD}
    return await browser.post("/identity/login", data=typed, follow_redirects=True)


def form_of(page: httpx.Response, path: str) -> dict[str, str]:
    """The hidden fields of the one form that goes there."""
    _, form = page.text.split(f'action="{path}">')
    return dict(re.findall(r'type="hidden" name="([^"]+)" value="([^"]*)"', form.split("</form>")[0]))


async def test_a_person_sees_masked_facts_and_nothing_in_clear(
    client: httpx.AsyncClient, population: Population
) -> None:
    person = await population.person()
    page = await enter(client, person)
    assert page.url.path == ACCOUNT
    assert "二级：实名" in page.text
    assert person.username in page.text
    for secret in (person.name, person.id_number, person.phone):
        assert secret not in page.text


async def test_another_browser_is_logged_out(
    client: httpx.AsyncClient, other_browser: httpx.AsyncClient, population: Population
) -> None:
    person = await population.person()
    await enter(other_browser, person)
    page = await enter(client, person)
    done = await client.post(END, data=form_of(page, END), follow_redirects=True)
    assert "该设备已退出登录" in done.text
    assert END not in done.text  # this browser alone is left, and has its log-out
    assert (await other_browser.get(ACCOUNT)).headers["location"] == "/identity/login"


async def test_all_other_browsers_and_apps_are_logged_out_at_once(
    client: httpx.AsyncClient, other_browser: httpx.AsyncClient, population: Population
) -> None:
    person = await population.person()
    lianban = await population.app()
    elsewhere = Application(other_browser, lianban, LOOPBACK)
    there = await elsewhere.tokens(person, "openid offline_access")
    here = Application(client, lianban, LOOPBACK)
    kept = await here.tokens(person, "openid offline_access")
    page = await client.get(ACCOUNT)
    done = await client.post(OTHERS, data=form_of(page, OTHERS), follow_redirects=True)
    assert "其他设备均已退出登录" in done.text
    assert OTHERS not in done.text
    assert (await other_browser.get(ACCOUNT)).headers["location"] == "/identity/login"
    assert (await elsewhere.refresh(there["refresh_token"])).status_code == 400
    assert (await here.refresh(kept["refresh_token"])).status_code == 200


async def test_a_session_has_the_names_of_its_applications_and_is_called_after_them_if_need_be(
    client: httpx.AsyncClient, other_browser: httpx.AsyncClient, population: Population
) -> None:
    person = await population.person()
    lianban = await population.app(name="联办手机应用")
    await Application(other_browser, lianban, LOOPBACK).tokens(person, "openid")
    page = await enter(client, person)
    assert "<strong>联办手机应用</strong>" in page.text
    assert "已登录的应用：联办手机应用" in page.text
    assert lianban.client_id not in page.text


async def test_a_consent_is_withdrawn(
    client: httpx.AsyncClient, population: Population, transactions: Transactions
) -> None:
    person = await population.person()
    partner = Application(client, await population.client(), CALLBACK)
    tokens = await partner.tokens(person, "openid profile offline_access")
    page = await client.get(ACCOUNT)
    assert "示例应用" in page.text
    done = await client.post(WITHDRAW, data=form_of(page, WITHDRAW), follow_redirects=True)
    assert "授权已撤回" in done.text
    assert "您没有授权任何应用" in done.text
    assert (await partner.refresh(tokens["refresh_token"])).json()["error"] == "invalid_grant"
    async with transactions() as session:
        assert (await session.scalars(select(Consent))).all() == []


async def test_nobody_ends_the_session_of_somebody_else(
    client: httpx.AsyncClient,
    other_browser: httpx.AsyncClient,
    population: Population,
    transactions: Transactions,
) -> None:
    await enter(other_browser, await population.person(1))
    async with transactions() as session:
        foreign = (await session.scalars(select(LoginSession.id))).one()
    person = await population.person()
    await enter(client, person)
    partner = Application(client, await population.client(), CALLBACK)
    await partner.tokens(person, "openid")
    ours = form_of(await client.get(ACCOUNT), WITHDRAW)
    refused = await client.post(END, data={"form_token": ours["form_token"], "session_id": str(foreign)})
    assert "no_such_session" in refused.text
    assert (await other_browser.get(ACCOUNT)).status_code == 200


@pytest.mark.parametrize("path", [END, OTHERS, WITHDRAW])
async def test_a_form_of_another_site_does_nothing(
    client: httpx.AsyncClient,
    other_browser: httpx.AsyncClient,
    population: Population,
    transactions: Transactions,
    path: str,
) -> None:
    person = await population.person()
    partner = Application(client, await population.client(), CALLBACK)
    await partner.tokens(person, "openid")
    await enter(other_browser, person)
    shown = form_of(await client.get(ACCOUNT), path)
    refused = await client.post(path, data={**shown, "form_token": "0" * 64})
    assert "页面已失效" in refused.text
    async with transactions() as session:
        assert len((await session.scalars(select(Consent))).all()) == 1
        ended = (await session.scalars(select(LoginSession.ended_at))).all()
    assert ended == [None, None]


async def test_staff_see_where_they_are_logged_in(client: httpx.AsyncClient, population: Population) -> None:
    officer = await population.staff(Role.CLERK)
    app = Application(client, await population.app(), "http://127.0.0.1:1/callback")
    await app.tokens(officer, "openid")
    page = await client.get(ACCOUNT, headers={"accept-language": "en"})
    assert officer.username in page.text
    assert "This browser" in page.text
    assert "Applications with access" not in page.text


async def test_who_is_not_logged_in_is_led_to_the_log_in(client: httpx.AsyncClient) -> None:
    page = await client.get(ACCOUNT, follow_redirects=True)
    assert page.url.path == "/identity/login"
    assert (await client.get(f"{ACCOUNT}?done=everything")).status_code == 422
