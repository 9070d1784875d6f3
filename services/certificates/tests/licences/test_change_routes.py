import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import httpx
import pytest
from sqlalchemy import select

from certificates_service.licences.models import Licence
from service_common import timeline
from service_common.clock import local_date, utc_now
from service_common.db import Database, new_id
from service_common.tables import outbox

Json = dict[str, Any]
Order = Callable[..., Json]
Caller = Callable[[], dict[str, str]]
Issue = Callable[[Json], Awaitable[Json]]

REVOKE = {"reason": "OBTAINED_BY_DECEIT", "document_no": "示市监撤〔2026〕1号"}
SUSPEND = {"reason": "PENALTY_SUSPENSION"}


async def _statuses_told(database: Database) -> list[tuple[int, str]]:
    async with database.sessions() as session:
        events = await session.scalars(
            select(outbox.c.event)
            .where(outbox.c.subject == "gov.certificates.licence.status-changed.v1")
            .order_by(outbox.c.id)
        )
        return [(event["revision"], event["data"]["status"]) for event in events]


@pytest.mark.parametrize(
    ("action", "reason", "status"),
    [
        ("suspend", "PENALTY_SUSPENSION", "SUSPENDED"),
        ("revoke", "NOT_ELIGIBLE", "REVOKED"),
        ("withdraw", "PENALTY_WITHDRAWAL", "WITHDRAWN"),
        ("cancel", "ORGANISATION_DISSOLVED", "CANCELLED"),
    ],
)
async def test_the_issuer_decides_and_the_others_hear_of_it(
    client: httpx.AsyncClient,
    issue: Issue,
    market: Caller,
    business_order: Order,
    database: Database,
    action: str,
    reason: str,
    status: str,
) -> None:
    licence = await issue(business_order())
    answer = await client.post(
        f"/licences/{licence['id']}/{action}", json={"reason": reason}, headers=market() | {"If-Match": '"1"'}
    )
    assert (answer.status_code, answer.json()["status"], answer.json()["valid"]) == (200, status, False)
    assert answer.headers["etag"] == '"2"'
    assert await _statuses_told(database) == [(2, status)]


async def test_a_suspended_licence_is_given_back(
    client: httpx.AsyncClient, issue: Issue, market: Caller, business_order: Order, database: Database
) -> None:
    url = f"/licences/{(await issue(business_order()))['id']}"
    await client.post(f"{url}/suspend", json=SUSPEND, headers=market() | {"If-Match": '"1"'})
    answer = await client.post(
        f"{url}/resume", json={"reason": "SUSPENSION_SERVED"}, headers=market() | {"If-Match": '"2"'}
    )
    assert (answer.json()["status"], answer.json()["valid"]) == ("NORMAL", True)
    assert await _statuses_told(database) == [(2, "SUSPENDED"), (3, "NORMAL")]


async def test_the_history_holds_reason_law_and_document(
    client: httpx.AsyncClient,
    issue: Issue,
    market: Caller,
    agent: Caller,
    business_order: Order,
    database: Database,
) -> None:
    licence = await issue(business_order())
    await client.post(
        f"/licences/{licence['id']}/revoke", json=REVOKE, headers=market() | {"If-Match": '"1"'}
    )
    for reader in (market(), agent()):
        history = (await client.get(f"/licences/{licence['id']}/timeline", headers=reader)).json()
        assert history["intact"] is True
        assert [one["action"] for one in history["entries"]] == ["issue", "revoke"]
    assert history["entries"][1]["facts"] == {
        "from": "NORMAL",
        "to": "REVOKED",
        "reason": "OBTAINED_BY_DECEIT",
        "legal_basis": "行政许可法第六十九条第二款",
        "document_no": "示市监撤〔2026〕1号",
    }
    async with database.sessions() as session:
        assert timeline.verify(await timeline.read(session, licence["id"]))


async def test_a_final_licence_never_returns(
    client: httpx.AsyncClient, issue: Issue, market: Caller, business_order: Order
) -> None:
    url = f"/licences/{(await issue(business_order()))['id']}"
    await client.post(f"{url}/revoke", json=REVOKE, headers=market() | {"If-Match": '"1"'})
    for action, reason in (("resume", "SUSPENSION_SERVED"), ("cancel", "FORCE_MAJEURE")):
        answer = await client.post(
            f"{url}/{action}", json={"reason": reason}, headers=market() | {"If-Match": '"2"'}
        )
        assert (answer.status_code, answer.json()["code"]) == (409, "licence_action_not_possible")


