"""Webhooks over HTTP: who may, what is shown, what is refused."""

from typing import TYPE_CHECKING
from uuid import uuid4

import httpx
import pytest
from sqlalchemy import select

from gateway_service.webhooks.models import WebhookEndpoint
from service_common.db import Database, new_id

if TYPE_CHECKING:
    from gateway.tests.webhooks.conftest import Subscribe

URL = "/gateway/v1/webhooks"
GOOD = {"url": "https://approval.example.gov.cn/hook", "event_types": ["case.submitted"]}


def _once() -> dict[str, str]:
    return {"Idempotency-Key": str(new_id())}


async def test_a_secret_is_shown_once_and_sealed_at_rest(
    partner: httpx.AsyncClient, database: Database
) -> None:
    made = await partner.post(URL, json=GOOD, headers=_once())
    assert made.status_code == 201
    webhook = made.json()
    assert webhook["secret"].startswith("whsec_")
    assert webhook["public_key"].startswith("whpk_")
    assert webhook["status_label"] == "待验证"
    assert "secret" not in (await partner.get(f"{URL}/{webhook['id']}")).json()
    async with database.sessions() as session:
        row = (await session.scalars(select(WebhookEndpoint))).one()
    assert webhook["secret"].encode() not in row.secret
    assert b"whs" not in row.secret + row.signing_key


async def test_the_same_request_twice_makes_one(partner: httpx.AsyncClient) -> None:
    key = _once()
    first = await partner.post(URL, json=GOOD, headers=key)
    second = await partner.post(URL, json=GOOD, headers=key)
    assert first.json() == second.json()
    assert len((await partner.get(URL)).json()["items"]) == 1


@pytest.mark.parametrize(
    "body",
    [
        {**GOOD, "event_types": []},
        {**GOOD, "event_types": ["reviewer.informed"]},
        {**GOOD, "event_types": ["licence.used"]},
        {**GOOD, "department_id": str(uuid4())},
        {**GOOD, "url": "https://user:secret@approval.example.gov.cn/"},
        {"url": GOOD["url"]},
    ],
)
async def test_bad_input_is_a_problem_and_changes_nothing(partner: httpx.AsyncClient, body: object) -> None:
    answer = await partner.post(URL, json=body, headers=_once())
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    assert (await partner.get(URL)).json()["items"] == []


async def test_another_department_does_not_see_it(
    partner: httpx.AsyncClient, other_partner: httpx.AsyncClient
) -> None:
    webhook = (await partner.post(URL, json=GOOD, headers=_once())).json()
    one = f"{URL}/{webhook['id']}"
    answers = [
        await other_partner.get(one),
        await other_partner.get(f"{one}/deliveries"),
        await other_partner.patch(one, json={"description": "mine"}),
        await other_partner.delete(one),
        await other_partner.post(f"{one}/verify", headers=_once()),
        await other_partner.post(f"{one}/rotate-secret", headers=_once()),
        await other_partner.post(f"{one}/replay", json={"since": "2026-01-01T00:00:00Z"}, headers=_once()),
    ]
    assert {answer.status_code for answer in answers} == {404}
    assert (await other_partner.get(URL)).json()["items"] == []
    assert (await partner.get(one)).status_code == 200


async def test_without_a_department_there_are_no_webhooks(homeless: httpx.AsyncClient) -> None:
    answer = await homeless.post(URL, json=GOOD, headers=_once())
    assert (answer.status_code, answer.json()["code"]) == (403, "no_department")


async def test_a_citizen_lacks_the_scope(citizen: httpx.AsyncClient, anybody: httpx.AsyncClient) -> None:
    assert (await citizen.get(URL)).json()["code"] == "insufficient_scope"
    assert (await anybody.get(URL)).status_code == 401


async def test_what_a_receiver_hears_can_be_changed(partner: httpx.AsyncClient) -> None:
    webhook = (await partner.post(URL, json=GOOD, headers=_once())).json()
    changed = await partner.patch(f"{URL}/{webhook['id']}", json={"event_types": ["case.finished"]})
    assert changed.json()["event_types"] == ["case.finished"]


async def test_a_subscription_ends(partner: httpx.AsyncClient) -> None:
    webhook = (await partner.post(URL, json=GOOD, headers=_once())).json()
    assert (await partner.delete(f"{URL}/{webhook['id']}")).status_code == 204
    assert (await partner.get(f"{URL}/{webhook['id']}")).status_code == 404


async def test_a_department_has_a_bounded_number(partner: httpx.AsyncClient) -> None:
    for _ in range(20):
        assert (await partner.post(URL, json=GOOD, headers=_once())).status_code == 201
    answer = await partner.post(URL, json=GOOD, headers=_once())
    assert (answer.status_code, answer.json()["code"]) == (409, "too_many_webhooks")


async def test_lists_come_in_pages(partner: httpx.AsyncClient) -> None:
    for _ in range(3):
        await partner.post(URL, json=GOOD, headers=_once())
    first = (await partner.get(URL, params={"limit": 2})).json()
    second = (await partner.get(first["next"])).json()
    assert len(first["items"]) == 2
    assert len(second["items"]) == 1
    assert second["next"] is None
    assert (await partner.get(URL, params={"cursor": "nonsense"})).status_code == 422


async def test_deliveries_come_in_pages_and_by_state(
    partner: httpx.AsyncClient, subscribe: "Subscribe"
) -> None:
    webhook = await subscribe()
    one = f"{URL}/{webhook['id']}"
    for _ in range(2):
        await partner.post(f"{one}/verify", headers=_once())
    first = (await partner.get(f"{one}/deliveries", params={"limit": 2})).json()
    second = (await partner.get(first["next"])).json()
    assert [len(first["items"]), len(second["items"])] == [2, 1]
    done = (await partner.get(f"{one}/deliveries", params={"status": "DELIVERED"})).json()
    assert len(done["items"]) == 1


async def test_replay_needs_a_verified_receiver(partner: httpx.AsyncClient) -> None:
    webhook = (await partner.post(URL, json=GOOD, headers=_once())).json()
    answer = await partner.post(
        f"{URL}/{webhook['id']}/replay", json={"since": "2026-01-01T00:00:00Z"}, headers=_once()
    )
    assert (answer.status_code, answer.json()["code"]) == (409, "webhook_not_active")
