"""Signing up in the browser: two forms, no script."""

import re

import httpx
import pytest
from fastapi import FastAPI
from services.identity.tests.conftest import Clock
from services.identity.tests.factories import CALLBACK, PASSWORD, Population
from services.identity.tests.flows import Application, hidden
from services.identity.tests.phones import Phone
from sqlalchemy import select

from identity_service.accounts.models import Account
from identity_service.db import Transactions
from identity_service.settings import Settings

SIGN_UP = "/identity/sign-up"
PHONE = "19900007777"


class Newcomer:
    """Somebody without an account, with a phone."""

    def __init__(self, browser: httpx.AsyncClient, phone: Phone) -> None:
        self.browser = browser
        self.phone = phone

    async def ask(self, phone: str = PHONE, path: str = SIGN_UP) -> httpx.Response:
        """For a code; the page on which it is entered."""
        first = await self.browser.get(path)
        return await self.browser.post(f"{SIGN_UP}/code", data={**hidden(first), "phone": phone})

    async def enter(self, page: httpx.Response, **typed: str) -> httpx.Response:
        wish = {"username": "li.newcomer", "password": PASSWORD, **typed}
        return await self.browser.post(SIGN_UP, data={**hidden(page), **wish})


@pytest.fixture
def newcomer(client: httpx.AsyncClient, app: FastAPI, settings: Settings, clock: Clock) -> Newcomer:
    return Newcomer(client, Phone(app, settings, clock))


async def test_somebody_signs_up_and_goes_on_to_the_application_that_sent_them(
    newcomer: Newcomer, population: Population
) -> None:
    partner = Application(newcomer.browser, await population.client(), CALLBACK)
    log_in = await partner.begin()
    way = re.search(r'href="(/identity/sign-up[^"]*)"', log_in.text)
    assert way
    page = await newcomer.ask(path=way[1])
    assert PHONE in page.text
    assert "验证码已发送" in page.text
    done = await partner.follow(await newcomer.enter(page, code=await newcomer.phone.code()))
    assert "注册成功" in done.text
    assert "示例应用" in done.text
    typed = {"username": "li.newcomer", "password": PASSWORD}
    consent = await partner.post("/identity/login", done, **typed)
    assert 'action="/identity/consent"' in consent.text


async def test_what_was_typed_stays_when_the_user_name_is_taken(
    newcomer: Newcomer, population: Population
) -> None:
    await population.person(username="li.newcomer")
    page = await newcomer.ask()
    code = await newcomer.phone.code()
    taken = await newcomer.enter(page, code=code)
    assert taken.status_code == 422
    assert "该用户名已被使用" in taken.text
    assert 'href="#username" id="problem"' in taken.text
    assert f'value="{code}"' in taken.text
    assert PASSWORD not in taken.text
    assert (await newcomer.enter(taken, code=code, username="li.second")).status_code == 303


@pytest.mark.parametrize(
    ("typed", "field"),
    [
        ({"code": "000000"}, "code"),
        ({"password": "short"}, "password"),
        ({"password": "Password2024!"}, "password"),
        ({"username": "1"}, "username"),
        ({"phone": "12"}, "phone"),
    ],
)
async def test_the_page_leads_to_the_field_that_is_wrong(
    newcomer: Newcomer, transactions: Transactions, typed: dict[str, str], field: str
) -> None:
    page = await newcomer.ask()
    right = {"code": await newcomer.phone.code()}
    if typed == {"code": right["code"]}:
        typed = {"code": "000001"}
    refused = await newcomer.enter(page, **{**right, **typed})
    assert refused.status_code == 422
    assert f'href="#{field}" id="problem"' in refused.text
    assert f'id="{field}"' in refused.text
    async with transactions() as session:
        assert (await session.scalars(select(Account))).all() == []


async def test_a_phone_that_has_an_account_is_told_so_only_to_who_holds_it(
    newcomer: Newcomer, population: Population
) -> None:
    person = await population.person()
    page = await newcomer.ask(person.phone)
    assert "验证码已发送" in page.text
    refused = await newcomer.enter(page, code="000000")
    assert "该手机号" not in refused.text
    refused = await newcomer.enter(page, code=await newcomer.phone.code())
    assert refused.status_code == 422
    assert 'href="#phone" id="problem"' in refused.text


async def test_a_code_that_was_sent_can_still_be_entered_when_the_next_comes_too_soon(
    newcomer: Newcomer,
) -> None:
    await newcomer.ask()
    slowed = await newcomer.ask()
    assert slowed.status_code == 429
    assert int(slowed.headers["retry-after"]) > 0
    assert (await newcomer.enter(slowed, code=await newcomer.phone.code())).status_code == 303


async def test_a_form_of_another_site_sends_no_code(
    newcomer: Newcomer,
) -> None:
    await newcomer.browser.get(SIGN_UP)
    for path in (SIGN_UP, f"{SIGN_UP}/code"):
        forged = {"form_token": "0" * 64, "phone": PHONE, "code": "1", "username": "x", "password": "y"}
        refused = await newcomer.browser.post(path, data=forged)
        assert "form_not_ours" in refused.text
    assert await newcomer.phone.texts() == []


async def test_without_a_way_to_send_texts_the_page_says_so(app: FastAPI, newcomer: Newcomer) -> None:
    app.state.sms_sender = None
    refused = await newcomer.ask()
    assert refused.status_code == 503
    assert refused.headers["content-type"].startswith("text/html")
