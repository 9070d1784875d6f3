"""The log-in pages: what they give away, whom they slow down, and how they are protected."""

import asyncio
import html
import re
import statistics
import time

import httpx
import pyotp
import pytest
from fastapi import FastAPI
from services.identity.tests.conftest import Clock
from services.identity.tests.factories import PASSWORD, Population
from services.identity.tests.flows import Application, hidden
from sqlalchemy import select

from identity_service.accounts.domain import LOGIN_OF_ADDRESS
from identity_service.accounts.models import Account, Attempts
from identity_service.accounts.throttling import Bucket
from identity_service.db import Transactions
from identity_service.organisation.domain import Role
from identity_service.sessions.models import LoginSession
from service_common.crypto import KeyRing


async def open_form(client: httpx.AsyncClient) -> httpx.Response:
    return await client.get("/identity/login", follow_redirects=True)


async def log_in(client: httpx.AsyncClient, username: str, password: str = PASSWORD) -> httpx.Response:
    page = await open_form(client)
    return await client.post(
        "/identity/login", data={**hidden(page), "username": username, "password": password}
    )


async def second_factor(client: httpx.AsyncClient, answer: httpx.Response, code: str) -> httpx.Response:
    page = await client.get(answer.headers["location"])
    return await client.post("/identity/login/second-factor", data={**hidden(page), "code": code})


async def test_somebody_can_log_in_without_any_client(
    client: httpx.AsyncClient, population: Population
) -> None:
    person = await population.person()
    answer = await log_in(client, person.username)
    assert answer.status_code == 303
    page = await client.get(answer.headers["location"], follow_redirects=True)
    assert "您已登录" in page.text
    assert page.url.path == "/identity/account"


async def test_a_phone_number_serves_as_user_name(client: httpx.AsyncClient, population: Population) -> None:
    person = await population.person()
    assert (await log_in(client, person.phone)).status_code == 303
    client.cookies.clear()
    assert (await log_in(client, f"+86 {person.phone}")).status_code == 303


async def test_unknown_wrong_and_closed_accounts_get_the_same_answer(
    client: httpx.AsyncClient, population: Population, transactions: Transactions
) -> None:
    person = await population.person()
    closed = await population.person(1)
    async with transactions() as session:
        (await session.get_one(Account, closed.id)).is_active = False

    async def refused(username: str, password: str) -> str:
        answer = await log_in(client, username, password)
        assert answer.status_code == 422
        return re.sub(r'value="[^"]*"|interaction=[^&"]*', "", answer.text)

    wrong = await refused(person.username, "not the password")
    assert "用户名或密码不正确" in wrong
    assert await refused("nobody.here", "not the password") == wrong
    assert await refused("19900009999", "not the password") == wrong
    assert await refused(closed.username, PASSWORD) == wrong
    assert await refused("\u96f6'; --\x00", "not the password") == wrong


async def test_an_unknown_account_takes_as_long_as_a_known_one(
    client: httpx.AsyncClient, population: Population, real_hash_cost: None
) -> None:
    person = await population.person()
    page = await open_form(client)

    async def seconds(username: str) -> float:
        began = time.process_time()  # of all threads, and of nobody else on this machine
        await client.post(
            "/identity/login", data={**hidden(page), "username": username, "password": "wrong guess"}
        )
        return time.process_time() - began

    known = [await seconds(person.username) for _ in range(4)]
    unknown = [await seconds("nobody.here") for _ in range(4)]
    # A hash takes tens of milliseconds, everything else two or three: without the dummy hash it would be a tenth.
    assert statistics.median(unknown) > statistics.median(known) / 2


@pytest.mark.usefixtures("still_clock")
async def test_many_wrong_passwords_are_slowed_down_and_told_so(
    client: httpx.AsyncClient, population: Population, clock: Clock
) -> None:
    person = await population.person()
    for _ in range(5):
        assert (await log_in(client, person.username, "wrong")).status_code == 422
    slowed = await log_in(client, person.username)
    assert slowed.status_code == 429
    assert 0 < int(slowed.headers["retry-after"]) <= 2
    clock.pass_(seconds=3)
    assert (await log_in(client, person.username)).status_code == 303


