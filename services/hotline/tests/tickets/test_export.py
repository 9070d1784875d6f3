"""A person's own tickets in clear, and nobody else's."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any
from uuid import UUID, uuid4

import httpx

from hotline_service.tickets.handlers.read import Purpose, disclose_caller
from service_common.clock import utc_now
from service_common.crypto import KeyRing
from service_common.db import Database

TICKETS, EXPORT = "/hotline/v1/tickets", "/hotline/v1/me/export"
SignIn = Callable[..., dict[str, str]]


async def record(http: httpx.AsyncClient, headers: dict[str, str], content: str) -> str:
    body = {"kind": "COMPLAINT", "content": content, "division": "430304", "caller_phone": "19900000001"}
    answer = await http.post(TICKETS, json=body, headers=headers | {"Idempotency-Key": str(uuid4())})
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


async def test_everything_the_person_said_and_who_was_shown_it_in_full(
    http: httpx.AsyncClient, app: Any, ring: KeyRing, sign_in: SignIn, cast: Any
) -> None:
    headers = sign_in(cast.wang, "create", "read")
    ticket = await record(http, headers, "楼下饭店油烟直排。")
    urge = {"note": "三天了，还在冒烟。"}
    await http.post(
        f"{TICKETS}/{ticket}/urge", json=urge, headers=headers | {"Idempotency-Key": str(uuid4())}
    )
    database: Database = app.state.database
    async with database.sessions() as session, session.begin():
        await disclose_caller(
            session,
            app.state.key_ring,
            UUID(ticket),
            purpose=Purpose.CALL_BACK,
            caller=cast.agent,
            now=utc_now(),
        )
    answer = await http.get(EXPORT, headers=headers)
    assert answer.headers["cache-control"] == "no-store"
    told = next(one for one in answer.json()["items"] if one["id"] == ticket)
    assert (told["content"], told["caller_phone"]) == ("楼下饭店油烟直排。", "19900000001")
    assert [one["note"] for one in told["urges"]] == ["三天了，还在冒烟。"]
    assert [one["purpose"] for one in told["disclosures"]] == ["CALL_BACK"]


async def test_nobody_gets_anothers_tickets(http: httpx.AsyncClient, sign_in: SignIn, cast: Any) -> None:
    somebody = replace(cast.li, subject_id=str(uuid4()))
    own = await record(http, sign_in(somebody, "create"), "路灯坏了。")
    wangs = (await http.get(f"{EXPORT}?limit=100", headers=sign_in(cast.wang, "read"))).json()
    assert own not in {one["id"] for one in wangs["items"]}
    assert (await http.get(EXPORT, headers=sign_in(cast.agent, "read"))).json()["code"] == "not_a_person"


async def test_pages_lead_through_all_of_it(http: httpx.AsyncClient, sign_in: SignIn, cast: Any) -> None:
    headers = sign_in(replace(cast.li, subject_id=str(uuid4())), "create", "read")
    recorded = [await record(http, headers, f"第{number}次来电。") for number in range(3)]
    found: list[str] = []
    url: str | None = f"{EXPORT}?limit=2"
    while url:
        page = (await http.get(url, headers=headers)).json()
        found += [one["id"] for one in page["items"]]
        url = page["next"]
    assert found == recorded[::-1]
