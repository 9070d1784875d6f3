import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import httpx
import pytest
from sqlalchemy import func, select, text

from certificates_service.licences.models import Licence
from gov_rules.identifiers import parse_licence_identifier
from service_common import timeline
from service_common.clock import local_date, utc_now
from service_common.db import Database, new_id
from service_common.tables import outbox

Json = dict[str, Any]
Order = Callable[..., Json]
Caller = Callable[[], dict[str, str]]
Issue = Callable[[Json], Awaitable[Json]]

ISSUED = "gov.certificates.licence.issued.v1"
CHANGED = "gov.certificates.licence.status-changed.v1"


async def _licences(database: Database) -> int:
    async with database.sessions() as session:
        return await session.scalar(select(func.count()).select_from(Licence)) or 0


async def _events(database: Database) -> list[Json]:
    async with database.sessions() as session:
        return list(await session.scalars(select(outbox.c.event).order_by(outbox.c.id)))


async def test_a_licence_is_issued_with_identifier_event_and_history(
    client: httpx.AsyncClient, platform: Caller, business_order: Order, database: Database
) -> None:
    case_id = str(new_id())
    answer = await client.post("/licences", json=business_order(case_id=case_id), headers=platform())
    licence = answer.json()
    assert (answer.status_code, answer.headers["etag"]) == (201, '"1"')
    assert answer.headers["location"] == f"/certificates/v1/licences/{licence['id']}"
    identifier = parse_licence_identifier(licence["identifier"])
    assert identifier.type_code.value == "11990000LB0000230M001"
    assert (identifier.issuer_code, identifier.version) == ("11990000LB0000230M", 1)
    assert (licence["status"], licence["status_label"], licence["valid"]) == ("NORMAL", "正常", True)
    [event] = await _events(database)
    assert (event["type"], event["revision"]) == (ISSUED, 1)
    assert event["data"] | {"case_id": case_id, "licence_version": 1} == event["data"]
    async with database.sessions() as session:
        history = await timeline.read(session, licence["id"])
    assert [entry.action for entry in history] == ["issue"]
    assert timeline.verify(history)


async def test_the_event_carries_nothing_personal(
    issue: Issue, person_order: Order, database: Database
) -> None:
    await issue(person_order())
    assert "王小麦" not in str(await _events(database))
    assert "990101199001010019" not in str(await _events(database))


async def test_surface_and_document_are_not_readable_in_the_database(
    issue: Issue, person_order: Order, database: Database
) -> None:
    await issue(person_order(number="990101199001010019"))
    async with database.sessions() as session:
        rows = (await session.execute(text("SELECT l::text FROM licences l"))).scalars().all()
        history = (await session.execute(text("SELECT t::text FROM timeline_entries t"))).scalars().all()
    for secret in ("王小麦", "990101199001010019"):
        hexed = secret.encode().hex()
        assert all(secret not in row and hexed not in row for row in [*rows, *history])


async def test_the_department_itself_pushes_a_licence(
    client: httpx.AsyncClient, market: Caller, business_order: Order
) -> None:
    answer = await client.post("/licences", json=business_order(), headers=market())
    assert answer.status_code == 201


async def test_another_department_cannot_issue_in_its_name(
    client: httpx.AsyncClient, police: Caller, business_order: Order, database: Database
) -> None:
    answer = await client.post("/licences", json=business_order(), headers=police())
    assert (answer.status_code, answer.json()["code"]) == (403, "not_the_issuer")
    assert await _licences(database) == 0


async def test_a_person_cannot_issue_even_with_the_scope(
    client: httpx.AsyncClient, holder: Caller, business_order: Order
) -> None:
    assert (await client.post("/licences", json=business_order(), headers=holder())).status_code == 403


