"""Staff change to another authenticator in the browser."""

import html
import re

import httpx
import pyotp
import pytest
from services.identity.tests.conftest import Clock
from services.identity.tests.factories import PASSWORD, Officer, Population
from services.identity.tests.flows import hidden

from identity_service.organisation.domain import Role

PAGE = "/identity/account/second-factor"


async def enter(browser: httpx.AsyncClient, who: Officer, code: str, address: str = PAGE) -> httpx.Response:
    """Logged in on the way to the page."""
    form = await browser.get(address, follow_redirects=True)
    typed = {**hidden(form), "username": who.username, "password": PASSWORD}
    asked = await browser.post("/identity/login", data=typed, follow_redirects=True)
    shown = {**hidden(asked), "code": code}
    return await browser.post("/identity/login/second-factor", data=shown, follow_redirects=True)


async def change(
    browser: httpx.AsyncClient, page: httpx.Response, code: str, **forged: str
) -> httpx.Response:
    typed = {**hidden(page), "code": code, **forged}
    return await browser.post(PAGE, data=typed, follow_redirects=True)


def code_of(secret: str, clock: Clock) -> str:
    return pyotp.TOTP(secret).at(clock.now())


async def test_the_new_authenticator_opens_the_account_and_the_old_one_no_longer(
    client: httpx.AsyncClient, population: Population, clock: Clock
) -> None:
    officer = await population.staff(Role.CLERK)
    page = await enter(client, officer, code_of(officer.totp_secret, clock))
    assert (page.url.path, "<svg" in page.text) == (PAGE, True)
    secret = hidden(page)["secret"]
    assert re.fullmatch(r"[A-Z2-7]{32}", secret)
    wrong = await change(client, page, "000000")
    assert (wrong.status_code, hidden(wrong)["secret"]) == (422, secret)
    done = await change(client, wrong, code_of(secret, clock))
    assert (done.url.path, "动态口令已更换" in done.text) == ("/identity/account", True)
    assert "动态口令已更换" in (await client.get("/identity/inbox")).text
    client.cookies.clear()
    clock.pass_(seconds=60)  # each code works once
    old = await enter(client, officer, code_of(officer.totp_secret, clock))
    assert "动态口令不正确" in old.text
    assert (await enter(client, officer, code_of(secret, clock))).url.path == PAGE


async def test_an_old_log_in_is_asked_for_a_new_one_and_comes_back(
    client: httpx.AsyncClient, population: Population, clock: Clock
) -> None:
    officer = await population.staff(Role.CLERK)
    page = await enter(client, officer, code_of(officer.totp_secret, clock))
    clock.pass_(minutes=16)
    late = await change(client, page, code_of(hidden(page)["secret"], clock))
    assert (late.url.path, late.url.params.get("interaction") is not None) == ("/identity/login", True)
    passkeys = await client.get("/identity/passkeys")
    again = re.search(r'href="(/identity/login[?]onward=passkeys[^"]*)"', passkeys.text)
    assert again
    code = code_of(officer.totp_secret, clock)
    back = await enter(client, officer, code, html.unescape(again[1]))
    assert (back.url.path, 'action="/identity/passkeys"' in back.text) == ("/identity/passkeys", True)
    assert (await client.get(PAGE)).status_code == 200


@pytest.mark.parametrize("forged", [{"form_token": "0" * 64}, {"secret": "A" * 32}])
async def test_nobody_else_chooses_the_seed(
    client: httpx.AsyncClient, population: Population, clock: Clock, forged: dict[str, str]
) -> None:
    officer = await population.staff(Role.CLERK)
    page = await enter(client, officer, code_of(officer.totp_secret, clock))
    secret = forged.get("secret", hidden(page)["secret"])
    refused = await change(client, page, code_of(secret, clock), **forged)
    assert "form_not_ours" in refused.text


async def test_persons_have_no_second_factor_to_change(
    client: httpx.AsyncClient, population: Population
) -> None:
    person = await population.person()
    form = await client.get(PAGE, follow_redirects=True)
    typed = {**hidden(form), "username": person.username, "password": PASSWORD}
    entered = await client.post("/identity/login", data=typed, follow_redirects=True)
    assert entered.url.path == "/identity/account"
    assert PAGE not in entered.text