async def test_nobody_is_kept_out_for_longer_than_a_minute(
    client: httpx.AsyncClient, population: Population, clock: Clock
) -> None:
    person = await population.person()
    for _ in range(40):
        answer = await log_in(client, person.username, "wrong")
        if answer.status_code == 429:
            wait = int(answer.headers["retry-after"])
            assert wait <= 60
            clock.pass_(seconds=wait)
    clock.pass_(seconds=60)
    assert (await log_in(client, person.username)).status_code == 303


@pytest.mark.usefixtures("still_clock")
async def test_attempts_of_a_stranger_do_not_stop_the_owner(
    app: FastAPI, client: httpx.AsyncClient, population: Population
) -> None:
    person = await population.person()
    assert (await log_in(client, person.username)).status_code == 303
    stranger = httpx.ASGITransport(app, client=("203.0.113.7", 4000))
    async with httpx.AsyncClient(transport=stranger, base_url="http://localhost") as other:
        for _ in range(7):
            last = await log_in(other, person.username, "wrong")
    assert last.status_code == 429
    client.cookies.delete("lianban_session")
    assert (await log_in(client, person.username)).status_code == 303


@pytest.mark.usefixtures("still_clock")
async def test_a_neighbour_at_the_same_address_does_not_stop_the_owner(
    app: FastAPI, client: httpx.AsyncClient, population: Population
) -> None:
    person = await population.person()
    assert (await log_in(client, person.username)).status_code == 303
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://localhost") as other:
        for _ in range(7):
            last = await log_in(other, person.username, "wrong")
    assert last.status_code == 429
    client.cookies.delete("lianban_session")
    assert (await log_in(client, person.username)).status_code == 303


@pytest.mark.usefixtures("still_clock")
async def test_an_address_that_strangers_try_passwords_from_stops_no_browser_that_is_known(
    *,
    app: FastAPI,
    client: httpx.AsyncClient,
    population: Population,
    transactions: Transactions,
    ring: KeyRing,
    clock: Clock,
) -> None:
    regular, newcomer = await population.person(), await population.person(1)
    assert (await log_in(client, regular.username)).status_code == 303
    client.cookies.delete("lianban_session")
    now, address = clock.now(), Bucket(LOGIN_OF_ADDRESS, "127.0.0.1")
    longest = now + LOGIN_OF_ADDRESS.longest
    async with transactions() as session:
        row = await session.get_one(Attempts, address.key(ring))
        row.count, row.drained_at, row.last_at, row.waits_until = 1000, now, now, longest

    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://localhost") as other:
        stranger = await log_in(other, newcomer.username)
        assert (stranger.status_code, stranger.headers["retry-after"]) == (429, "60")
        clock.pass_(seconds=60)
        assert (await log_in(other, newcomer.username)).status_code == 303
    for who in (regular, newcomer):  # at the owner's own browser, and at one in a hall
        assert (await log_in(client, who.username)).status_code == 303
        client.cookies.delete("lianban_session")


async def test_success_takes_back_the_attempt_of_a_shared_address(
    client: httpx.AsyncClient, population: Population
) -> None:
    person = await population.person()
    for _ in range(12):
        client.cookies.delete("lianban_session") if "lianban_session" in client.cookies else None
        assert (await log_in(client, person.username)).status_code == 303


async def test_one_person_can_log_in_in_several_windows_at_once(app: FastAPI, population: Population) -> None:
    person = await population.person()

    async def in_a_window() -> int:
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as window:
            return (await log_in(window, person.username)).status_code

    assert await asyncio.gather(*(in_a_window() for _ in range(4))) == [303] * 4


async def test_a_one_time_code_is_good_once_however_many_browsers_show_it_at_once(
    app: FastAPI, population: Population
) -> None:
    officer = await population.staff(Role.CLERK)
    code = pyotp.TOTP(officer.totp_secret).now()
    both_know_the_password = asyncio.Barrier(2)

    async def in_a_browser() -> int:
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as browser:
            answer = await log_in(browser, officer.username)
            await both_know_the_password.wait()
            return (await second_factor(browser, answer, code)).status_code

    assert sorted(await asyncio.gather(in_a_browser(), in_a_browser())) == [303, 422]


