"""New credentials for staff: by whom, with whose word, and what becomes of the old ones."""

from typing import Any

import httpx
import pyotp
import pytest
from services.identity.tests.factories import HEALTH_USCC, LOOPBACK, PASSWORD, Officer, Population, Tokens
from services.identity.tests.flows import Application, hidden
from sqlalchemy import func, select

from identity_service.db import Transactions
from identity_service.organisation.domain import Role, needs_second_operator
from identity_service.passkeys.models import Passkey
from service_common.clock import utc_now
from service_common.db import new_id
from service_common.tables import timeline_entries

REQUESTS = "/identity/v1/role-requests"
LOST = {"reason": "LOST_SECOND_FACTOR"}


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
    entered = await log_in(client, clerk.username, fresh["password"], fresh["totp_secret"])
    assert "您已登录" in entered.text
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
    entered = await log_in(client, high.username, fresh["password"], fresh["totp_secret"])
    assert "您已登录" in entered.text
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
