"""Trust levels 3 and 4, documents of every kind, children and guardians; what expires."""

import asyncio
import base64
from datetime import date
from typing import Any
from uuid import UUID

import httpx
import pytest
from services.identity.tests.conftest import Clock
from services.identity.tests.factories import HEALTH_USCC, LOOPBACK, Citizen, Population, Tokens
from services.identity.tests.flows import Application, claims_of
from services.identity.tests.held import Held
from sqlalchemy import select

from identity_service.db import Transactions
from identity_service.organisation.domain import Role
from identity_service.people.domain import (
    DocumentClaim,
    DocumentKind,
    InvalidDocument,
    age_on,
    comes_of_age,
    read_document,
)
from identity_service.people.handlers.verifications import tell_expired
from identity_service.people.models import Person, Verification
from lianban_local.authority.register import network_credential_of, portrait_of
from service_common.tables import outbox

FACE = "/identity/v1/me/face"
NETWORK = "/identity/v1/me/network-identity"
COUNTER = "/identity/v1/counter-checks"
CHILDREN = "/identity/v1/me/children"


def picture_of(id_number: str) -> dict[str, str]:
    return {"picture": base64.b64encode(portrait_of(id_number)).decode()}


async def events(transactions: Transactions, person_id: Any) -> list[tuple[str, int | None]]:
    async with transactions() as session:
        found = await session.scalars(
            select(outbox.c.event).where(outbox.c.aggregate_id == person_id).order_by(outbox.c.revision)
        )
        return [(event["type"].split(".")[3], event["data"].get("level")) for event in found]


async def test_a_face_gives_level_three_until_it_expires_and_tokens_follow(
    client: httpx.AsyncClient,
    population: Population,
    tokens: Tokens,
    transactions: Transactions,
    clock: Clock,
) -> None:
    person, app = await population.person(), Application(client, await population.app(), LOOPBACK)
    session_tokens = await app.tokens(person, "openid offline_access")
    assert claims_of(session_tokens["access_token"])["acr"] == "urn:lianban:loa:2"
    answer = await client.post(FACE, json=picture_of(person.id_number), headers=tokens.person(person))
    assert (answer.status_code, answer.json()["trust_level"]) == (200, 3), answer.text
    refreshed = (await app.refresh(session_tokens["refresh_token"])).json()
    assert claims_of(refreshed["access_token"])["acr"] == "urn:lianban:loa:3"
    clock.pass_(days=20)
    refreshed = (await app.refresh(refreshed["refresh_token"])).json()
    assert claims_of(refreshed["access_token"])["acr"] == "urn:lianban:loa:3"
    async with transactions() as session:
        (face,) = await session.scalars(select(Verification).where(Verification.method == "FACE"))
        face.expires_at = clock.now()
    refreshed = (await app.refresh(refreshed["refresh_token"])).json()
    assert claims_of(refreshed["access_token"])["acr"] == "urn:lianban:loa:2"
    me = (await client.get("/identity/v1/me", headers=tokens.person(person))).json()
    assert me["trust_level"] == 2
    async with transactions() as session:
        assert await tell_expired(session, now=clock.now()) == 1
    async with transactions() as session:
        assert await tell_expired(session, now=clock.now()) == 0
    assert (await events(transactions, person.id)) == [("verified", 2), ("verified", 3), ("level-lowered", 2)]


async def test_another_face_changes_nothing_but_is_remembered(
    client: httpx.AsyncClient, population: Population, tokens: Tokens
) -> None:
    person, other = await population.person(0), await population.person(1, verified=False)
    answer = await client.post(FACE, json=picture_of(other.id_number), headers=tokens.person(person))
    assert (answer.status_code, answer.json()["code"]) == (422, "not_confirmed")
    unknown = await client.post(FACE, json=picture_of(other.id_number), headers=tokens.person(other))
    assert (unknown.status_code, unknown.json()["code"]) == (409, "real_name_first")
    listed = (await client.get("/identity/v1/me/verifications", headers=tokens.person(person))).json()[
        "items"
    ]
    assert [(one["method"], one["result"], one["level"]) for one in listed] == [
        ("FACE", "MISMATCH", None),
        ("REAL_NAME", "MATCH", 2),
    ]
    assert listed[0]["reference"].startswith("REG-")


async def test_a_network_identity_gives_level_three(
    client: httpx.AsyncClient, population: Population, tokens: Tokens
) -> None:
    person, other = await population.person(0), await population.person(1, verified=False)
    headers = tokens.person(person)
    foreign = {"credential": network_credential_of(other.id_number)}
    assert (await client.post(NETWORK, json=foreign, headers=headers)).json()["code"] == "not_confirmed"
    own = {"credential": network_credential_of(person.id_number)}
    refused = await client.post(NETWORK, json=own, headers=headers)
    assert (refused.status_code, refused.json().get("trust_level")) == (200, 3)
    me = (await client.get("/identity/v1/me", headers=headers)).json()
    assert (me["trust_level"], me["document_label"]) == (3, "居民身份证")


