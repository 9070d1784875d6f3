from collections.abc import Awaitable, Callable
from typing import Any

import httpx
import pytest
from sqlalchemy import select

from service_common.db import Database, new_id
from service_common.tables import outbox

Json = dict[str, Any]
Order = Callable[..., Json]
Caller = Callable[[], dict[str, str]]
Issue = Callable[[Json], Awaitable[Json]]
HOLDER = "00000000-0000-7000-8000-0000000000b1"
CASE = "00000000-0000-7000-8000-0000000000f1"


def wanted(**changes: Any) -> Json:
    return {
        "purpose_code": "PREFILL",
        "case_or_application_id": CASE,
        "fields": ["姓名", "住址"],
        **changes,
    }


async def test_acceptance_finds_a_holders_licences_without_any_surface(
    client: httpx.AsyncClient, platform: Caller, issue: Issue, person_order: Order, business_order: Order
) -> None:
    card = await issue(person_order())
    await issue(business_order())
    url = f"/holders/{HOLDER}/licences"
    answer = await client.get(url, headers=platform())
    [found] = answer.json()["items"]
    assert (found["id"], found["identifier"]) == (card["id"], card["identifier"])
    assert (found["status"], found["valid"]) == ("NORMAL", True)
    assert "王小麦" not in answer.text
    of_other_types = f"{url}?type_code=11990000LB0000230M001&type_code=11990000LB0000177R001"
    assert (await client.get(of_other_types, headers=platform())).json()["items"] == []
    of_this_type = f"{url}?type_code=11990000LB0000230M001&type_code=11100000000013127D001"
    assert len((await client.get(of_this_type, headers=platform())).json()["items"]) == 1


async def test_only_the_fields_asked_for_are_handed_out_and_the_holder_sees_it(
    client: httpx.AsyncClient,
    platform: Caller,
    holder: Caller,
    issue: Issue,
    person_order: Order,
    database: Database,
) -> None:
    card = await issue(person_order())
    answer = await client.post(f"/licences/{card['id']}/fetch", json=wanted(), headers=platform())
    assert answer.status_code == 200, answer.text
    assert answer.json()["surface"] == {"姓名": "王小麦", "住址": "示例市示范区谷雨路1号"}
    assert answer.json()["legal_basis"]
    [use] = (await client.get(f"/licences/{card['id']}/uses", headers=holder())).json()["items"]
    assert (use["mode"], use["purpose_code"], use["case_or_application_id"]) == ("FETCHED", "PREFILL", CASE)
    assert use["fields"] == ["姓名", "住址"]
    async with database.sessions() as session:
        used = await session.scalar(
            select(outbox.c.event).where(outbox.c.subject == "gov.certificates.licence.used.v1")
        )
    assert used is not None
    assert (used["data"]["mode"], used["data"]["purpose_case_id"]) == ("FETCHED", CASE)
    assert used["subject"] == use["id"]


async def test_without_named_fields_the_whole_surface_is_handed_out(
    client: httpx.AsyncClient, platform: Caller, issue: Issue, person_order: Order
) -> None:
    card = await issue(person_order())
    answer = await client.post(f"/licences/{card['id']}/fetch", json=wanted(fields=None), headers=platform())
    assert "公民身份号码" in answer.json()["surface"]


async def test_a_retried_fetch_is_one_use(
    client: httpx.AsyncClient, platform: Caller, holder: Caller, issue: Issue, person_order: Order
) -> None:
    card, headers = await issue(person_order()), platform()
    first = await client.post(f"/licences/{card['id']}/fetch", json=wanted(), headers=headers)
    again = await client.post(f"/licences/{card['id']}/fetch", json=wanted(), headers=headers)
    assert again.json() == first.json()
    uses = (await client.get(f"/licences/{card['id']}/uses", headers=holder())).json()["items"]
    assert len(uses) == 1


async def test_nothing_is_handed_out_of_a_revoked_licence(
    client: httpx.AsyncClient, platform: Caller, police: Caller, issue: Issue, person_order: Order
) -> None:
    card = await issue(person_order())
    await client.post(
        f"/licences/{card['id']}/revoke",
        json={"reason": "NOT_ELIGIBLE"},
        headers=police() | {"If-Match": '"1"'},
    )
    answer = await client.post(f"/licences/{card['id']}/fetch", json=wanted(), headers=platform())
    assert (answer.status_code, answer.json()["code"]) == (409, "licence_not_valid")


@pytest.mark.parametrize(
    ("changes", "pointer"),
    [
        ({"purpose_code": "CURIOSITY"}, "/purpose_code"),
        ({"purpose_code": "SHOWN_BY_HOLDER"}, "/purpose_code"),
        ({"case_or_application_id": None}, "/case_or_application_id"),
        ({"fields": ["颜色"]}, "/fields/0"),
        ({"fields": []}, "/fields"),
    ],
)
async def test_a_fetch_needs_purpose_case_and_known_fields(
    client: httpx.AsyncClient,
    platform: Caller,
    issue: Issue,
    person_order: Order,
    changes: Json,
    pointer: str,
) -> None:
    card = await issue(person_order())
    answer = await client.post(f"/licences/{card['id']}/fetch", json=wanted(**changes), headers=platform())
    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, pointer)


async def test_sharing_is_for_services_with_the_scope(
    client: httpx.AsyncClient, token: Callable[..., dict[str, str]], issue: Issue, person_order: Order
) -> None:
    card = await issue(person_order())
    partner = token(subject_type="client", sub="x", scope="certificates:licences.verify")
    fetch = await client.post(f"/licences/{card['id']}/fetch", json=wanted(), headers=partner)
    assert fetch.status_code == 403
    assert (await client.get(f"/holders/{HOLDER}/licences", headers=partner)).status_code == 403
    assert (await client.get(f"/holders/{HOLDER}/licences")).status_code == 401


async def test_an_unknown_licence_is_not_found(client: httpx.AsyncClient, platform: Caller) -> None:
    answer = await client.post(f"/licences/{new_id()}/fetch", json=wanted(), headers=platform())
    assert answer.status_code == 404
