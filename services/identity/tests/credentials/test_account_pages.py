"""A known password is changed in the browser."""

import httpx
import pyotp
import pytest
from fastapi import FastAPI
from services.identity.tests.factories import LOOPBACK, PASSWORD, Population
from services.identity.tests.flows import Application, hidden

from identity_service.organisation.domain import Role

PAGE = "/identity/account/password"
NEW = "seven rivers and a ferry"


async def enter(browser: httpx.AsyncClient, username: str, password: str = PASSWORD) -> httpx.Response:
    """Logged in on the way to the page, and there."""
    form = await browser.get(PAGE, follow_redirects=True)
    typed = {**hidden(form), "username": username, "password": password}
    return await browser.post("/identity/login", data=typed, follow_redirects=True)


async def change(
    browser: httpx.AsyncClient, page: httpx.Response, current: str, password: str, **forged: str
) -> httpx.Response:
    typed = {**hidden(page), "current_password": current, "password": password, **forged}
    return await browser.post(PAGE, data=typed, follow_redirects=True)


async def test_who_knows_the_old_password_chooses_a_new_one_and_is_logged_out_everywhere_else(
    app: FastAPI, client: httpx.AsyncClient, population: Population
) -> None:
    person, lianban = await population.person(), await population.app()
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://localhost") as other:
        elsewhere = Application(other, lianban, LOOPBACK)
        there = await elsewhere.tokens(person, "openid offline_access")
        here = Application(client, lianban, LOOPBACK)
        kept = await here.tokens(person, "openid offline_access")
        page = await client.get(PAGE)
        assert "其他设备上的登录将全部退出" in page.text
        done = await change(client, page, PASSWORD, NEW)
        assert (done.url.path, "密码已修改" in done.text) == ("/identity/account", True)
        assert (await other.get("/identity/account")).headers["location"] == "/identity/login"
        assert (await elsewhere.refresh(there["refresh_token"])).status_code == 400
        assert (await here.refresh(kept["refresh_token"])).status_code == 200
    assert "登录密码已更改" in (await client.get("/identity/inbox")).text
    client.cookies.clear()
    assert "用户名或密码不正确" in (await enter(client, person.username)).text
    assert (await enter(client, person.username, NEW)).url.path == PAGE


@pytest.mark.parametrize(
    ("current", "new", "field", "why"),
    [
        ("not the old one", NEW, "current_password", "当前密码不正确"),
        (PASSWORD, PASSWORD, "password", "不能与原密码相同"),
        (PASSWORD, "Password2024!", "password", "过于常见"),
        (PASSWORD, "short", "password", "10 至 128 位"),
    ],
)
async def test_what_is_wrong_is_said_at_its_field_and_changes_nothing(
    client: httpx.AsyncClient, population: Population, current: str, new: str, field: str, why: str
) -> None:
    person = await population.person()
    refused = await change(client, await enter(client, person.username), current, new)
    assert (refused.status_code, why in refused.text) == (422, True)
    assert f'href="#{field}" id="problem"' in refused.text
    assert current not in refused.text
    client.cookies.clear()
    assert (await enter(client, person.username)).url.path == PAGE


async def test_staff_change_theirs_and_are_told_in_their_inbox(
    client: httpx.AsyncClient, population: Population
) -> None:
    officer = await population.staff(Role.CLERK)
    code = pyotp.TOTP(officer.totp_secret).now()
    asked = await enter(client, officer.username)
    page = await client.post(
        "/identity/login/second-factor", data={**hidden(asked), "code": code}, follow_redirects=True
    )
    assert page.url.path == PAGE
    done = await change(client, page, PASSWORD, NEW)
    assert "密码已修改" in done.text
    assert "登录密码已更改" in (await client.get("/identity/inbox")).text


@pytest.mark.usefixtures("still_clock")
async def test_guessing_the_old_password_at_an_open_screen_is_slowed_down(
    client: httpx.AsyncClient, population: Population
) -> None:
    page = await enter(client, (await population.person()).username)
    statuses = [(await change(client, page, "a guess", NEW)).status_code for _ in range(6)]
    assert statuses == [422, 422, 422, 422, 422, 429]


async def test_a_form_of_another_site_or_of_nobody_changes_nothing(
    client: httpx.AsyncClient, population: Population
) -> None:
    person = await population.person()
    page = await enter(client, person.username)
    forged = await change(client, page, PASSWORD, NEW, form_token="0" * 64)
    assert "form_not_ours" in forged.text
    client.cookies.delete("lianban_session")
    assert (await change(client, page, PASSWORD, NEW)).url.path == "/identity/login"
    assert (await enter(client, person.username)).url.path == PAGE
