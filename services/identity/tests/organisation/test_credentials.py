"""New credentials for staff: by whom, with whose word, and what becomes of the old ones."""

import asyncio
import json
from typing import Any

import httpx
import pyotp
import pytest
from services.identity.tests.authenticator import Authenticator
from services.identity.tests.factories import HEALTH_USCC, LOOPBACK, PASSWORD, Officer, Population, Tokens
from services.identity.tests.flows import Application, hidden
from services.identity.tests.held import Held
from sqlalchemy import func, select

from identity_service.db import Transactions
from identity_service.organisation.domain import Role, needs_second_operator
from identity_service.passkeys.models import Passkey
from service_common.clock import utc_now
from service_common.db import new_id
from service_common.tables import timeline_entries

REQUESTS = "/identity/v1/role-requests"
LOST = {"reason": "LOST_SECOND_FACTOR"}
NEW_PASSWORD = "/identity/login/new-password"
CHOSEN = "autumn equinox and a ferry"


@pytest.mark.parametrize(
    ("roles", "needed"),
    [([], False), (["clerk", "approver"], False), (["clerk", "operator"], True), (["supervisor"], True)],
)
def test_new_credentials_are_another_way_to_a_high_role(roles: list[str], needed: bool) -> None:
    assert needs_second_operator(roles, high=[Role.OPERATOR, Role.SUPERVISOR]) is needed


def resets_of(officer: Officer) -> str:
    return f"/identity/v1/staff/{officer.id}/credential-resets"


async def log_in(browser: httpx.AsyncClient, username: str, password: str, secret: str) -> httpx.Response:
    page = await browser.get("/identity/login", follow_redirects=True)
    typed = {**hidden(page), "username": username, "password": password}
    page = await browser.post("/identity/login", data=typed, follow_redirects=True)
    if 'id="code"' not in page.text:
        return page
    code = {**hidden(page), "code": pyotp.TOTP(secret).now()}
    return await browser.post("/identity/login/second-factor", data=code, follow_redirects=True)


async def choose(browser: httpx.AsyncClient, page: httpx.Response, password: str = CHOSEN) -> httpx.Response:
    typed = {**hidden(page), "password": password}
    return await browser.post(NEW_PASSWORD, data=typed, follow_redirects=True)


async def reset(
    client: httpx.AsyncClient, population: Population, tokens: Tokens, officer: Officer
) -> dict[str, str]:
    """The credentials that an operator hands over."""
    operator = await population.staff(Role.OPERATOR)
    done = await client.post(resets_of(officer), json=LOST, headers=tokens.staff(operator))
    fresh: dict[str, str] = done.json()["credentials"]
    return fresh


async def history(client: httpx.AsyncClient, officer: Officer, headers: dict[str, str]) -> dict[str, Any]:
    answer = await client.get(f"/identity/v1/staff/{officer.id}/timeline", headers=headers)
    body: dict[str, Any] = answer.json()
    return body


async def test_the_old_credentials_open_nothing_and_the_person_is_told(
    client: httpx.AsyncClient, population: Population, tokens: Tokens, transactions: Transactions
) -> None:
    operator, clerk = await population.staff(Role.OPERATOR), await population.staff(Role.CLERK)
    app = Application(client, await population.app(), LOOPBACK)
    before = await app.tokens(clerk, "openid offline_access")
    async with transactions() as session:
        session.add(
            Passkey(
                id=new_id(), account_id=clerk.id, credential_id=b"c", public_key=b"k", sign_count=0,
                name="x", is_backed_up=False, created_at=utc_now(),
            )
        )  # fmt: skip
    done = await client.post(resets_of(clerk), json=LOST, headers=tokens.staff(operator))
    assert done.status_code == 200, done.text
    fresh = done.json()["credentials"]
    assert done.json()["role_request_id"] is None
    assert (await app.refresh(before["refresh_token"])).status_code == 400
    assert (await client.get("/identity/account")).headers["location"] == "/identity/login"
    async with transactions() as session:
        assert await session.scalar(select(func.count()).select_from(Passkey)) == 0
    old = await log_in(client, clerk.username, PASSWORD, clerk.totp_secret)
    assert "用户名或密码不正确" in old.text
    half = await log_in(client, clerk.username, fresh["password"], clerk.totp_secret)
    assert "动态口令不正确" in half.text
    asked = await log_in(client, clerk.username, fresh["password"], fresh["totp_secret"])
    assert "您已登录" in (await choose(client, asked)).text
    inbox = await client.get("/identity/inbox")
    assert "登录凭据已重置" in inbox.text
    assert "动态口令设备丢失或更换" in inbox.text
    told = await history(client, clerk, tokens.staff(operator))
    assert told["is_intact"] is True
    assert [(one["action"], one["actor_id"], one["facts"]) for one in told["items"]] == [
        ("credentials-reset", str(operator.id), LOST)
    ]


