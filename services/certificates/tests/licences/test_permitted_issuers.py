"""Who may issue a type, and who decides about a licence afterwards."""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any
from uuid import UUID

import httpx
import pytest
from sqlalchemy import func, select

from certificates_service.departments.models import Department
from certificates_service.licences.handlers.standing import find_unpermitted
from certificates_service.licences.models import Licence
from service_common.db import Database
from service_common.departments import DepartmentState, keep_departments

Json = dict[str, Any]
Order = Callable[..., Json]
Caller = Callable[[], dict[str, str]]
Issue = Callable[[Json], Awaitable[Json]]
Token = Callable[..., dict[str, str]]

POLICE_ID = "00000000-0000-7000-8000-0000000000a2"
DISTRICT = DepartmentState(
    id=UUID("00000000-0000-7000-8000-0000000000a3"),
    uscc="11990304LB0000230Y",
    name="示例区市场监督管理局",
    division="430304000000",
    active=True,
    revision=1,
)
SICHUAN = replace(
    DISTRICT,
    id=UUID("00000000-0000-7000-8000-0000000000a4"),
    uscc="11990300LB00002305",
    name="外省示例区市场监督管理局",
    division="511602000000",
)
REVOKE = {"reason": "OBTAINED_BY_DECEIT"}
SUSPEND = {"reason": "PENALTY_SUSPENSION"}
CHECKED = {"If-Match": '"1"'}


@pytest.fixture
async def district(database: Database, token: Token) -> Caller:
    """The same kind of department as the market regulator, one division below it."""
    async with database.sessions() as session, session.begin():
        await keep_departments(session, Department, [DISTRICT, SICHUAN])
    return lambda: _system(token, DISTRICT.id)


def _system(token: Token, department_id: UUID) -> dict[str, str]:
    return token(sub="system", subject_type="client", client_id="system", department_id=str(department_id))


async def _licences(database: Database) -> int:
    async with database.sessions() as session:
        return await session.scalar(select(func.count()).select_from(Licence)) or 0


async def test_a_department_of_another_kind_does_not_issue_the_type(
    client: httpx.AsyncClient, police: Caller, business_order: Order, database: Database
) -> None:
    order = business_order(issuer_department_id=POLICE_ID)
    answer = await client.post("/licences", json=order, headers=police())
    assert (answer.status_code, answer.json()["code"]) == (403, "issuer_not_permitted")
    assert await _licences(database) == 0


async def test_nor_does_the_platform_for_it(
    client: httpx.AsyncClient, platform: Caller, business_order: Order, database: Database
) -> None:
    order = business_order(issuer_department_id=POLICE_ID)
    answer = await client.post("/licences", json=order, headers=platform())
    assert answer.json()["code"] == "issuer_not_permitted"
    assert await _licences(database) == 0


async def test_a_batch_names_each_row_that_its_issuer_may_not_issue(
    client: httpx.AsyncClient,
    platform: Caller,
    business_order: Order,
    person_order: Order,
    database: Database,
) -> None:
    rows = [person_order(), business_order(issuer_department_id=POLICE_ID)]
    answer = await client.post("/licences/batches", json={"licences": rows}, headers=platform())
    assert [one["pointer"] for one in answer.json()["errors"]] == ["/licences/1/issuer_department_id"]
    assert await _licences(database) == 0


async def test_every_division_of_the_province_issues_and_another_province_does_not(
    client: httpx.AsyncClient, district: Caller, token: Token, business_order: Order
) -> None:
    own = business_order(issuer_department_id=str(DISTRICT.id))
    assert (await client.post("/licences", json=own, headers=district())).status_code == 201
    foreign = business_order(issuer_department_id=str(SICHUAN.id))
    answer = await client.post("/licences", json=foreign, headers=_system(token, SICHUAN.id))
    assert answer.json()["code"] == "issuer_not_permitted"


async def test_a_new_version_needs_a_permitted_issuer_too(
    client: httpx.AsyncClient, issue: Issue, market: Caller, platform: Caller, business_order: Order
) -> None:
    licence = await issue(business_order())
    listed = (await client.get("/licence-types/11990000LB0000230M001")).json()
    assert listed["issuers"] == [{"kind": "SCJG", "uscc": None, "division": "430000000000"}]
    narrowed = await _type_with_issuers(client, platform, [{"uscc": DISTRICT.uscc}])
    assert narrowed == {"added": 0, "changed": 1, "unchanged": 0}
    content = {"surface": business_order()["surface"], "valid_from": "2026-01-01"}
    answer = await client.post(
        f"/licences/{licence['id']}/versions", json=content, headers=market() | CHECKED
    )
    assert (answer.status_code, answer.json()["code"]) == (403, "issuer_not_permitted")