async def test_staff_without_the_second_factor_are_not_logged_in(
    client: httpx.AsyncClient, population: Population
) -> None:
    officer = await population.staff(Role.CLERK)
    answer = await log_in(client, officer.username)
    assert "lianban_session" not in answer.cookies
    wrong = await second_factor(client, answer, "000000")
    assert wrong.status_code == 422
    assert "lianban_session" not in wrong.cookies
    right = await second_factor(client, answer, pyotp.TOTP(officer.totp_secret).now())
    assert right.status_code == 303
    assert "lianban_session" in right.cookies


async def test_a_one_time_code_is_good_for_one_time(
    client: httpx.AsyncClient, population: Population
) -> None:
    officer = await population.staff(Role.CLERK)
    code = pyotp.TOTP(officer.totp_secret).now()
    assert (await second_factor(client, await log_in(client, officer.username), code)).status_code == 303
    client.cookies.clear()
    again = await second_factor(client, await log_in(client, officer.username), code)
    assert again.status_code == 422


@pytest.mark.usefixtures("still_clock")
async def test_guessing_one_time_codes_is_slowed_down(
    client: httpx.AsyncClient, population: Population
) -> None:
    officer = await population.staff(Role.CLERK)
    answer = await log_in(client, officer.username)
    statuses = [(await second_factor(client, answer, "000000")).status_code for _ in range(6)]
    assert statuses == [422, 422, 422, 422, 422, 429]


async def test_a_form_of_another_browser_is_refused(
    app: FastAPI, client: httpx.AsyncClient, population: Population
) -> None:
    person = await population.person()
    page = await open_form(client)
    typed = {**hidden(page), "username": person.username, "password": PASSWORD}
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://localhost") as other:
        assert (await other.post("/identity/login", data=typed)).status_code == 400
        await open_form(other)
        assert (await other.post("/identity/login", data=typed)).status_code == 400
    assert (await client.post("/identity/login", data={**typed, "form_token": "0"})).status_code == 400
    assert (await client.post("/identity/login", data=typed)).status_code == 303


async def test_an_interaction_ends_with_its_time_and_with_its_use(
    client: httpx.AsyncClient, population: Population, clock: Clock
) -> None:
    person = await population.person()
    page = await open_form(client)
    typed = {**hidden(page), "username": person.username, "password": PASSWORD}
    clock.pass_(minutes=31)
    assert (await client.post("/identity/login", data=typed)).status_code == 400
    answer = await log_in(client, person.username)
    await client.get(answer.headers["location"])
    assert (await client.get(answer.headers["location"])).status_code == 400


async def test_pages_are_protected_and_work_without_script(client: httpx.AsyncClient) -> None:
    page = await open_form(client)
    policy = page.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "script-src 'self';" in policy
    assert "unsafe" not in policy
    assert re.findall(r"<script[^>]*>", page.text) == ['<script src="/identity/static/passkeys.js" defer>']
    assert "style=" not in page.text
    assert page.headers["cache-control"] == "no-store"
    assert page.headers["x-content-type-options"] == "nosniff"
    style = await client.get("/identity/static/identity.css")
    assert style.headers["content-type"].startswith("text/css")


async def test_cookies_cannot_be_read_by_script_nor_sent_by_other_sites(
    client: httpx.AsyncClient, population: Population
) -> None:
    person = await population.person()
    answer = await log_in(client, person.username)
    cookie = answer.headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=lax" in cookie
    assert "Path=/identity" in cookie


async def test_the_switches_keep_the_clients_request(
    client: httpx.AsyncClient, population: Population
) -> None:
    app = Application(client, await population.app(), "http://127.0.0.1:1/callback")
    page = await app.begin()
    typed = {**hidden(page), "username": "nobody.here", "password": "wrong guess"}
    again = await client.post("/identity/login", data=typed)
    switch = re.search(r'href="(/identity/login[?][^"]*text=large)"', again.text)
    assert switch is not None
    larger = await client.get(html.unescape(switch[1]))
    assert 'class="large"' in larger.text
    assert hidden(larger)["interaction"] == hidden(page)["interaction"]


