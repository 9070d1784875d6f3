"""Passkeys: added after a fresh log-in, log in without a user name, are the second factor of staff, and cannot be replayed."""

import json
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from services.identity.tests.authenticator import Authenticator
from services.identity.tests.conftest import Clock
from services.identity.tests.factories import LOOPBACK, PASSWORD, Citizen, Officer, Population, Tokens
from services.identity.tests.flows import Application, claims_of, hidden, query_of

from identity_service.organisation.domain import Role

MINE = "/identity/v1/me/passkeys"
PAGE = "/identity/passkeys"


@pytest.fixture
async def mobile(client: httpx.AsyncClient, population: Population) -> Application:
    return Application(client, await population.app(), LOOPBACK)


async def headers_of(app: Application, who: Citizen | Officer) -> dict[str, str]:
    token = (await app.tokens(who, "openid identity:me.security"))["access_token"]
    return {"Authorization": f"Bearer {token}"}


async def add(
    client: httpx.AsyncClient, headers: dict[str, str], device: Authenticator, **changes: Any
) -> httpx.Response:
    begun = await client.post(f"{MINE}/options", headers=headers)
    assert begun.status_code == 200, begun.text
    asked = begun.json()
    body = {
        "challenge_id": asked["challenge_id"],
        "name": "我的手机",
        "credential": device.create(asked["options"]),
        **changes,
    }
    return await client.post(MINE, json=body, headers=headers)


async def sign(
    app: Application, page: httpx.Response, device: Authenticator, **changes: str
) -> httpx.Response:
    """What the page's script does."""
    begun = await app.browser.post("/identity/login/passkey/options", data=hidden(page))
    assert begun.status_code == 200, begun.text
    asked = begun.json()
    form = {
        **hidden(page),
        "challenge_id": asked["challenge_id"],
        "credential": json.dumps(device.get(asked["options"])),
        **changes,
    }
    return await app.follow(await app.browser.post("/identity/login/passkey", data=form))


def another(app: FastAPI) -> httpx.AsyncClient:
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://localhost")


@pytest.mark.parametrize("is_staff", [False, True])
async def test_a_passkey_logs_in_without_a_user_name_and_counts_as_two_factors(
    client: httpx.AsyncClient, app: FastAPI, mobile: Application, population: Population, is_staff: bool
) -> None:
    who = await population.staff(Role.CLERK) if is_staff else await population.person(verified=False)
    headers, device = await headers_of(mobile, who), Authenticator()
    made = await add(client, headers, device)
    assert (made.status_code, made.json()["name"]) == (201, "我的手机"), made.text
    async with another(app) as browser:
        elsewhere = Application(browser, mobile.client, LOOPBACK)
        answer = await sign(elsewhere, await elsewhere.begin("openid"), device)
        assert answer.status_code == 303, answer.text
        tokens = (await elsewhere.exchange(query_of(answer.headers["location"])["code"])).json()
    claims = claims_of(tokens["access_token"])
    assert (claims["sub"], claims["amr"]) == (str(who.id), ["pop", "mfa"])
    (listed,) = (await client.get(MINE, headers=headers)).json()["items"]
    assert listed["last_used_at"] is not None


async def test_a_passkey_is_the_second_factor_of_staff_and_only_an_own_one(
    client: httpx.AsyncClient, app: FastAPI, mobile: Application, population: Population
) -> None:
    officer, person = await population.staff(Role.CLERK), await population.person(verified=False)
    own, foreign = Authenticator(), Authenticator()
    await add(client, await headers_of(mobile, officer), own)
    async with another(app) as browser:
        await add(browser, await headers_of(Application(browser, mobile.client, LOOPBACK), person), foreign)
    async with another(app) as browser:
        elsewhere = Application(browser, mobile.client, LOOPBACK)
        page = await elsewhere.begin("openid")
        page = await elsewhere.post("/identity/login", page, username=officer.username, password=PASSWORD)
        assert "动态口令" in page.text
        refused = await sign(elsewhere, page, foreign)
        assert (refused.status_code, "通行密钥验证未通过" in refused.text) == (422, True)
        answer = await sign(elsewhere, page, own)
        tokens = (await elsewhere.exchange(query_of(answer.headers["location"])["code"])).json()
    assert claims_of(tokens["access_token"])["amr"] == ["pwd", "pop", "mfa"]


@pytest.mark.parametrize(
    "device",
    [
        Authenticator(origin="https://evil.example"),
        Authenticator(verifies=False),
    ],
    ids=["another origin", "no user verification"],
)
async def test_a_key_of_another_site_or_without_its_owner_is_not_taken(
    client: httpx.AsyncClient, mobile: Application, population: Population, device: Authenticator
) -> None:
    headers = await headers_of(mobile, await population.person(verified=False))
    answer = await add(client, headers, device)
    assert (answer.status_code, answer.json()["code"]) == (422, "passkey_refused")


