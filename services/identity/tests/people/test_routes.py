"""Signing up, real name, one's own profile."""

import asyncio
import re

import httpx
import pytest
from fastapi import FastAPI
from services.identity.tests.conftest import Clock
from services.identity.tests.factories import Population, Tokens, sent_texts
from sqlalchemy import select, text

from identity_service.db import Transactions
from identity_service.people.models import Person, Verification
from identity_service.settings import Settings
from identity_service.sms.handlers import send_due
from lianban_local.authority.register import population as register
from service_common.tables import outbox

PHONE = "19900000001"


@pytest.fixture
def deliver(app: FastAPI, settings: Settings, transactions: Transactions, clock: Clock) -> "Deliver":
    return Deliver(app, settings, transactions, clock)


class Deliver:
    """Sends what is queued and reads the code from the phone."""

    def __init__(self, app: FastAPI, settings: Settings, transactions: Transactions, clock: Clock) -> None:
        self._app = app
        self._settings = settings
        self._transactions = transactions
        self._clock = clock

    async def code(self) -> str:
        await send_due(
            self._transactions,
            self._app.state.key_ring,
            self._app.state.sms_sender,
            now=self._clock.now(),
        )
        assert self._settings.sms_outbox_file
        found = re.search(r"\d{6}", sent_texts(self._settings.sms_outbox_file)[-1]["text"])
        assert found
        return found.group()


def sign_up(code: str, /, **changes: str) -> dict[str, str]:
    return {
        "username": "wang.xiaomai",
        "password": "spring equinox",
        "phone": PHONE,
        "code": code,
        **changes,
    }


async def test_signing_up_with_the_code_makes_a_person(
    client: httpx.AsyncClient, deliver: Deliver, transactions: Transactions
) -> None:
    assert (await client.post("/identity/v1/phone-codes", json={"phone": PHONE})).status_code == 202
    answer = await client.post("/identity/v1/persons", json=sign_up(await deliver.code()))
    assert answer.status_code == 201, answer.text
    assert answer.json()["trust_level"] == 1
    async with transactions() as session:
        event = await session.scalar(select(outbox.c.event))
    assert event is not None
    assert event["type"] == "gov.identity.person.registered.v1"
    assert event["data"] == {"person_id": answer.json()["person_id"]}


async def test_a_wrong_code_is_counted_and_the_right_one_is_void_after_five(
    client: httpx.AsyncClient, deliver: Deliver
) -> None:
    await client.post("/identity/v1/phone-codes", json={"phone": PHONE})
    code = await deliver.code()
    wrong = f"{(int(code) + 1) % 1_000_000:06d}"
    for _ in range(5):
        answer = await client.post("/identity/v1/persons", json=sign_up(wrong))
        assert answer.json()["code"] == "wrong_phone_code"
    answer = await client.post("/identity/v1/persons", json=sign_up(code))
    assert answer.json()["code"] == "wrong_phone_code"


async def test_asking_for_codes_at_the_same_moment_sends_one(
    client: httpx.AsyncClient, transactions: Transactions
) -> None:
    asked = (client.post("/identity/v1/phone-codes", json={"phone": PHONE}) for _ in range(5))
    assert sorted(answer.status_code for answer in await asyncio.gather(*asked)) == [202, 429, 429, 429, 429]
    async with transactions() as session:
        assert await session.scalar(text("SELECT count(*) FROM sms_messages")) == 1


async def test_a_code_is_void_after_five_minutes_and_after_its_use(
    client: httpx.AsyncClient, deliver: Deliver, clock: Clock
) -> None:
    await client.post("/identity/v1/phone-codes", json={"phone": PHONE})
    code = await deliver.code()
    clock.pass_(minutes=5, seconds=1)
    assert (await client.post("/identity/v1/persons", json=sign_up(code))).status_code == 422
    await client.post("/identity/v1/phone-codes", json={"phone": PHONE})
    code = await deliver.code()
    assert (await client.post("/identity/v1/persons", json=sign_up(code))).status_code == 201
    assert (await client.post("/identity/v1/persons", json=sign_up(code))).status_code == 422