async def test_who_holds_a_high_role_waits_for_a_second_operator(
    client: httpx.AsyncClient, population: Population, tokens: Tokens
) -> None:
    first, second = await population.staff(Role.OPERATOR), await population.staff(Role.OPERATOR)
    high = await population.staff(Role.SUPERVISOR)
    asked = (await client.post(resets_of(high), json=LOST, headers=tokens.staff(first))).json()
    assert asked["credentials"] is None
    pending = (await client.get(REQUESTS, headers=tokens.staff(first))).json()["items"]
    assert [(one["kind"], one["reason"]) for one in pending] == [("CREDENTIALS", "LOST_SECOND_FACTOR")]
    decide = f"{REQUESTS}/{asked['role_request_id']}/decide"
    own = await client.post(decide, json={"approve": True}, headers=tokens.staff(first))
    assert own.json()["code"] == "four_eyes_needed"
    granted = await client.post(decide, json={"approve": True}, headers=tokens.staff(second))
    fresh = granted.json()["credentials"]
    asked = await log_in(client, high.username, fresh["password"], fresh["totp_secret"])
    assert "您已登录" in (await choose(client, asked)).text
    told = await history(client, high, tokens.staff(first))
    assert [one["action"] for one in told["items"]] == ["credentials-reset-requested", "credentials-reset"]
    assert told["items"][1]["facts"]["requested_by"] == str(first.id)
    again = await client.post(decide, json={"approve": True}, headers=tokens.staff(second))
    assert again.json()["code"] == "role_request_decided"
    listed = (await client.get(f"{REQUESTS}?pending=false", headers=tokens.staff(first))).json()["items"]
    assert listed[0]["credentials"] is None


async def test_a_refusal_changes_nothing(
    client: httpx.AsyncClient, population: Population, tokens: Tokens
) -> None:
    first, second = await population.staff(Role.OPERATOR), await population.staff(Role.OPERATOR)
    high = await population.staff(Role.SUPERVISOR)
    asked = (await client.post(resets_of(high), json=LOST, headers=tokens.staff(first))).json()
    decide = f"{REQUESTS}/{asked['role_request_id']}/decide"
    refused = await client.post(decide, json={"approve": False}, headers=tokens.staff(second))
    assert (refused.json()["decision"], refused.json()["credentials"]) == ("REJECTED", None)
    told = await history(client, high, tokens.staff(first))
    assert told["items"][-1]["action"] == "credentials-reset-refused"
    assert "您已登录" in (await log_in(client, high.username, PASSWORD, high.totp_secret)).text


async def test_a_supervisor_resets_in_the_own_department_alone_and_nobody_the_own(
    client: httpx.AsyncClient, population: Population, tokens: Tokens, transactions: Transactions
) -> None:
    supervisor, clerk = await population.staff(Role.SUPERVISOR), await population.staff(Role.CLERK)
    elsewhere = await population.staff(Role.CLERK, uscc=HEALTH_USCC)
    assert (await client.post(resets_of(clerk), json=LOST, headers=tokens.staff(supervisor))).json()[
        "credentials"
    ]
    far = await client.post(resets_of(elsewhere), json=LOST, headers=tokens.staff(supervisor))
    assert (far.status_code, far.json()["code"]) == (404, "no_such_staff")
    own = await client.post(resets_of(supervisor), json=LOST, headers=tokens.staff(supervisor))
    assert (own.status_code, own.json()["code"]) == (403, "not_for_oneself")
    unknown = await client.post(
        resets_of(clerk), json={"reason": "because"}, headers=tokens.staff(supervisor)
    )
    assert unknown.status_code == 422
    async with transactions() as session:
        entries = await session.scalar(select(func.count()).select_from(timeline_entries))
    assert entries == 1


async def test_with_what_was_handed_over_nobody_gets_further_than_to_a_new_password(
    client: httpx.AsyncClient, population: Population, tokens: Tokens
) -> None:
    clerk = await population.staff(Role.CLERK)
    fresh = await reset(client, population, tokens, clerk)
    app = Application(client, await population.app(), LOOPBACK)
    page = await app.post(
        "/identity/login", await app.begin("openid"), username=clerk.username, password=fresh["password"]
    )
    code = pyotp.TOTP(fresh["totp_secret"]).now()
    asked = await app.post("/identity/login/second-factor", page, code=code)
    assert "换成只有您自己知道的密码" in asked.text
    interaction = hidden(asked)["interaction"]
    english = await client.get(f"/identity/login?interaction={interaction}&lang=en")
    assert "replace it by one that you alone know" in english.text
    resumed = await app.follow(await client.get(f"/identity/authorize/resume?interaction={interaction}"))
    assert 'action="/identity/login/new-password"' in resumed.text
    again = await client.post("/identity/login/second-factor", data={**hidden(asked), "code": code})
    assert "interaction_gone" in again.text
    assert (await client.get("/identity/account")).headers["location"] == "/identity/login"
    assert "lianban_session" not in client.cookies

    for unsuitable, why in (
        (fresh["password"], "the password that you have now"),
        ("1234567890", "too common"),
        ("short", "10 to 128"),
    ):
        answer = await client.post(NEW_PASSWORD, data={**hidden(asked), "password": unsuitable})
        assert (answer.status_code, why in answer.text) == (422, True)
        assert "lianban_session" not in client.cookies
    forged = {**hidden(asked), "form_token": "0" * 64, "password": CHOSEN}
    assert "form_not_ours" in (await client.post(NEW_PASSWORD, data=forged)).text
    done = await app.post(NEW_PASSWORD, asked, password=CHOSEN)
    assert done.headers["location"].startswith(f"{LOOPBACK}?code=")

    client.cookies.clear()
    old = await log_in(client, clerk.username, fresh["password"], fresh["totp_secret"])
    assert "用户名或密码不正确" in old.text


