"""The licences that a person holds, in clear with their uses, and nobody else's."""

import time
from collections.abc import Awaitable, Callable
from typing import Any

import httpx

Json = dict[str, Any]
Order = Callable[..., Json]
Issue = Callable[[Json], Awaitable[Json]]
Token = Callable[..., dict[str, str]]
EXPORT = "/me/export"
COMPANY = "00000000-0000-7000-8000-0000000000c1"
STRANGER = "00000000-0000-7000-8000-0000000000ff"


async def test_licences_come_in_clear_with_who_looked(
    client: httpx.AsyncClient,
    issue: Issue,
    token: Token,
    police: Callable[[], dict[str, str]],
    person_order: Order,
) -> None:
    card = await issue(person_order())
    fresh = token(auth_time=int(time.time()))
    code = (await client.post(f"/licences/{card['id']}/present", headers=token())).json()["code"]
    checked = await client.post("/verifications", json={"code": code}, headers=police())
    answer = await client.get(EXPORT, headers=fresh)
    [told] = answer.json()["items"]
    uses = (await client.get(f"/licences/{card['id']}/uses", headers=token())).json()["items"]
    assert answer.headers["cache-control"] == "no-store"
    assert told["surface"]["公民身份号码"] == "990101199001010019"
    assert uses, checked.text
    assert told["uses"] == uses


async def test_only_ones_own_and_not_those_of_a_represented_company(
    client: httpx.AsyncClient, issue: Issue, token: Token, person_order: Order, business_order: Order
) -> None:
    await issue(person_order())
    await issue(business_order())
    now = int(time.time())
    stranger = await client.get(EXPORT, headers=token(sub=STRANGER, auth_time=now, represents=[COMPANY]))
    assert stranger.json() == {"items": [], "next": None}


async def test_an_agent_an_old_log_in_and_a_low_level_get_nothing(
    client: httpx.AsyncClient, issue: Issue, token: Token, person_order: Order
) -> None:
    await issue(person_order())
    now = int(time.time())
    agent = token(
        auth_time=now,
        act={"sub": STRANGER, "subject_type": "person"},
        delegation={
            "id": "00000000-0000-7000-8000-0000000000d1",
            "acts": ["VIEW", "COLLECT"],
            "matters": ["certificates:*"],
        },
    )
    callers = (agent, token(auth_time=now - 3600), token(auth_time=now, acr="urn:lianban:loa:1"))
    answers = [await client.get(EXPORT, headers=one) for one in callers]
    assert [(one.status_code, one.json()["code"]) for one in answers] == [
        (403, "not_delegated"),
        (401, "insufficient_user_authentication"),
        (401, "insufficient_user_authentication"),
    ]


async def test_pages_lead_through_all_of_it(
    client: httpx.AsyncClient, issue: Issue, token: Token, person_order: Order
) -> None:
    issued = [(await issue(person_order(project_no=None)))["id"] for _ in range(3)]
    fresh = token(auth_time=int(time.time()))
    found: list[str] = []
    url: str | None = f"{EXPORT}?limit=2"
    while url:
        page = (await client.get(url.removeprefix("/certificates/v1"), headers=fresh)).json()
        found += [one["id"] for one in page["items"]]
        url = page["next"]
    assert found == issued[::-1]
