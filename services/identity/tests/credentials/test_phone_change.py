"""Another phone number: who knows the password and holds the number, on a page and over the API."""

import httpx
import pytest
from fastapi import FastAPI
from services.identity.tests.conftest import Clock
from services.identity.tests.factories import PASSWORD, Citizen, Population, Tokens, sent_texts
from services.identity.tests.flows import hidden
from services.identity.tests.phones import Phone

from identity_service.settings import Settings

PAGE = "/identity/account/phone"
API = "/identity/v1/me/phone"
NEW = "19900008888"


@pytest.fixture
def phone(app: FastAPI, settings: Settings, clock: Clock) -> Phone:
    return Phone(app, settings, clock)


async def enter(browser: httpx.AsyncClient, name: str) -> httpx.Response:
    form = await browser.get(PAGE, follow_redirects=True)
    typed = {**hidden(form), "username": name, "password": PASSWORD}
    return await browser.post("/identity/login", data=typed, follow_redirects=True)


async def ask(browser: httpx.AsyncClient, number: str = NEW) -> httpx.Response:
    first = await browser.get(PAGE)
    return await browser.post(f"{PAGE}/code", data={**hidden(first), "phone": number})


async def change(
    browser: httpx.AsyncClient, page: httpx.Response, code: str, password: str = PASSWORD, **forged: str
) -> httpx.Response:
    typed = {**hidden(page), "code": code, "password": password, **forged}
    return await browser.post(PAGE, data=typed, follow_redirects=True)


async def test_the_new_number_logs_in_the_old_one_no_longer_and_is_told(
    client: httpx.AsyncClient, population: Population, phone: Phone, settings: Settings
) -> None:
    person = await population.person()
    assert (await enter(client, person.phone)).url.path == PAGE
    page = await ask(client)
    code = await phone.code()
    guess = await change(client, page, code, "a guess")
    assert (guess.status_code, 'href="#password" id="problem"' in guess.text) == (422, True)
    wrong = await change(client, page, "000000" if code != "000000" else "111111")
    assert (wrong.status_code, 'href="#code" id="problem"' in wrong.text) == (422, True)
    done = await change(client, page, code)
    assert (done.url.path, "手机号已更换" in done.text) == ("/identity/account", True)
    assert "尾号 8888" in (await client.get("/identity/inbox")).text
    await phone.texts()
    assert settings.sms_outbox_file
    told = [one["text"] for one in sent_texts(settings.sms_outbox_file) if one["to"] == person.phone]
    assert "尾号 8888" in told[-1]
    client.cookies.clear()
    assert "用户名或密码不正确" in (await enter(client, person.phone)).text
    assert (await enter(client, NEW)).url.path == PAGE
    assert (await change(client, await ask(client), code)).status_code in (422, 429)


async def test_a_number_that_has_an_account_is_refused_to_who_holds_it(
    client: httpx.AsyncClient, population: Population, phone: Phone
) -> None:
    person, neighbour = await population.person(), await population.person(1)
    await enter(client, person.username)
    page = await ask(client, neighbour.phone)
    assert "6 位验证码已发送" in page.text
    refused = await change(client, page, await phone.code())
    assert (refused.status_code, "该手机号已注册" in refused.text) == (422, True)
    client.cookies.clear()
    assert (await enter(client, neighbour.phone)).url.path == PAGE


@pytest.mark.parametrize("number", ["12345", "+1 555 123 4567"])
async def test_what_is_no_number_is_asked_for_again(
    client: httpx.AsyncClient, population: Population, number: str
) -> None:
    await enter(client, (await population.person()).username)
    again = await ask(client, number)
    assert (again.status_code, 'href="#phone" id="problem"' in again.text) == (422, True)


async def test_a_form_of_another_site_changes_nothing(
    client: httpx.AsyncClient, population: Population, phone: Phone
) -> None:
    person = await population.person()
    await enter(client, person.username)
    page = await ask(client)
    assert "form_not_ours" in (await change(client, page, await phone.code(), form_token="0" * 64)).text
    client.cookies.clear()
    assert (await enter(client, person.phone)).url.path == PAGE


async def code_for(client: httpx.AsyncClient, phone: Phone, purpose: str) -> str:
    body = {"phone": NEW, "purpose": purpose}
    assert (await client.post("/identity/v1/phone-codes", json=body)).status_code == 202
    return await phone.code()


async def test_an_app_changes_it_as_well_with_a_code_for_this_and_nothing_else(
    client: httpx.AsyncClient, population: Population, tokens: Tokens, phone: Phone
) -> None:
    person: Citizen = await population.person()
    headers = tokens.person(person)
    body = {"phone": NEW, "code": await code_for(client, phone, "SIGN_UP"), "password": PASSWORD}
    other = await client.post(API, json=body, headers=headers)
    assert (other.status_code, other.json()["code"]) == (422, "wrong_phone_code")
    body["code"] = await code_for(client, phone, "PHONE_CHANGE")
    assert (await client.post(API, json=body, headers=headers)).status_code == 204
    assert (await client.post(API, json=body, headers=headers)).json()["code"] == "wrong_phone_code"
    assert (await enter(client, NEW)).url.path == PAGE