@pytest.mark.parametrize("credential", [{}, {"id": 1}, {"id": "x", "response": {}}, {"id": "\u0000"}])
async def test_what_is_no_credential_is_refused(
    client: httpx.AsyncClient, mobile: Application, population: Population, credential: dict[str, Any]
) -> None:
    headers = await headers_of(mobile, await population.person(verified=False))
    answer = await add(client, headers, Authenticator(), credential=credential)
    assert (answer.status_code, answer.json()["code"]) == (422, "passkey_refused")
    await client.post("/identity/logout")
    page = await mobile.begin("openid", prompt="login")
    shown = await sign(mobile, page, Authenticator(), credential=json.dumps(credential))
    assert (shown.status_code, "通行密钥验证未通过" in shown.text) == (422, True)


async def test_an_answer_works_once_and_a_copied_key_is_noticed(
    client: httpx.AsyncClient, app: FastAPI, mobile: Application, population: Population
) -> None:
    person, device = await population.person(verified=False), Authenticator()
    await add(client, await headers_of(mobile, person), device)
    async with another(app) as browser:
        elsewhere = Application(browser, mobile.client, LOOPBACK)
        page = await elsewhere.begin("openid")
        asked = (await browser.post("/identity/login/passkey/options", data=hidden(page))).json()
        form = {
            **hidden(page),
            "challenge_id": asked["challenge_id"],
            "credential": json.dumps(device.get(asked["options"])),
        }
        first = await browser.post("/identity/login/passkey", data=form)
        assert first.status_code == 303, first.text
        page = await elsewhere.begin("openid", prompt="login")
        replayed = await browser.post(
            "/identity/login/passkey", data={**form, **hidden(page)} | {"challenge_id": asked["challenge_id"]}
        )
        assert replayed.status_code == 422
        device.count = 0
        copied = await sign(elsewhere, page, device)
        assert (copied.status_code, "通行密钥验证未通过" in copied.text) == (422, True)


async def test_adding_one_asks_for_a_fresh_log_in_and_removing_ends_it(
    client: httpx.AsyncClient,
    mobile: Application,
    population: Population,
    tokens: Tokens,
    clock: Clock,
) -> None:
    person, stranger = await population.person(verified=False), await population.person(1, verified=False)
    headers, device = await headers_of(mobile, person), Authenticator()
    made = (await add(client, headers, device)).json()
    again = await add(client, headers, device)
    assert (again.status_code, again.json()["code"]) == (409, "passkey_known")
    clock.pass_(minutes=16)
    stale = await client.post(f"{MINE}/options", headers=headers)
    assert (stale.status_code, stale.json()["code"]) == (403, "log_in_again")
    address = f"{MINE}/{made['id']}"
    assert (await client.delete(address, headers=tokens.person(stranger))).status_code == 404
    assert (await client.delete(address, headers=headers)).status_code == 204
    page = await mobile.begin("openid", prompt="login")
    assert (await sign(mobile, page, device)).status_code == 422


async def test_the_page_adds_and_removes_with_a_script_of_ours_alone(
    client: httpx.AsyncClient, mobile: Application, population: Population
) -> None:
    assert (await client.get(PAGE)).headers["location"] == "/identity/login?onward=passkeys"
    await headers_of(mobile, await population.person(verified=False))
    page = await client.get(PAGE)
    policy = page.headers["content-security-policy"]
    assert "script-src 'self'; connect-src 'self'" in policy
    assert "unsafe" not in policy
    assert '<script src="/identity/static/passkeys.js" defer></script>' in page.text
    script = await client.get("/identity/static/passkeys.js")
    assert script.headers["content-type"].startswith("text/javascript")
    token, device = hidden(page)["form_token"], Authenticator()
    forged = await client.post(f"{PAGE}/options", data={"form_token": "x"})
    assert forged.status_code == 400
    asked = (await client.post(f"{PAGE}/options", data={"form_token": token})).json()
    form = {
        "form_token": token,
        "name": "Chrome <b>",
        "challenge_id": asked["challenge_id"],
        "credential": json.dumps(device.create(asked["options"])),
    }
    assert (await client.post(PAGE, data=form)).status_code == 303
    listed = await client.get(PAGE)
    assert "Chrome &lt;b&gt;" in listed.text
    passkey_id = listed.text.split("/identity/passkeys/")[1].split("/")[0]
    assert (await client.post(f"{PAGE}/{passkey_id}/remove", data={"form_token": token})).status_code == 303
    assert "您还没有通行密钥" in (await client.get(PAGE)).text


async def test_the_log_in_page_works_without_a_script(mobile: Application) -> None:
    page = await mobile.begin("openid")
    assert 'data-passkey="get"' in page.text
    assert page.text.count(" hidden>") >= 2
    assert 'name="password"' in page.text
