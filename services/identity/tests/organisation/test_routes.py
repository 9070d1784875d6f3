"""Divisions, departments, staff and the snapshot over HTTP."""

from pathlib import Path

import httpx
import pyotp
import pytest
from services.identity.tests.factories import HEALTH_USCC, MARKET_USCC, Population, Tokens
from sqlalchemy import select

from identity_service.db import Transactions
from identity_service.organisation.domain import Role
from service_common.tables import outbox

DATA = Path(__file__).parents[4] / "data" / "divisions"
CSV = "code,name,level,parent_code\n430000,湖南省,province,\n430300,湘潭市,city,430000\n430302,雨湖区,county,430300\n"


@pytest.fixture
async def operator(population: Population, tokens: Tokens) -> dict[str, str]:
    return tokens.staff(await population.staff(Role.OPERATOR))


async def import_csv(client: httpx.AsyncClient, headers: dict[str, str], text: str) -> httpx.Response:
    return await client.post(
        "/identity/v1/divisions/imports",
        content=text.encode(),
        headers={**headers, "content-type": "text/csv"},
    )


def department(**changes: object) -> dict[str, object]:
    return {
        "uscc": HEALTH_USCC,
        "name": "示例市卫生健康委员会",
        "short_name": "示例卫健",
        "division": "430300",
        **changes,
    }


async def test_divisions_are_imported_once_and_listed_by_parent(
    client: httpx.AsyncClient, operator: dict[str, str]
) -> None:
    assert (await import_csv(client, operator, CSV)).json() == {"rows": 3, "changed": 3}
    assert (await import_csv(client, operator, CSV)).json() == {"rows": 3, "changed": 0}
    renamed = CSV.replace("雨湖区", "雨湖新区")
    assert (await import_csv(client, operator, renamed)).json() == {"rows": 3, "changed": 1}
    below = (await client.get("/identity/v1/divisions?parent=430300")).json()
    assert [(row["code"], row["name"]) for row in below["items"]] == [("430302000000", "雨湖新区")]
    top = (await client.get("/identity/v1/divisions")).json()
    assert [row["name"] for row in top["items"]] == ["湖南省"]
    assert (await client.get("/identity/v1/divisions/430302")).json()["level"] == "COUNTY"


async def test_a_bad_line_loads_nothing(client: httpx.AsyncClient, operator: dict[str, str]) -> None:
    answer = await import_csv(client, operator, CSV + "43,坏行,,\n431199,无上级的区,county,431100\n")
    assert answer.status_code == 422
    assert [problem["pointer"] for problem in answer.json()["errors"]] == ["/lines/5"]
    orphan = await import_csv(client, operator, "code,name\n430302,雨湖区\n")
    assert orphan.json()["errors"][0]["pointer"] == "/lines/2"
    assert (await client.get("/identity/v1/divisions")).json()["items"] == []


async def test_all_real_divisions_to_the_county_can_be_loaded(
    client: httpx.AsyncClient, operator: dict[str, str]
) -> None:
    answer = await import_csv(client, operator, (DATA / "divisions_to_county.csv").read_text())
    assert answer.json() == {"rows": 3351, "changed": 3351}
    seen: list[str] = []
    link = "/identity/v1/divisions?limit=10"
    while link:
        page = (await client.get(link)).json()
        seen += [row["code"] for row in page["items"]]
        link = page.get("next")
    assert len(seen) == len(set(seen)) == 31


@pytest.mark.parametrize(
    ("content", "media_type"),
    [(b"\xff\xfe", "text/csv"), (b"code,name\n", "application/xml"), (b"", "")],
)
async def test_a_file_of_another_kind_is_refused(
    client: httpx.AsyncClient, operator: dict[str, str], content: bytes, media_type: str
) -> None:
    answer = await client.post(
        "/identity/v1/divisions/imports",
        content=content,
        headers={**operator, "content-type": media_type},
    )
    assert (answer.status_code, answer.json()["code"]) == (422, "unreadable_file")