def at_counter(person: Citizen, **changes: Any) -> dict[str, Any]:
    return {
        "phone": person.phone,
        "name": person.name,
        "id_number": person.id_number,
        "evidence_reference": "GT-2026-000123",
        "note": "身份证原件",
        **changes,
    }


async def test_a_clerk_who_has_seen_the_papers_gives_level_four_and_the_person_can_read_it(
    client: httpx.AsyncClient, population: Population, tokens: Tokens
) -> None:
    person, clerk = await population.person(verified=False), await population.staff(Role.CLERK)
    answer = await client.post(COUNTER, json=at_counter(person), headers=tokens.staff(clerk))
    assert (answer.status_code, answer.json()["trust_level"]) == (201, 4), answer.text
    log = (await client.get("/identity/v1/me/access-log", headers=tokens.person(person))).json()["items"]
    assert [(one["purpose"], one["reference"], one["department_id"]) for one in log] == [
        ("COUNTER_CHECK", "GT-2026-000123", str(clerk.department_id))
    ]
    (row,) = (await client.get("/identity/v1/me/verifications", headers=tokens.person(person))).json()[
        "items"
    ]
    assert row["department_id"] == str(clerk.department_id)
    assert row["expires_at"] is not None


@pytest.mark.parametrize(
    ("changes", "status", "code"),
    [
        ({"name": "别人"}, 422, "identity_not_confirmed"),
        ({"phone": "19900000999"}, 404, "no_such_person"),
        ({"id_number": "990101201803150611", "name": "王小苗"}, 403, "with_guardian_only"),
        ({"id_number": "L898902C3", "document_kind": "PASSPORT"}, 422, "invalid_document"),
        (
            {
                "id_number": "L898902C3",
                "document_kind": "PASSPORT",
                "document_country": "UTO",
                "birth_date": "1974-08-13",
            },
            422,
            "identity_not_confirmed",
        ),
    ],
)
async def test_a_counter_check_against_the_register_is_refused(
    client: httpx.AsyncClient,
    population: Population,
    tokens: Tokens,
    changes: dict[str, Any],
    status: int,
    code: str,
) -> None:
    person, clerk = await population.person(verified=False), await population.staff(Role.CLERK)
    answer = await client.post(COUNTER, json=at_counter(person, **changes), headers=tokens.staff(clerk))
    assert (answer.status_code, answer.json()["code"]) == (status, code)


@pytest.mark.parametrize(
    ("changes", "kind"),
    [
        ({"id_number": "911156189905010014", "name": "DIANDIAN EXAMPLE"}, "FOREIGN_PERMANENT_RESIDENT"),
        ({"id_number": "810000189907010024", "name": "何紫荆"}, "HONG_KONG_RESIDENT"),
        ({"id_number": "820000189912200035", "name": "林莲花"}, "MACAO_RESIDENT"),
        ({"id_number": "830000189910100040", "name": "苏玉山"}, "TAIWAN_RESIDENT"),
        (
            {
                "id_number": "L898902C3",
                "document_kind": "PASSPORT",
                "document_country": "UTO",
                "birth_date": "1974-08-12",
                "name": "ANNA MARIA ERIKSSON",
            },
            "PASSPORT",
        ),
        (
            {
                "id_number": "H00000001",
                "document_kind": "HONG_KONG_MACAO_PERMIT",
                "document_country": "HKG",
                "birth_date": "1899-01-01",
                "name": "陈试样",
            },
            "HONG_KONG_MACAO_PERMIT",
        ),
    ],
)
async def test_everybody_verifies_with_the_own_kind_of_document(
    client: httpx.AsyncClient, population: Population, tokens: Tokens, changes: dict[str, Any], kind: str
) -> None:
    person = await population.person(verified=False)
    headers = tokens.person(person)
    answer = await client.post("/identity/v1/me/real-name", json=changes, headers=headers)
    assert (answer.status_code, answer.json().get("trust_level")) == (200, 2), answer.text
    assert (await client.get("/identity/v1/me", headers=headers)).json()["document_kind"] == kind


def test_a_travel_document_needs_its_country_and_birth_date() -> None:
    today = date(2026, 11, 22)
    whole = DocumentClaim("H00000001", DocumentKind.HONG_KONG_MACAO_PERMIT, "HKG", date(1899, 1, 1))
    assert read_document(whole, today=today, allow_fixtures=True).country == "HKG"
    for broken in (
        DocumentClaim("H00000001", DocumentKind.HONG_KONG_MACAO_PERMIT, "USA", date(1899, 1, 1)),
        DocumentClaim("H00000001", DocumentKind.HONG_KONG_MACAO_PERMIT, "HKG", None),
        DocumentClaim("H00000001", DocumentKind.TAIWAN_PERMIT, "TWN", date(2027, 1, 1)),
        DocumentClaim("H 1", DocumentKind.PASSPORT, "USA", date(1999, 1, 1)),
        DocumentClaim("990101199001010019", DocumentKind.TAIWAN_RESIDENT),
    ):
        with pytest.raises(InvalidDocument):
            read_document(broken, today=today, allow_fixtures=True)


