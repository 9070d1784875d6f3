"""Closing one's account in the browser."""

import httpx
import pytest
from services.identity.tests.factories import PASSWORD, Citizen, Population
from services.identity.tests.flows import hidden

PAGE = "/identity/account/closing"


async def enter(browser: httpx.AsyncClient, who: Citizen) -> httpx.Response:
    form = await browser.get(PAGE, follow_redirects=True)
    typed = {**hidden(form), "username": who.username, "password": PASSWORD}
    return await browser.post("/identity/login", data=typed, follow_redirects=True)


async def test_a_person_closes_the_account_with_the_password_and_a_word_that_it_is_meant(
    client: httpx.AsyncClient, population: Population
) -> None:
    person = await population.person()
    page = await enter(client, person)
    assert (page.url.path, "不能恢复" in page.text) == (PAGE, True)
    not_meant = await client.post(PAGE, data={**hidden(page), "password": PASSWORD})
    assert not_meant.status_code == 422
    guess = {**hidden(page), "password": "a guess", "meant": "yes"}
    wrong = await client.post(PAGE, data=guess)
    assert (wrong.status_code, "当前密码不正确" in wrong.text) == (422, True)
    assert (await client.get(PAGE)).status_code == 200
    closed = await client.post(PAGE, data={**guess, "password": PASSWORD})
    assert (closed.status_code, "账号已注销" in closed.text) == (200, True)
    assert "lianban_session" not in client.cookies
    again = await enter(client, person)
    assert "用户名或密码不正确" in again.text


async def test_who_represents_a_company_is_told_what_comes_first(
    client: httpx.AsyncClient, population: Population
) -> None:
    owner, _ = await population.company()
    page = await enter(client, owner)
    refused = await client.post(PAGE, data={**hidden(page), "password": PASSWORD, "meant": "yes"})
    assert (refused.status_code, "请先完成变更" in refused.text) == (422, True)
    assert (await client.get(PAGE)).status_code == 200


@pytest.mark.parametrize("forged", [{"form_token": "0" * 64}, {"meant": "no"}])
async def test_a_form_of_another_site_closes_nothing(
    client: httpx.AsyncClient, population: Population, forged: dict[str, str]
) -> None:
    page = await enter(client, await population.person())
    typed = {**hidden(page), "password": PASSWORD, "meant": "yes", **forged}
    assert (await client.post(PAGE, data=typed)).status_code in (400, 422)
    assert (await client.get(PAGE)).status_code == 200