async def test_a_department_is_added_changed_and_told(
    client: httpx.AsyncClient, operator: dict[str, str], transactions: Transactions
) -> None:
    added = await client.post("/identity/v1/departments", json=department(), headers=operator)
    assert added.status_code == 201, added.text
    again = await client.post("/identity/v1/departments", json=department(), headers=operator)
    assert again.json() == added.json()
    department_id = added.json()["id"]
    assert added.json()["division"] == "430300000000"
    renamed = await client.put(
        f"/identity/v1/departments/{department_id}",
        json=department(name="示例市卫健委"),
        headers={**operator, "If-Match": added.headers["etag"]},
    )
    assert renamed.json()["name"] == "示例市卫健委"
    async with transactions() as session:
        events = (
            await session.scalars(
                select(outbox.c.event)
                .where(outbox.c.aggregate_id == department_id)
                .order_by(outbox.c.revision)
            )
        ).all()
    assert [(event["revision"], event["data"]["name"]) for event in events] == [
        (1, "示例市卫生健康委员会"),
        (2, "示例市卫健委"),
    ]


async def test_a_change_needs_the_current_version(
    client: httpx.AsyncClient, operator: dict[str, str]
) -> None:
    added = await client.post("/identity/v1/departments", json=department(), headers=operator)
    address = f"/identity/v1/departments/{added.json()['id']}"
    assert (await client.put(address, json=department(), headers=operator)).status_code == 428
    stale = {**operator, "If-Match": '"99"'}
    assert (await client.put(address, json=department(), headers=stale)).status_code == 412


@pytest.mark.parametrize(
    ("changes", "code", "pointer"),
    [
        ({"uscc": "11990000LB0000177X"}, "invalid_credit_code", "/uscc"),
        ({"division": "430399"}, "invalid_division", "/division"),
        ({"division": "99"}, "invalid_input", "/division"),
        ({"name": ""}, "invalid_input", "/name"),
        ({"colour": "red"}, "invalid_input", "/colour"),
    ],
)
async def test_a_bad_department_names_the_field(
    client: httpx.AsyncClient, operator: dict[str, str], changes: dict[str, object], code: str, pointer: str
) -> None:
    answer = await client.post("/identity/v1/departments", json=department(**changes), headers=operator)
    assert (answer.status_code, answer.json()["code"]) == (422, code)
    assert answer.json()["errors"][0]["pointer"] == pointer


async def test_departments_form_a_tree(
    client: httpx.AsyncClient, operator: dict[str, str], population: Population, tokens: Tokens
) -> None:
    added = await client.post("/identity/v1/departments", json=department(), headers=operator)
    root = added.json()
    headers = tokens.staff(await population.staff(Role.OPERATOR))
    unit = department(unit_suffix="01", parent_id=root["id"])
    child = await client.post("/identity/v1/departments", json=unit, headers=headers)
    assert child.status_code == 201
    into_itself = await client.put(
        f"/identity/v1/departments/{root['id']}",
        json=department(parent_id=child.json()["id"]),
        headers={**headers, "If-Match": added.headers["etag"]},
    )
    assert (into_itself.status_code, into_itself.json()["code"]) == (409, "department_tree_broken")


async def test_a_second_department_of_the_code_is_a_conflict(
    client: httpx.AsyncClient, operator: dict[str, str], population: Population, tokens: Tokens
) -> None:
    await client.post("/identity/v1/departments", json=department(), headers=operator)
    other = tokens.staff(await population.staff(Role.OPERATOR))
    answer = await client.post("/identity/v1/departments", json=department(), headers=other)
    assert (answer.status_code, answer.json()["code"]) == (409, "department_exists")


async def test_departments_are_public_and_come_in_pages(
    client: httpx.AsyncClient, population: Population
) -> None:
    for uscc in (MARKET_USCC, HEALTH_USCC, "11990000LB0000409R"):
        await population.department(uscc)
    seen: list[str] = []
    link = "/identity/v1/departments?limit=2&division=430300"
    while link:
        page = (await client.get(link)).json()
        seen += [row["uscc"] for row in page["items"]]
        link = page.get("next")
    assert sorted(seen) == sorted([MARKET_USCC, HEALTH_USCC, "11990000LB0000409R"])
    found = (await client.get(f"/identity/v1/departments?uscc={HEALTH_USCC}")).json()
    assert [row["uscc"] for row in found["items"]] == [HEALTH_USCC]


