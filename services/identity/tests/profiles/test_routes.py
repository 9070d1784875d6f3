"""Look-ups of verified data, and the log that the person can read."""

from typing import Any
from uuid import uuid4

import httpx
import pytest
from services.identity.tests.factories import Population, Tokens

LOOKUP = "/identity/v1/profiles/lookup"


async def test_a_service_gets_what_it_asks_for_and_the_person_can_read_that_it_did(
    client: httpx.AsyncClient, population: Population, tokens: Tokens
) -> None:
    person = await population.person()
    case_id = str(uuid4())
    answer = await client.post(
        LOOKUP,
        json={
            "person_id": str(person.id),
            "attributes": ["name", "id_number"],
            "purpose": "PREFILL",
            "case_or_application_id": case_id,
        },
        headers=tokens.service("acceptance"),
    )
    assert answer.status_code == 200, answer.text
    assert answer.json()["attributes"] == {"name": person.name, "id_number": person.id_number}
    log = (await client.get("/identity/v1/me/access-log", headers=tokens.person(person))).json()
    (entry,) = log["items"]
    assert entry["client_id"] == "acceptance"
    assert entry["attributes"] == ["id_number", "name"]
    assert (entry["purpose"], entry["reference"]) == ("PREFILL", case_id)
    assert entry["legal_basis"].startswith("《政务数据共享条例》")
    assert person.id_number not in str(log)


async def test_a_legal_person_is_looked_up_with_its_representative(
    client: httpx.AsyncClient, population: Population, tokens: Tokens
) -> None:
    person, company = await population.company()
    answer = await client.post(
        LOOKUP,
        json={
            "legal_person_id": str(company.id),
            "attributes": ["name", "uscc", "representative_name"],
            "purpose": "PREFILL",
        },
        headers=tokens.service(),
    )
    assert answer.json()["attributes"] == {
        "name": company.name,
        "uscc": company.uscc,
        "representative_name": person.name,
    }
    log = (await client.get("/identity/v1/me/access-log", headers=tokens.person(person))).json()
    assert [(entry["subject_id"], entry["attributes"]) for entry in log["items"]] == [
        (str(person.id), ["representative_name"]),
        (str(company.id), ["name", "representative_name", "uscc"]),
    ]


async def test_what_is_not_verified_is_null(
    client: httpx.AsyncClient, population: Population, tokens: Tokens
) -> None:
    person = await population.person(verified=False)
    body = {"person_id": str(person.id), "attributes": ["name", "phone"], "purpose": "PREFILL"}
    answer = await client.post(LOOKUP, json=body, headers=tokens.service())
    assert answer.json()["attributes"] == {"name": None, "phone": person.phone}


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({"person_id": str(uuid4())}, 404),
        ({"legal_person_id": str(uuid4())}, 422),
        ({"person_id": None}, 422),
        ({"attributes": []}, 422),
        ({"attributes": ["uscc"]}, 422),
        ({"attributes": ["password"]}, 422),
        ({"purpose": ""}, 422),
    ],
)
async def test_a_bad_look_up_is_refused(
    client: httpx.AsyncClient,
    population: Population,
    tokens: Tokens,
    changes: dict[str, Any],
    status: int,
) -> None:
    person = await population.person()
    body = {"person_id": str(person.id), "attributes": ["name"], "purpose": "PREFILL", **changes}
    assert (await client.post(LOOKUP, json=body, headers=tokens.service())).status_code == status


async def test_each_reads_the_own_log_alone_in_pages(
    client: httpx.AsyncClient, population: Population, tokens: Tokens
) -> None:
    person, other = await population.person(0), await population.person(1)
    for number in range(5):
        body = {"person_id": str(person.id), "attributes": ["name"], "purpose": f"LOOK {number}"}
        await client.post(LOOKUP, json=body, headers=tokens.service())
    first = (await client.get("/identity/v1/me/access-log?limit=3", headers=tokens.person(person))).json()
    rest = (await client.get(first["next"], headers=tokens.person(person))).json()
    purposes = [entry["purpose"] for entry in [*first["items"], *rest["items"]]]
    assert purposes == [f"LOOK {number}" for number in (4, 3, 2, 1, 0)]
    foreign = (await client.get("/identity/v1/me/access-log", headers=tokens.person(other))).json()
    assert foreign["items"] == []


async def test_the_log_names_the_department_and_the_law(
    client: httpx.AsyncClient, population: Population, tokens: Tokens
) -> None:
    person, department = await population.person(), await population.department()
    body = {
        "person_id": str(person.id),
        "attributes": ["name"],
        "purpose": "PREFILL",
        "legal_basis": "《食品安全法》第三十五条",
        "department_id": str(department.id),
    }
    assert (await client.post(LOOKUP, json=body, headers=tokens.service())).status_code == 200
    (entry,) = (await client.get("/identity/v1/me/access-log", headers=tokens.person(person))).json()["items"]
    assert entry["department_name"] == department.name
    assert (entry["legal_basis"], entry["purpose_label"]) == ("《食品安全法》第三十五条", "办事材料预填")