async def test_a_first_password_that_was_made_up_is_changed_as_well(
    client: httpx.AsyncClient, population: Population, tokens: Tokens
) -> None:
    operator, department = await population.staff(Role.OPERATOR), await population.department()
    body = {
        "username": "li.newcomer",
        "name": "示例",
        "department_id": str(department.id),
        "roles": ["clerk"],
    }
    made = (await client.post("/identity/v1/staff", json=body, headers=tokens.staff(operator))).json()
    asked = await log_in(client, "li.newcomer", made["password"], made["totp_secret"])
    assert "设置新密码" in asked.text
    assert "您已登录" in (await choose(client, asked)).text


async def test_half_a_log_in_does_not_outlive_the_credentials_it_began_with(
    client: httpx.AsyncClient, population: Population, tokens: Tokens
) -> None:
    clerk, colleague = await population.staff(Role.CLERK), await population.staff(Role.CLERK)
    page = await client.get("/identity/login", follow_redirects=True)
    typed = {**hidden(page), "username": clerk.username, "password": PASSWORD}
    half = await client.post("/identity/login", data=typed, follow_redirects=True)
    fresh = await reset(client, population, tokens, clerk)
    for secret in (clerk.totp_secret, fresh["totp_secret"]):
        code = {**hidden(half), "code": pyotp.TOTP(secret).now()}
        late = await client.post("/identity/login/second-factor", data=code, follow_redirects=True)
        assert "lianban_session" not in client.cookies
        assert "请重新登录" in late.text or "interaction_gone" in late.text

    half = await client.post(
        "/identity/login", data={**typed, "username": colleague.username}, follow_redirects=True
    )
    change = {"current_password": PASSWORD, "new_password": CHOSEN}
    changed = await client.post("/identity/v1/me/password", json=change, headers=tokens.staff(colleague))
    assert changed.status_code == 204, changed.text
    code = {**hidden(half), "code": pyotp.TOTP(colleague.totp_secret).now()}
    late = await client.post("/identity/login/second-factor", data=code, follow_redirects=True)
    assert "请重新登录" in late.text
    assert 'action="/identity/login"' in late.text
    assert "lianban_session" not in client.cookies


async def test_factors_that_were_shown_for_oneself_do_not_serve_for_somebody_else(
    client: httpx.AsyncClient, population: Population, tokens: Tokens
) -> None:
    rogue, victim = await population.staff(Role.CLERK), await population.staff(Role.CLERK)
    fresh = await reset(client, population, tokens, rogue)
    asked = await log_in(client, rogue.username, fresh["password"], fresh["totp_secret"])
    typed = {**hidden(asked), "username": victim.username, "password": PASSWORD}
    page = await client.post("/identity/login", data=typed, follow_redirects=True)
    assert 'id="code"' in page.text
    refused = await choose(client, asked)
    assert "interaction_gone" in refused.text
    assert "lianban_session" not in client.cookies


async def test_who_enters_by_a_passkey_while_it_is_taken_away_is_logged_out_by_it(
    client: httpx.AsyncClient, population: Population, tokens: Tokens, transactions: Transactions
) -> None:
    operator, clerk = await population.staff(Role.OPERATOR), await population.staff(Role.CLERK)
    app, device = Application(client, await population.app(), LOOPBACK), Authenticator()
    await app.tokens(clerk, "openid")
    form = hidden(await client.get("/identity/passkeys"))
    asked = (await client.post("/identity/passkeys/options", data=form)).json()
    made = json.dumps(device.create(asked["options"]))
    added = {**form, "name": "x", "challenge_id": asked["challenge_id"], "credential": made}
    assert (await client.post("/identity/passkeys", data=added)).status_code == 303
    client.cookies.clear()
    page = await client.get("/identity/login", follow_redirects=True)
    asked = (await client.post("/identity/login/passkey/options", data=hidden(page))).json()
    shown = json.dumps(device.get(asked["options"]))
    typed = {**hidden(page), "challenge_id": asked["challenge_id"], "credential": shown}
    held = Held(transactions)
    async with held.table("known_browsers"):
        entering = asyncio.create_task(client.post("/identity/login/passkey", data=typed))
        await held.until_wait(1)
        resetting = asyncio.create_task(
            client.post(resets_of(clerk), json=LOST, headers=tokens.staff(operator))
        )
        await held.until_wait(2)
    assert (await entering).status_code == 303
    assert (await resetting).status_code == 200
    assert "lianban_session" in client.cookies
    assert (await client.get("/identity/account")).headers["location"] == "/identity/login"