async def test_new_staff_get_a_password_and_a_second_factor_once(
    client: httpx.AsyncClient, operator: dict[str, str], population: Population
) -> None:
    unit = await population.department()
    body = {
        "username": "zhang.lixia",
        "name": "张立夏",
        "department_id": str(unit.id),
        "roles": ["clerk", "approver"],
    }
    answer = await client.post("/identity/v1/staff", json=body, headers=operator)
    assert answer.status_code == 201, answer.text
    made = answer.json()
    assert made["name"] == "张**"
    assert made["roles"] == ["approver", "clerk"]
    assert pyotp.parse_uri(made["totp_uri"]).secret == made["totp_secret"]
    shown = (await client.get(f"/identity/v1/staff/{made['id']}", headers=operator)).json()
    assert "password" not in shown
    assert "totp_secret" not in shown


async def test_moving_somebody_tells_the_new_assignment(
    client: httpx.AsyncClient, operator: dict[str, str], population: Population, transactions: Transactions
) -> None:
    officer = await population.staff(Role.CLERK)
    health = await population.department(HEALTH_USCC)
    shown = await client.get(f"/identity/v1/staff/{officer.id}", headers=operator)
    moved = await client.put(
        f"/identity/v1/staff/{officer.id}",
        json={"department_id": str(health.id), "roles": ["approver"]},
        headers={**operator, "If-Match": shown.headers["etag"]},
    )
    assert moved.status_code == 200, moved.text
    async with transactions() as session:
        event = await session.scalar(
            select(outbox.c.event).where(outbox.c.aggregate_id == officer.id, outbox.c.revision == 2)
        )
    assert event is not None
    assert event["data"] == {
        "staff_id": str(officer.id),
        "department_id": str(health.id),
        "division": "430300000000",
        "roles": ["approver"],
        "active": True,
    }


async def test_supervisors_see_their_own_department_alone(
    client: httpx.AsyncClient, population: Population, tokens: Tokens
) -> None:
    supervisor = await population.staff(Role.SUPERVISOR)
    colleague = await population.staff(Role.CLERK)
    stranger = await population.staff(Role.CLERK, uscc=HEALTH_USCC)
    headers = tokens.staff(supervisor)
    listed = (await client.get("/identity/v1/staff", headers=headers)).json()["items"]
    assert {row["id"] for row in listed} == {str(supervisor.id), str(colleague.id)}
    assert (await client.get(f"/identity/v1/staff/{stranger.id}", headers=headers)).status_code == 404
    foreign = f"/identity/v1/staff?department_id={stranger.department_id}"
    assert (await client.get(foreign, headers=headers)).status_code == 403


async def test_the_snapshot_has_everything_with_revisions_and_no_names_of_people(
    client: httpx.AsyncClient, population: Population, tokens: Tokens
) -> None:
    officer = await population.staff(Role.CLERK)
    shown = (await client.get("/identity/v1/org/snapshot", headers=tokens.service())).json()
    assert [row["uscc"] for row in shown["departments"]] == [MARKET_USCC]
    assert shown["departments"][0]["revision"] == 1
    assert shown["staff"] == [
        {
            "staff_id": str(officer.id),
            "revision": 1,
            "department_id": str(officer.department_id),
            "division": "430300000000",
            "roles": ["clerk"],
            "active": True,
        }
    ]
    assert "示例人员" not in str(shown)


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/identity/v1/divisions/imports"),
        ("POST", "/identity/v1/departments"),
        ("POST", "/identity/v1/staff"),
        ("GET", "/identity/v1/staff"),
        ("GET", "/identity/v1/org/snapshot"),
        ("POST", "/identity/v1/clients"),
        ("POST", "/identity/v1/profiles/lookup"),
        ("GET", "/identity/v1/me"),
        ("GET", "/identity/v1/me/inbox"),
    ],
)
async def test_nobody_enters_without_the_scope(
    client: httpx.AsyncClient, population: Population, tokens: Tokens, method: str, path: str
) -> None:
    assert (await client.request(method, path)).status_code == 401
    officer = await population.staff(Role.OPERATOR)
    without = tokens.staff(officer, scope="openid")
    assert (await client.request(method, path, headers=without)).status_code == 403
    elsewhere = tokens.staff(officer, aud=["urn:lianban:acceptance"])
    assert (await client.request(method, path, headers=elsewhere)).status_code == 401
    expired = tokens.staff(officer, exp=1)
    assert (await client.request(method, path, headers=expired)).status_code == 401
