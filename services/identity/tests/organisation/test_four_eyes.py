"""Joiner, mover, leaver; high roles by one operator's request and another one's word."""

import httpx
import pytest
from services.identity.tests.factories import HEALTH_USCC, LOOPBACK, Officer, Population, Tokens
from services.identity.tests.flows import Application
from sqlalchemy import select

from identity_service.db import Transactions
from identity_service.organisation.domain import Role, set_apart
from identity_service.organisation.models import Staff
from service_common.tables import outbox

REQUESTS = "/identity/v1/role-requests"


def test_what_is_held_already_needs_no_second_word() -> None:
    high = frozenset({Role.OPERATOR, Role.SUPERVISOR})
    wanted = [Role.CLERK, Role.OPERATOR]
    for held, of_high, at_once, waiting in (
        (["operator"], high, wanted, []),
        ([], high, [Role.CLERK], [Role.OPERATOR]),
        ([], frozenset[Role](), wanted, []),
    ):
        found = set_apart(wanted, held=held, high=of_high)
        assert found == (frozenset(at_once), frozenset(waiting))


@pytest.fixture
async def first(population: Population) -> Officer:
    return await population.staff(Role.OPERATOR)


async def joiner(
    client: httpx.AsyncClient, population: Population, headers: dict[str, str], *roles: str
) -> httpx.Response:
    unit = await population.department()
    body = {
        "username": "zhang.lixia",
        "name": "张立夏",
        "position": "窗口主管",
        "department_id": str(unit.id),
        "roles": list(roles),
        "password": "seven rivers and a ferry",
    }
    return await client.post("/identity/v1/staff", json=body, headers=headers)


async def decide(
    client: httpx.AsyncClient, request_id: str, headers: dict[str, str], *, approve: bool = True
) -> httpx.Response:
    return await client.post(f"{REQUESTS}/{request_id}/decide", json={"approve": approve}, headers=headers)


async def test_a_high_role_waits_for_another_operator(
    client: httpx.AsyncClient,
    population: Population,
    tokens: Tokens,
    first: Officer,
    transactions: Transactions,
) -> None:
    made = (await joiner(client, population, tokens.staff(first), "clerk", "supervisor")).json()
    assert (made["roles"], made["position"]) == (["clerk"], "窗口主管")
    pending = (await client.get(REQUESTS, headers=tokens.staff(first))).json()["items"]
    assert [(one["id"], one["roles"]) for one in pending] == [(made["role_request_id"], ["supervisor"])]
    own = await decide(client, made["role_request_id"], tokens.staff(first))
    assert (own.status_code, own.json()["code"]) == (403, "four_eyes_needed")
    second = await population.staff(Role.OPERATOR)
    granted = await decide(client, made["role_request_id"], tokens.staff(second))
    assert granted.json()["decision"] == "APPROVED", granted.text
    again = await decide(client, made["role_request_id"], tokens.staff(second))
    assert (again.status_code, again.json()["code"]) == (409, "role_request_decided")
    shown = (await client.get(f"/identity/v1/staff/{made['id']}", headers=tokens.staff(first))).json()
    assert shown["roles"] == ["clerk", "supervisor"]
    async with transactions() as session:
        told = await session.scalars(
            select(outbox.c.event)
            .where(outbox.c.subject == "gov.identity.staff.changed.v1")
            .order_by(outbox.c.id)
        )
        roles = [event["data"]["roles"] for event in told if event["data"]["staff_id"] == made["id"]]
    assert roles == [["clerk"], ["clerk", "supervisor"]]


async def test_nobody_decides_about_himself_and_a_refusal_grants_nothing(
    client: httpx.AsyncClient, population: Population, tokens: Tokens, first: Officer
) -> None:
    second = await population.staff(Role.OPERATOR)
    shown = await client.get(f"/identity/v1/staff/{second.id}", headers=tokens.staff(first))
    body = {"department_id": str(second.department_id), "roles": ["operator", "supervisor"]}
    asked = await client.put(
        f"/identity/v1/staff/{second.id}",
        json=body,
        headers={**tokens.staff(first), "If-Match": shown.headers["etag"]},
    )
    assert asked.json()["roles"] == ["operator"]
    request_id = asked.json()["role_request_id"]
    own = await decide(client, request_id, tokens.staff(second))
    assert own.json()["code"] == "four_eyes_needed"
    third = await population.staff(Role.OPERATOR)
    refused = await decide(client, request_id, tokens.staff(third), approve=False)
    assert refused.json()["decision_label"] == "已驳回"
    after = await client.get(f"/identity/v1/staff/{second.id}", headers=tokens.staff(first))
    assert after.json()["roles"] == ["operator"]


async def test_a_mover_keeps_no_role_of_the_old_department_and_a_pending_request_lapses(
    client: httpx.AsyncClient, population: Population, tokens: Tokens, first: Officer
) -> None:
    made = (await joiner(client, population, tokens.staff(first), "clerk", "supervisor")).json()
    health = await population.department(HEALTH_USCC)
    shown = await client.get(f"/identity/v1/staff/{made['id']}", headers=tokens.staff(first))
    moved = await client.put(
        f"/identity/v1/staff/{made['id']}",
        json={"department_id": str(health.id), "roles": ["approver"]},
        headers={**tokens.staff(first), "If-Match": shown.headers["etag"]},
    )
    assert (moved.json()["roles"], moved.json()["position"]) == (["approver"], None)
    second = tokens.staff(await population.staff(Role.OPERATOR))
    lapsed = await decide(client, made["role_request_id"], second)
    assert (lapsed.status_code, lapsed.json()["code"]) == (409, "role_request_decided")


async def test_who_leaves_is_out_at_once(
    client: httpx.AsyncClient,
    population: Population,
    tokens: Tokens,
    first: Officer,
    transactions: Transactions,
) -> None:
    officer = await population.staff(Role.CLERK)
    app = Application(client, await population.app(), LOOPBACK)
    got = await app.tokens(officer, "openid offline_access")
    async with transactions() as session:
        version = (await session.get_one(Staff, officer.id)).version
    body = {"department_id": str(officer.department_id), "roles": ["clerk"], "is_active": False}
    left = await client.put(
        f"/identity/v1/staff/{officer.id}",
        json=body,
        headers={**tokens.staff(first), "If-Match": f'"{version}"'},
    )
    assert left.status_code == 200, left.text
    assert (await app.refresh(got["refresh_token"])).status_code == 400


async def test_roles_say_what_they_permit(client: httpx.AsyncClient, tokens: Tokens, first: Officer) -> None:
    items = (await client.get("/identity/v1/roles", headers=tokens.staff(first))).json()["items"]
    roles = {one["role"]: one for one in items}
    assert set(roles) == {role.value for role in Role}
    assert roles["operator"]["needs_two_operators"] is True
    assert "identity:staff.manage" in [one["scope"] for one in roles["operator"]["permissions"]]
    assert "identity:staff.manage" not in [one["scope"] for one in roles["clerk"]["permissions"]]