@pytest.mark.parametrize(
    ("chosen", "ui_locales", "accepted", "spoken"),
    [
        (None, None, None, "zh-CN"),
        (None, None, "en-GB,zh;q=0.5", "en"),
        (None, None, "fr-FR", "zh-CN"),
        (None, "fr-FR en-US zh-CN", "zh-CN", "en"),
        (None, "fr", "en", "en"),
        ("zh", "en", "en", "zh-CN"),
        ("en", "zh-CN", "zh-CN", "en"),
        ("xx", None, None, "zh-CN"),
    ],
)
async def test_the_own_choice_goes_before_the_clients_and_that_before_the_browsers(
    client: httpx.AsyncClient,
    population: Population,
    chosen: str | None,
    ui_locales: str | None,
    accepted: str | None,
    spoken: str,
) -> None:
    app = Application(client, await population.app(), "http://127.0.0.1:1/callback")
    client.headers["accept-language"] = accepted or ""
    if chosen:
        await client.get("/identity/device", params={"lang": chosen})
    page = await app.begin(ui_locales=ui_locales)
    assert page.headers["content-language"] == spoken
    assert f'<html lang="{spoken}"' in page.text


async def test_a_refusal_speaks_the_language_of_the_request(client: httpx.AsyncClient) -> None:
    page = await client.get("/identity/authorize", params={"client_id": "nobody", "ui_locales": "en"})
    assert page.status_code == 400
    assert "You were not sent on to any other site." in page.text


async def test_large_type_is_kept(client: httpx.AsyncClient) -> None:
    page = await client.get("/identity/login?text=large", follow_redirects=True)
    form = await client.get(page.url.copy_add_param("text", "large"))
    assert 'class="large"' in form.text
    assert 'class="large"' in (await open_form(client)).text


async def test_markup_in_a_hint_stays_text(client: httpx.AsyncClient, population: Population) -> None:
    app = Application(client, await population.app(), "http://127.0.0.1:1/callback")
    page = await app.begin(login_hint='"><script>alert(1)</script>')
    assert page.status_code == 200
    assert "<script>" not in page.text
    assert "form-action 'self' http://127.0.0.1:1" in page.headers["content-security-policy"]


@pytest.mark.parametrize("missing", ["interaction", "form_token", "username", "password"])
async def test_a_form_with_something_missing_is_a_page_not_a_stack_trace(
    client: httpx.AsyncClient, missing: str
) -> None:
    typed = {**hidden(await open_form(client)), "username": "a", "password": "b"}
    del typed[missing]
    answer = await client.post("/identity/login", data=typed)
    assert answer.status_code == 422
    assert answer.headers["content-type"].startswith("text/html")


async def test_entering_as_somebody_else_logs_the_first_out(
    client: httpx.AsyncClient, population: Population, transactions: Transactions
) -> None:
    first, second = await population.person(), await population.person(1)
    page = await open_form(client)
    await log_in(client, first.username)
    typed = {**hidden(page), "username": second.username, "password": PASSWORD}
    assert (await client.post("/identity/login", data=typed)).status_code == 303
    async with transactions() as session:
        ended = await session.scalar(select(LoginSession.ended_at).where(LoginSession.account_id == first.id))
    assert ended is not None


@pytest.mark.parametrize("page", ["/identity/inbox", "/identity/passkeys", "/identity/account"])
async def test_a_log_in_leads_back_to_the_page_of_ours_that_it_was_begun_from(
    client: httpx.AsyncClient, population: Population, page: str
) -> None:
    person = await population.person()
    form = await client.get(page, follow_redirects=True)
    typed = {**hidden(form), "username": person.username, "password": PASSWORD}
    entered = await client.post("/identity/login", data=typed, follow_redirects=True)
    assert (entered.status_code, entered.url.path) == (200, page)
    assert (await client.get("/identity/login?onward=inbox")).headers["location"] == "/identity/inbox"


@pytest.mark.parametrize(
    "elsewhere",
    ["https://evil.example/", "//evil.example", "/identity/inbox", "inbox@evil.example", "logout"],
)
async def test_a_log_in_leads_to_no_page_that_is_not_ours(
    client: httpx.AsyncClient, population: Population, elsewhere: str
) -> None:
    person = await population.person()
    refused = await client.get("/identity/login", params={"onward": elsewhere})
    assert refused.status_code == 422
    await log_in(client, person.username)
    assert (await client.get("/identity/login", params={"onward": elsewhere})).status_code == 422


async def test_an_application_cannot_ask_for_a_page_of_ours(client: httpx.AsyncClient) -> None:
    refused = await client.get("/identity/authorize?onward=inbox")
    assert (refused.status_code, "location" in refused.headers) == (400, False)