async def test_a_decision_needs_the_version_it_rests_on(
    client: httpx.AsyncClient, issue: Issue, market: Caller, business_order: Order, database: Database
) -> None:
    url = f"/licences/{(await issue(business_order()))['id']}/revoke"
    assert (await client.post(url, json=REVOKE, headers=market())).status_code == 428
    stale = await client.post(url, json=REVOKE, headers=market() | {"If-Match": '"7"'})
    assert stale.status_code == 412
    assert await _statuses_told(database) == []


async def test_of_two_decisions_at_once_one_is_stale(
    client: httpx.AsyncClient, issue: Issue, market: Caller, business_order: Order, database: Database
) -> None:
    url = f"/licences/{(await issue(business_order()))['id']}"
    answers = await asyncio.gather(
        client.post(f"{url}/revoke", json=REVOKE, headers=market() | {"If-Match": '"1"'}),
        client.post(f"{url}/suspend", json=SUSPEND, headers=market() | {"If-Match": '"1"'}),
    )
    assert sorted(one.status_code for one in answers) == [200, 412]
    assert len(await _statuses_told(database)) == 1


async def test_nobody_but_the_issuer_decides_or_is_told_that_the_licence_exists(
    client: httpx.AsyncClient,
    issue: Issue,
    police: Caller,
    platform: Caller,
    agent: Caller,
    business_order: Order,
    database: Database,
) -> None:
    url = f"/licences/{(await issue(business_order()))['id']}/revoke"
    for caller in (police(), platform(), agent()):
        answer = await client.post(url, json=REVOKE, headers=caller | {"If-Match": '"1"'})
        assert (answer.status_code, answer.json()["code"]) == (404, "no_such_licence")
    assert await _statuses_told(database) == []


async def test_a_partner_without_the_scope_decides_nothing(
    client: httpx.AsyncClient, issue: Issue, token: Callable[..., dict[str, str]], business_order: Order
) -> None:
    licence = await issue(business_order())
    headers = token(
        subject_type="client",
        sub="x",
        department_id=licence["issuer"]["department_id"],
        scope="certificates:licences.verify",
    )
    answer = await client.post(
        f"/licences/{licence['id']}/revoke", json=REVOKE, headers=headers | {"If-Match": '"1"'}
    )
    assert answer.status_code == 403


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"reason": "FORCE_MAJEURE"}, "/reason"),
        ({"reason": "OTHERWISE_REVOCABLE"}, "/legal_basis"),
        ({"reason": "BECAUSE"}, "/reason"),
        ({}, "/reason"),
    ],
)
async def test_a_reason_must_be_a_ground_for_the_action(
    client: httpx.AsyncClient, issue: Issue, market: Caller, business_order: Order, body: Json, pointer: str
) -> None:
    url = f"/licences/{(await issue(business_order()))['id']}/revoke"
    answer = await client.post(url, json=body, headers=market() | {"If-Match": '"1"'})
    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, pointer)


async def test_a_licence_whose_last_day_is_over_cannot_be_suspended(
    client: httpx.AsyncClient, issue: Issue, police: Caller, person_order: Order, database: Database
) -> None:
    today = local_date(utc_now())
    licence = await issue(person_order(valid_until=str(today)))
    async with database.sessions() as session, session.begin():
        row = await session.get(Licence, licence["id"])
        assert row is not None
        row.valid_until = today - timedelta(days=1)
    answer = await client.post(
        f"/licences/{licence['id']}/suspend", json=SUSPEND, headers=police() | {"If-Match": '"2"'}
    )
    assert answer.json()["code"] == "licence_action_not_possible"
    assert "过期" in answer.json()["detail"]


async def test_an_unknown_licence_is_not_found(client: httpx.AsyncClient, market: Caller) -> None:
    answer = await client.post(
        f"/licences/{new_id()}/revoke", json=REVOKE, headers=market() | {"If-Match": '"1"'}
    )
    assert answer.status_code == 404
