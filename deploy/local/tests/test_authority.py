"""The register answers match, mismatch, unknown – and its population is made of nobody."""

import base64

import httpx
import pytest

from gov_rules.identifiers.credit_code import parse_credit_code
from gov_rules.identifiers.identity_number import parse_identity_number
from lianban_local.authority.app import app
from lianban_local.authority.register import population, portrait_of

PERSON = population().natural_persons[0]
COMPANY = population().legal_persons[0]


@pytest.fixture
def client() -> httpx.AsyncClient:
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://authority")


@pytest.mark.parametrize(
    ("name", "id_number", "result"),
    [
        (PERSON.name, PERSON.id_number, "match"),
        (f" {PERSON.name} ", PERSON.id_number.lower(), "match"),
        ("别人", PERSON.id_number, "mismatch"),
        (PERSON.name, "990101199003070015", "unknown"),
    ],
)
async def test_a_person_is_checked(client: httpx.AsyncClient, name: str, id_number: str, result: str) -> None:
    answer = await client.post("/v1/person-checks", json={"name": name, "id_number": id_number})
    assert answer.json() == {"result": result}


@pytest.mark.parametrize(("changed", "result"), [(0, "match"), (3, "match"), (64, "mismatch")])
async def test_a_face_is_compared_with_the_one_on_file(
    client: httpx.AsyncClient, changed: int, result: str
) -> None:
    on_file = portrait_of(PERSON.id_number)
    picture = bytes(255 - value for value in on_file[:changed]) + on_file[changed:]
    body = {
        "name": PERSON.name,
        "id_number": PERSON.id_number,
        "picture": base64.b64encode(picture).decode(),
    }
    answer = (await client.post("/v1/face-checks", json=body)).json()
    assert answer["result"] == result
    assert 0 <= answer["score"] <= 1
    assert answer["reference"].startswith("REG-")


async def test_a_company_is_checked_and_its_public_entry_comes_with_the_match(
    client: httpx.AsyncClient,
) -> None:
    answer = await client.post("/v1/legal-person-checks", json={"uscc": COMPANY.uscc, "name": COMPANY.name})
    assert answer.json()["result"] == "match"
    assert answer.json()["entry"]["status"] == "active"
    assert COMPANY.representative_id_number not in answer.text


@pytest.mark.parametrize(
    ("change", "result"),
    [
        ({"name": "另一家公司"}, "mismatch"),
        ({"representative_id_number": population().natural_persons[1].id_number}, "mismatch"),
        ({"representative_id_number": COMPANY.representative_id_number}, "match"),
        ({"uscc": "91990101MA00009999"}, "unknown"),
    ],
)
async def test_what_differs_is_not_a_match(
    client: httpx.AsyncClient, change: dict[str, str], result: str
) -> None:
    body = {"uscc": COMPANY.uscc, "name": COMPANY.name, **change}
    answer = await client.post("/v1/legal-person-checks", json=body)
    assert answer.json()["result"] == result
    assert ("entry" in answer.json()) == (result == "match")


async def test_personal_data_in_the_query_is_not_understood(client: httpx.AsyncClient) -> None:
    answer = await client.post(
        "/v1/person-checks", params={"name": PERSON.name, "id_number": PERSON.id_number}
    )
    assert answer.status_code == 422


def test_nobody_in_the_population_can_exist() -> None:
    people = population().natural_persons
    assert len({person.id_number for person in people}) == len(people) == 36
    for person in people:
        assert person.id_number.startswith("99") or person.id_number[6:8] == "18"
        parse_identity_number(person.id_number, allow_fixture_prefix=True)
        assert person.phone.startswith("1990000")


def test_companies_are_of_no_place_and_led_by_people_of_the_population() -> None:
    people = {person.id_number for person in population().natural_persons}
    for company in population().legal_persons:
        assert company.uscc[2:4] == "99"
        assert company.representative_id_number in people
        code = parse_credit_code(company.uscc)
        assert (code.value, code.warnings) == (company.uscc, ())