async def test_what_was_issued_before_is_listed_for_people_to_look_at(
    client: httpx.AsyncClient, issue: Issue, platform: Caller, business_order: Order, database: Database
) -> None:
    await issue(business_order())
    async with database.sessions() as session:
        assert await find_unpermitted(session) == []
    await _type_with_issuers(client, platform, [{"uscc": DISTRICT.uscc}])
    async with database.sessions() as session:
        [found] = await find_unpermitted(session)
    assert (found.type_code, found.licences) == (business_order()["type_code"], 1)


async def test_a_kind_without_any_department_is_a_fault_of_the_file(
    client: httpx.AsyncClient, platform: Caller
) -> None:
    problems = await _type_with_issuers(client, platform, [{"kind": "NOBODY"}])
    assert [(one["pointer"], one["code"]) for one in problems["errors"]] == [
        ("/licence_types/0/issuers/0/kind", "kind_without_department")
    ]


async def test_the_superior_revokes_what_was_granted_below_it(
    client: httpx.AsyncClient, district: Caller, market: Caller, issue: Issue, business_order: Order
) -> None:
    """行政许可法 art. 69: the organ that decided, or its superior, revokes."""
    url = f"/licences/{(await issue(business_order(issuer_department_id=str(DISTRICT.id))))['id']}"
    assert (await client.get(url, headers=market())).status_code == 200
    suspending = await client.post(f"{url}/suspend", json=SUSPEND, headers=market() | CHECKED)
    assert (suspending.status_code, suspending.json()["code"]) == (403, "superior_only_revokes")
    revoking = await client.post(f"{url}/revoke", json=REVOKE, headers=market() | CHECKED)
    assert (revoking.status_code, revoking.json()["status"]) == (200, "REVOKED")


async def test_who_is_below_or_of_another_kind_does_not_know_of_it(
    client: httpx.AsyncClient, district: Caller, police: Caller, issue: Issue, business_order: Order
) -> None:
    url = f"/licences/{(await issue(business_order()))['id']}"
    for stranger in (district, police):
        for path, body in ((f"{url}/revoke", REVOKE), (f"{url}/suspend", SUSPEND)):
            answer = await client.post(path, json=body, headers=stranger() | CHECKED)
            assert (answer.status_code, answer.json()["code"]) == (404, "no_such_licence")
        assert (await client.get(url, headers=stranger())).status_code == 404


async def test_the_successor_of_a_closed_department_takes_its_licences_over(
    client: httpx.AsyncClient,
    district: Caller,
    token: Token,
    issue: Issue,
    business_order: Order,
    database: Database,
) -> None:
    """Same kind, same division, while the issuer is closed; what it issues anew is its own."""
    heir = replace(DISTRICT, id=UUID("00000000-0000-7000-8000-0000000000a5"), uscc="11990300LB00002305")
    url = f"/licences/{(await issue(business_order(issuer_department_id=str(DISTRICT.id))))['id']}"
    async with database.sessions() as session, session.begin():
        await keep_departments(session, Department, [heir])
    early = await client.post(f"{url}/suspend", json=SUSPEND, headers=_system(token, heir.id) | CHECKED)
    assert early.status_code == 404
    async with database.sessions() as session, session.begin():
        await keep_departments(session, Department, [replace(DISTRICT, active=False, revision=2)])
    suspended = await client.post(f"{url}/suspend", json=SUSPEND, headers=_system(token, heir.id) | CHECKED)
    assert (suspended.status_code, suspended.json()["status"]) == (200, "SUSPENDED")
    resumed = await client.post(
        f"{url}/resume",
        json={"reason": "SUSPENSION_SERVED"},
        headers=_system(token, heir.id) | {"If-Match": '"2"'},
    )
    assert resumed.status_code == 200
    content = {"surface": business_order()["surface"], "valid_from": "2026-01-01"}
    renewed = await client.post(
        f"{url}/versions", json=content, headers=_system(token, heir.id) | {"If-Match": '"3"'}
    )
    assert (renewed.status_code, renewed.json()["issuer"]["department_id"]) == (201, str(heir.id))


async def _type_with_issuers(client: httpx.AsyncClient, platform: Caller, issuers: list[Json]) -> Any:
    listed = (await client.get("/licence-types/11990000LB0000230M001")).json()
    row = {
        name: listed[name]
        for name in ("code", "name", "aliases", "is_official", "code_known", "category", "authority")
    }
    row |= {
        "holder_kind": "BOTH",
        "validity": {"rule": "LONG_TERM"},
        "qr_lifetime_seconds": 60,
        "surface_fields": [
            {name: one[name] for name in ("source", "required", "personal")} | {"name": one["key"]}
            for one in listed["surface_fields"]
        ],
        "issuers": issuers,
    }
    answer = await client.post("/licence-types/imports", json={"licence_types": [row]}, headers=platform())
    return answer.json()
