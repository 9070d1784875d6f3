"""A forgotten password in the browser: two forms, no script, and one answer for everybody."""

import re

import httpx
import pytest
from fastapi import FastAPI
from services.identity.tests.conftest import Clock
from services.identity.tests.factories import Population
from services.identity.tests.flows import hidden
from services.identity.tests.phones import Phone

from identity_service.accounts import handlers as accounts
from identity_service.settings import Settings

FORGOTTEN = "/identity/forgotten-password"
NEW = "seven rivers and a ferry"
UNKNOWN = "19900009999"


async def ask(browser: httpx.AsyncClient, phone: str) -> httpx.Response:
    """For a code; the page on which it is entered."""
    first = await browser.get(FORGOTTEN)
    return await browser.post(f"{FORGOTTEN}/code", data={**hidden(first), "phone": phone})


async def enter(browser: httpx.AsyncClient, page: httpx.Response, **typed: str) -> httpx.Response:
    return await browser.post(FORGOTTEN, data={**hidden(page), "password": NEW, **typed})


@pytest.fixture
def phone(app: FastAPI, settings: Settings, clock: Clock) -> Phone:
    return Phone(app, settings, clock)


def without_secrets(page: httpx.Response) -> str:
    """What a page says, without tokens, and without the number that was typed."""
    return re.sub(r'value="[^"]*"|1990000\d{4}|1990\d{7}', "", page.text)


async def test_a_verified_person_resets_the_password_with_code_and_document(
    client: httpx.AsyncClient, population: Population, phone: Phone
) -> None:
    person = await population.person()
    page = await ask(client, person.phone)
    code = await phone.code()
    refused = await enter(client, page, code=code)
    assert refused.status_code == 422
    assert "证件号码后四位" in refused.text
    tail = person.id_number[-4:]
    unsuitable = await enter(client, refused, code=code, id_number_tail=tail, password="short")
    assert 'href="#password" id="problem"' in unsuitable.text
    assert f'value="{tail}"' in unsuitable.text
    done = await enter(client, unsuitable, code=code, id_number_tail=tail.lower())
    page = await client.get(done.headers["location"], follow_redirects=True)
    assert "密码已重置" in page.text
    typed = {**hidden(page), "username": person.username, "password": NEW}
    entered = await client.post("/identity/login", data=typed, follow_redirects=True)
    assert "您已登录" in entered.text


@pytest.mark.usefixtures("still_clock")
async def test_known_and_unknown_phones_get_the_same_pages(
    client: httpx.AsyncClient, population: Population, phone: Phone
) -> None:
    person = await population.person()
    known, unknown = await ask(client, person.phone), await ask(client, UNKNOWN)
    assert (known.status_code, unknown.status_code) == (200, 200)
    assert without_secrets(known) == without_secrets(unknown)
    assert len(await phone.texts()) == 1
    tries = [await enter(client, page, code="000000", id_number_tail="0000") for page in (known, unknown)]
    assert [one.status_code for one in tries] == [422, 422]
    assert without_secrets(tries[0]) == without_secrets(tries[1])
    slowed = [await ask(client, number) for number in (person.phone, UNKNOWN)]
    assert [one.status_code for one in slowed] == [429, 429]
    assert without_secrets(slowed[0]) == without_secrets(slowed[1])


async def test_refusing_an_unknown_phone_hashes_nothing_more_than_a_known_one(
    client: httpx.AsyncClient, population: Population, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A hash is the one thing that takes long enough to be told apart from afar."""
    hashed: list[str] = []

    async def count(password: str, *, username: str) -> str:
        hashed.append(username)
        return ""

    monkeypatch.setattr(accounts, "prepare_password", count)
    person = await population.person()
    for number in (person.phone, UNKNOWN):
        assert (await enter(client, await ask(client, number), code="000000")).status_code == 422
    assert hashed == []


@pytest.mark.usefixtures("still_clock")
async def test_many_tries_are_slowed_down(client: httpx.AsyncClient, population: Population) -> None:
    person = await population.person()
    page = await ask(client, person.phone)
    answers = [await enter(client, page, code="000000") for _ in range(6)]
    assert [one.status_code for one in answers] == [422] * 5 + [429]
    assert int(answers[-1].headers["retry-after"]) > 0


async def test_a_wrong_number_and_a_foreign_form_are_refused(client: httpx.AsyncClient) -> None:
    refused = await ask(client, "12")
    assert refused.status_code == 422
    assert 'href="#phone" id="problem"' in refused.text
    for path in (FORGOTTEN, f"{FORGOTTEN}/code"):
        forged = {"form_token": "0" * 64, "phone": UNKNOWN, "code": "1", "password": NEW}
        assert "form_not_ours" in (await client.post(path, data=forged)).text