async def test_a_partner_without_the_scope_cannot_issue(
    client: httpx.AsyncClient, token: Callable[..., dict[str, str]], business_order: Order
) -> None:
    headers = token(subject_type="client", sub="x", scope="certificates:licences.verify")
    answer = await client.post("/licences", json=business_order(), headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (403, "insufficient_scope")


async def test_nobody_issues_without_a_login(client: httpx.AsyncClient, business_order: Order) -> None:
    headers = {"Idempotency-Key": "a"}
    assert (await client.post("/licences", json=business_order(), headers=headers)).status_code == 401


async def test_a_case_told_twice_gets_the_licence_it_has(
    client: httpx.AsyncClient, platform: Caller, business_order: Order, database: Database
) -> None:
    order = business_order(case_id=str(new_id()))
    first = await client.post("/licences", json=order, headers=platform())
    again = await client.post("/licences", json=order, headers=platform())
    assert (first.status_code, again.status_code) == (201, 200)
    assert again.json() == first.json()
    assert len(await _events(database)) == 1


async def test_a_case_cannot_get_a_different_licence(
    client: httpx.AsyncClient, platform: Caller, business_order: Order
) -> None:
    case_id = str(new_id())
    await client.post("/licences", json=business_order(case_id=case_id), headers=platform())
    other = business_order(case_id=case_id, holder={"kind": "LEGAL_PERSON", "id": str(new_id())})
    answer = await client.post("/licences", json=other, headers=platform())
    assert (answer.status_code, answer.json()["code"]) == (409, "case_has_licence")


async def test_a_department_that_names_another_ones_case_keeps_no_licence_from_it(
    client: httpx.AsyncClient, police: Caller, platform: Caller, business_order: Order, person_order: Order
) -> None:
    case_id = str(new_id())
    squatting = await client.post("/licences", json=person_order(case_id=case_id), headers=police())
    decided = await client.post("/licences", json=business_order(case_id=case_id), headers=platform())
    again = await client.post("/licences", json=business_order(case_id=case_id), headers=platform())
    assert (squatting.status_code, decided.status_code, again.status_code) == (201, 201, 200)
    assert again.json()["id"] == decided.json()["id"]


async def test_the_same_idempotency_key_issues_once(
    client: httpx.AsyncClient, platform: Caller, business_order: Order, database: Database
) -> None:
    headers = platform()
    first = await client.post("/licences", json=business_order(), headers=headers)
    again = await client.post("/licences", json=business_order(), headers=headers)
    assert again.json() == first.json()
    assert await _licences(database) == 1


async def test_eight_orders_for_one_case_at_the_same_moment_issue_one_licence(
    client: httpx.AsyncClient, platform: Caller, business_order: Order, database: Database
) -> None:
    order = business_order(case_id=str(new_id()))
    answers = await asyncio.gather(
        *(client.post("/licences", json=order, headers=platform()) for _ in range(8))
    )
    assert sorted(one.status_code for one in answers) == [200] * 7 + [201]
    assert len({one.json()["identifier"] for one in answers}) == 1
    assert (await _licences(database), len(await _events(database))) == (1, 1)


async def test_a_printed_number_belongs_to_one_living_licence(
    client: httpx.AsyncClient, platform: Caller, business_order: Order
) -> None:
    order = business_order(number="示市监照1号")
    answers = await asyncio.gather(
        *(client.post("/licences", json=order, headers=platform()) for _ in range(4))
    )
    assert sorted(one.status_code for one in answers) == [201, 422, 422, 422]
    refused = next(one for one in answers if one.status_code == 422)
    assert [one["code"] for one in refused.json()["errors"]] == ["number_taken"]


async def test_an_expired_licence_gives_its_number_free(
    client: httpx.AsyncClient, platform: Caller, issue: Issue, person_order: Order, database: Database
) -> None:
    today = local_date(utc_now())
    old = await issue(
        person_order(number="990101199001010019", valid_from="2020-01-01", valid_until=str(today))
    )
    async with database.sessions() as session, session.begin():
        row = await session.get(Licence, old["id"])
        assert row is not None
        row.valid_until = today - timedelta(days=1)
    await issue(person_order(number="990101199001010019"))
    changed = [event for event in await _events(database) if event["type"] == CHANGED]
    assert [(one["data"]["licence_id"], one["data"]["status"]) for one in changed] == [(old["id"], "EXPIRED")]


@pytest.mark.parametrize(
    ("changes", "pointer", "code"),
    [
        ({"surface": {"名称": "x"}}, "/surface/统一社会信用代码", "missing"),
        ({"type_code": "11990000LB0000230M999"}, "/type_code", "unknown_type"),
        ({"valid_until": "2030-01-01"}, "/valid_until", "long_term_type"),
        (
            {"surface": {"统一社会信用代码": "x", "名称": "x", "颜色": "红"}},
            "/surface/颜色",
            "unknown_field",
        ),
    ],
)
async def test_what_is_no_licence_of_the_type_is_refused_with_the_field(
    client: httpx.AsyncClient,
    platform: Caller,
    business_order: Order,
    changes: Json,
    pointer: str,
    code: str,
) -> None:
    answer = await client.post("/licences", json=business_order(**changes), headers=platform())
    assert answer.status_code == 422
    assert [(one["pointer"], one["code"]) for one in answer.json()["errors"]] == [(pointer, code)]


async def test_an_identity_card_is_for_persons(
    client: httpx.AsyncClient, platform: Caller, person_order: Order
) -> None:
    order = person_order(holder={"kind": "LEGAL_PERSON", "id": str(new_id())})
    answer = await client.post("/licences", json=order, headers=platform())
    assert [one["code"] for one in answer.json()["errors"]] == ["wrong_holder"]


async def test_a_department_that_identity_has_not_told_of_is_asked_to_come_later(
    client: httpx.AsyncClient, platform: Caller, business_order: Order
) -> None:
    order = business_order(issuer_department_id=str(new_id()))
    answer = await client.post("/licences", json=order, headers=platform())
    assert (answer.status_code, answer.json()["code"]) == (409, "issuer_not_known")


async def test_what_the_library_knows_is_on_the_surface(
    client: httpx.AsyncClient, issue: Issue, business_order: Order, agent: Caller
) -> None:
    licence = await issue(business_order())
    read = (await client.get(f"/licences/{licence['id']}", headers=agent())).json()
    assert read["surface"]["登记机关"] == "示例市市场监督管理局"
    assert read["surface"]["核准日期"] == str(local_date(utc_now()))


async def test_a_batch_is_issued_whole(
    client: httpx.AsyncClient, market: Caller, business_order: Order, database: Database
) -> None:
    rows = [business_order(number=f"示市监照{n}号") for n in range(20)]
    answer = await client.post("/licences/batches", json={"licences": rows}, headers=market())
    assert answer.status_code == 201
    identifiers = {one["identifier"] for one in answer.json()["licences"]}
    assert len(identifiers) == 20
    assert len(await _events(database)) == 20


async def test_a_batch_names_every_bad_row_and_issues_nothing(
    client: httpx.AsyncClient, market: Caller, business_order: Order, database: Database
) -> None:
    rows = [business_order(number="1"), business_order(surface={}), business_order(number="1")]
    answer = await client.post("/licences/batches", json={"licences": rows}, headers=market())
    assert answer.status_code == 422
    assert [one["pointer"] for one in answer.json()["errors"]] == [
        "/licences/0/number",
        "/licences/1/surface/统一社会信用代码",
        "/licences/1/surface/名称",
        "/licences/2/number",
    ]
    assert await _licences(database) == 0


async def test_a_case_stands_once_in_a_batch(
    client: httpx.AsyncClient, market: Caller, business_order: Order
) -> None:
    row = business_order(case_id=str(new_id()))
    answer = await client.post("/licences/batches", json={"licences": [row, row]}, headers=market())
    assert {one["code"] for one in answer.json()["errors"]} == {"case_has_licence"}


async def test_a_batch_of_another_departments_rows_is_refused(
    client: httpx.AsyncClient, market: Caller, business_order: Order, person_order: Order
) -> None:
    rows = [business_order(), person_order()]
    answer = await client.post("/licences/batches", json={"licences": rows}, headers=market())
    assert answer.json()["code"] == "not_the_issuer"


async def test_a_batch_of_501_rows_is_refused(
    client: httpx.AsyncClient, market: Caller, business_order: Order
) -> None:
    rows = [business_order(surface={})] * 501
    answer = await client.post("/licences/batches", json={"licences": rows}, headers=market())
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["pointer"] == "/licences"


async def test_a_new_version_supersedes_the_old_one(
    client: httpx.AsyncClient, issue: Issue, market: Caller, business_order: Order, database: Database
) -> None:
    old = await issue(business_order(number="示市监照1号"))
    content = {
        "surface": {"统一社会信用代码": "91990101MA0000A19H", "名称": "新名便利店有限公司"},
        "valid_from": "2026-11-01",
        "number": "示市监照1号",
    }
    url = f"/licences/{old['id']}/versions"
    answer = await client.post(url, json=content, headers=market() | {"If-Match": '"1"'})
    new = answer.json()
    assert answer.status_code == 201, answer.text
    was, is_now = parse_licence_identifier(old["identifier"]), parse_licence_identifier(new["identifier"])
    assert (is_now.serial, is_now.version, new["licence_version"]) == (was.serial, 2, 2)
    assert new["predecessor_identifier"] == old["identifier"]
    read = (await client.get(f"/licences/{old['id']}", headers=market())).json()
    assert (read["status"], read["successor_identifier"]) == ("SUPERSEDED", new["identifier"])
    types = [event["type"] for event in await _events(database)]
    assert types == [ISSUED, CHANGED, ISSUED]
    again = await client.post(url, json=content, headers=market() | {"If-Match": f'"{read["version"]}"'})
    assert (again.status_code, again.json()["code"]) == (409, "licence_action_not_possible")


async def test_two_new_versions_at_the_same_moment_are_one(
    client: httpx.AsyncClient, issue: Issue, market: Caller, business_order: Order, database: Database
) -> None:
    old = await issue(business_order())
    content = {"surface": business_order()["surface"], "valid_from": "2026-11-01"}
    answers = await asyncio.gather(
        *(
            client.post(
                f"/licences/{old['id']}/versions", json=content, headers=market() | {"If-Match": '"1"'}
            )
            for _ in range(4)
        )
    )
    assert sorted(one.status_code for one in answers) == [201, 412, 412, 412]
    assert await _licences(database) == 2


async def test_another_department_is_not_told_of_a_licence_it_wants_to_reissue(
    client: httpx.AsyncClient, issue: Issue, police: Caller, business_order: Order
) -> None:
    old = await issue(business_order())
    content = {"surface": business_order()["surface"], "valid_from": "2026-11-01"}
    answer = await client.post(
        f"/licences/{old['id']}/versions", json=content, headers=police() | {"If-Match": '"1"'}
    )
    assert answer.status_code == 404