async def test_asking_for_a_code_tells_nothing_about_accounts(
    client: httpx.AsyncClient, population: Population, deliver: Deliver
) -> None:
    person = await population.person()
    known = await client.post("/identity/v1/phone-codes", json={"phone": person.phone})
    unknown = await client.post("/identity/v1/phone-codes", json={"phone": "19900009999"})
    assert (known.status_code, known.json()) == (unknown.status_code, unknown.json())
    await client.post("/identity/v1/phone-codes", json={"phone": person.phone})
    taken = await client.post("/identity/v1/persons", json=sign_up("000000", phone=person.phone))
    assert taken.json()["code"] == "wrong_phone_code"


async def test_who_holds_the_phone_learns_that_it_has_an_account(
    client: httpx.AsyncClient, population: Population, deliver: Deliver
) -> None:
    person = await population.person()
    await client.post("/identity/v1/phone-codes", json={"phone": person.phone})
    answer = await client.post("/identity/v1/persons", json=sign_up(await deliver.code(), phone=person.phone))
    assert (answer.status_code, answer.json()["code"]) == (409, "phone_taken")


async def test_a_taken_user_name_does_not_cost_the_code(
    client: httpx.AsyncClient, population: Population, deliver: Deliver
) -> None:
    other = await population.person(1)
    await client.post("/identity/v1/phone-codes", json={"phone": PHONE})
    code = await deliver.code()
    taken = await client.post("/identity/v1/persons", json=sign_up(code, username=other.username))
    assert (taken.status_code, taken.json()["code"]) == (409, "username_taken")
    assert (await client.post("/identity/v1/persons", json=sign_up(code))).status_code == 201


async def test_two_sign_ups_with_one_code_make_one_person(
    client: httpx.AsyncClient, deliver: Deliver, transactions: Transactions
) -> None:
    await client.post("/identity/v1/phone-codes", json={"phone": PHONE})
    code = await deliver.code()
    answers = await asyncio.gather(
        *(
            client.post("/identity/v1/persons", json=sign_up(code, username=f"wang{number}"))
            for number in range(3)
        )
    )
    assert [answer.status_code for answer in answers].count(201) == 1
    async with transactions() as session:
        assert len((await session.scalars(select(Person))).all()) == 1


async def test_a_second_code_within_a_minute_is_refused(client: httpx.AsyncClient, clock: Clock) -> None:
    assert (await client.post("/identity/v1/phone-codes", json={"phone": PHONE})).status_code == 202
    again = await client.post("/identity/v1/phone-codes", json={"phone": PHONE})
    assert again.status_code == 429
    assert 0 < int(again.headers["retry-after"]) <= 60
    clock.pass_(seconds=61)
    assert (await client.post("/identity/v1/phone-codes", json={"phone": PHONE})).status_code == 202


@pytest.mark.parametrize(
    "changes",
    [
        {"phone": "12345678901"},
        {"phone": "not a number"},
        {"password": "1234567890"},
        {"username": "no"},
        {"username": "19900000001"},
        {"code": "12345"},
        {"nickname": "x"},
    ],
)
async def test_bad_sign_ups_name_the_trouble(client: httpx.AsyncClient, changes: dict[str, str]) -> None:
    answer = await client.post("/identity/v1/persons", json=sign_up("000000", **changes))
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"


async def test_a_confirmed_name_raises_the_level_and_is_told_by_event(
    client: httpx.AsyncClient, population: Population, tokens: Tokens, transactions: Transactions
) -> None:
    person = await population.person(verified=False)
    claim = {"name": person.name, "id_number": person.id_number}
    for _ in range(2):
        answer = await client.post("/identity/v1/me/real-name", json=claim, headers=tokens.person(person))
        assert answer.status_code == 200, answer.text
        assert answer.json()["trust_level"] == 2
    async with transactions() as session:
        events = (await session.scalars(select(outbox.c.event).order_by(outbox.c.id))).all()
        evidence = (await session.scalars(select(Verification))).all()
    told = [event["data"] for event in events if event["type"].startswith("gov.identity.person.verified")]
    assert told == [{"person_id": str(person.id), "level": 2}]
    assert [entry.result for entry in evidence] == ["MATCH", "MATCH"]