def test_who_is_born_on_a_leap_day_comes_of_age_on_the_first_of_march() -> None:
    assert comes_of_age(date(2008, 2, 29)) == date(2026, 3, 1)
    assert age_on(date(2008, 2, 29), date(2026, 2, 28)) == 17
    assert age_on(date(2008, 2, 29), date(2026, 3, 1)) == 18


CHILD = {"name": "王小苗", "id_number": "990101201803150611"}


async def test_a_guardian_registers_a_child_without_phone_until_it_is_of_age(
    client: httpx.AsyncClient, population: Population, tokens: Tokens, transactions: Transactions
) -> None:
    guardian = await population.person(0)
    made = await client.post(CHILDREN, json=CHILD, headers=tokens.person(guardian))
    assert made.status_code == 201, made.text
    assert made.json()["until"] == "2036-03-14T16:00:00Z"
    again = await client.post(CHILDREN, json=CHILD, headers=tokens.person(guardian))
    assert again.json() == made.json()
    async with transactions() as session:
        child = await session.get_one(Person, made.json()["child_id"])
        assert (child.phone, child.trust_level) == (None, 2)
    assert await events(transactions, child.id) == [("registered", None), ("verified", 2)]
    listed = (await client.get("/identity/v1/me/guardianships", headers=tokens.person(guardian))).json()
    assert [one["id"] for one in listed["items"]] == [made.json()["id"]]


async def test_a_stranger_is_no_guardian_but_papers_at_a_counter_make_one(
    client: httpx.AsyncClient, population: Population, tokens: Tokens
) -> None:
    aunt, stranger = await population.person(1), await population.person(2)
    refused = await client.post(CHILDREN, json=CHILD, headers=tokens.person(aunt))
    assert (refused.status_code, refused.json()["code"]) == (422, "guardian_not_confirmed")
    grown = {"name": stranger.name, "id_number": stranger.id_number}
    adult = await client.post(CHILDREN, json=grown, headers=tokens.person(aunt))
    assert (adult.status_code, adult.json()["code"]) == (422, "not_a_minor")
    clerk = await population.staff(Role.CLERK, uscc=HEALTH_USCC)
    papers = {
        "guardian_phone": aunt.phone,
        "child_name": CHILD["name"],
        "id_number": CHILD["id_number"],
        "evidence_reference": "GT-2026-000124",
    }
    made = await client.post(f"{COUNTER}/guardianships", json=papers, headers=tokens.staff(clerk))
    assert (made.status_code, made.json()["verified_by_counter"]) == (201, True), made.text
    address = f"/identity/v1/me/guardianships/{made.json()['id']}/end"
    assert (await client.post(address, headers=tokens.person(stranger))).status_code == 404
    assert (await client.post(address, headers=tokens.person(aunt))).status_code == 204
    assert (await client.post(address, headers=tokens.person(aunt))).status_code == 404


async def test_of_two_guardians_who_register_one_child_at_once_the_second_gets_the_child_of_the_first(
    client: httpx.AsyncClient, population: Population, tokens: Tokens, transactions: Transactions
) -> None:
    father, aunt = await population.person(0), await population.person(1)
    clerk = await population.staff(Role.CLERK, uscc=HEALTH_USCC)
    papers = {
        "guardian_phone": aunt.phone,
        "child_name": CHILD["name"],
        "id_number": CHILD["id_number"],
        "evidence_reference": "GT-2026-000124",
    }
    held = Held(transactions)
    async with held.table("verifications"):
        at_home = asyncio.create_task(client.post(CHILDREN, json=CHILD, headers=tokens.person(father)))
        await held.until_wait(1)
        counter = f"{COUNTER}/guardianships"
        at_counter = asyncio.create_task(client.post(counter, json=papers, headers=tokens.staff(clerk)))
        await held.until_wait(2)
    first, second = await at_home, await at_counter
    assert (first.status_code, second.status_code) == (201, 201), second.text
    assert first.json()["child_id"] == second.json()["child_id"]
    assert first.json()["id"] != second.json()["id"]
    child = UUID(first.json()["child_id"])
    assert await events(transactions, child) == [("registered", None), ("verified", 2)]


async def test_a_child_under_fourteen_verifies_through_its_guardian_alone(
    client: httpx.AsyncClient, population: Population, tokens: Tokens
) -> None:
    child = await population.person(30, verified=False)
    body = {"name": child.name, "id_number": child.id_number}
    answer = await client.post("/identity/v1/me/real-name", json=body, headers=tokens.person(child))
    assert (answer.status_code, answer.json()["code"]) == (403, "with_guardian_only")
    older = await population.person(31, verified=False)
    body = {"name": older.name, "id_number": older.id_number}
    assert (
        await client.post("/identity/v1/me/real-name", json=body, headers=tokens.person(older))
    ).status_code == 200