@pytest.mark.parametrize(
    ("name", "id_number", "code"),
    [
        ("王大麦", "990101194901010011", "identity_not_confirmed"),
        ("无名氏", "990101190001010018", "identity_not_confirmed"),
        ("王小麦", "990101194901010012", "invalid_identity_number"),
        ("王小麦", "990101499010100", "invalid_identity_number"),
    ],
)
async def test_what_the_register_does_not_confirm_changes_nothing(
    client: httpx.AsyncClient,
    population: Population,
    tokens: Tokens,
    transactions: Transactions,
    name: str,
    id_number: str,
    code: str,
) -> None:
    person = await population.person(verified=False)
    answer = await client.post(
        "/identity/v1/me/real-name",
        json={"name": name, "id_number": id_number},
        headers=tokens.person(person),
    )
    assert (answer.status_code, answer.json()["code"]) == (422, code)
    assert id_number not in answer.text
    async with transactions() as session:
        assert await session.scalar(select(Person.trust_level).where(Person.id == person.id)) == 1


@pytest.mark.usefixtures("still_clock")
async def test_guessing_identities_is_slowed_down(
    client: httpx.AsyncClient, population: Population, tokens: Tokens
) -> None:
    person = await population.person(verified=False)
    claim = {"name": "王大麦", "id_number": person.id_number}
    headers = tokens.person(person)
    statuses = [
        (await client.post("/identity/v1/me/real-name", json=claim, headers=headers)).status_code
        for _ in range(5)
    ]
    assert statuses == [422, 422, 422, 429, 429]


async def test_one_identity_has_one_account(
    client: httpx.AsyncClient, population: Population, tokens: Tokens
) -> None:
    first = await population.person(0)
    second = await population.person(1, verified=False)
    answer = await client.post(
        "/identity/v1/me/real-name",
        json={"name": first.name, "id_number": first.id_number},
        headers=tokens.person(second),
    )
    assert (answer.status_code, answer.json()["code"]) == (409, "identity_taken")
    other = register().natural_persons[2]
    answer = await client.post(
        "/identity/v1/me/real-name",
        json={"name": other.name, "id_number": other.id_number},
        headers=tokens.person(first),
    )
    assert (answer.status_code, answer.json()["code"]) == (409, "verified_otherwise")


async def test_the_own_profile_is_masked(
    client: httpx.AsyncClient, population: Population, tokens: Tokens
) -> None:
    person = await population.person()
    shown = (await client.get("/identity/v1/me", headers=tokens.person(person))).json()
    assert shown["name"] == "王**"
    assert shown["phone"].startswith("199****")
    assert person.id_number not in str(shown)
    assert person.phone not in str(shown)
    assert shown["trust_level_label"].startswith("二级")


async def test_nothing_personal_is_readable_in_the_tables_nor_in_events(
    client: httpx.AsyncClient, population: Population, deliver: Deliver, transactions: Transactions
) -> None:
    person = await population.person()
    await client.post("/identity/v1/phone-codes", json={"phone": "19900000005"})
    tables = "SELECT table_name FROM information_schema.tables WHERE table_schema = 'public'"
    async with transactions() as session:
        names = (await session.scalars(text(tables))).all()
        rows = [
            str(row)
            for name in names
            for row in (await session.execute(text(f'SELECT * FROM "{name}"'))).all()
        ]
    everything = "\n".join(rows)
    assert person.username in everything  # the search itself works
    for value in (person.name, person.id_number, person.phone, "19900000005"):
        assert value not in everything


async def test_without_a_gateway_no_code_is_promised(app: FastAPI, client: httpx.AsyncClient) -> None:
    app.state.sms_sender = None
    answer = await client.post("/identity/v1/phone-codes", json={"phone": PHONE})
    assert (answer.status_code, answer.json()["code"]) == (503, "sms_not_sent")
