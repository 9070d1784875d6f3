"""Changing a password, resetting a forgotten one, and the devices somebody is logged in on."""

import asyncio
import re

import httpx
import pytest
from fastapi import FastAPI
from services.identity.tests.conftest import Clock
from services.identity.tests.factories import LOOPBACK, PASSWORD, Citizen, Population, Tokens, sent_texts
from services.identity.tests.flows import Application, claims_of
from sqlalchemy import select

from identity_service.accounts import passwords
from identity_service.accounts.models import Account
from identity_service.db import Transactions
from identity_service.inbox.models import InboxMessage
from identity_service.organisation.domain import Role
from identity_service.settings import Settings
from identity_service.sms.handlers import send_due
from service_common.tables import outbox

NEW = "seven rivers and a ferry"
RESETS = "/identity/v1/password-resets"
CODES = "/identity/v1/phone-codes"


async def password_is(transactions: Transactions, who: Citizen, password: str) -> bool:
    async with transactions() as session:
        account = await session.get_one(Account, who.id)
        return await passwords.password_fits(password, account.password_hash)


async def test_of_two_changes_of_one_password_at_once_the_second_finds_that_it_is_another(
    client: httpx.AsyncClient, population: Population, tokens: Tokens
) -> None:
    headers = tokens.person(await population.person())

    async def change(new: str) -> int:
        body = {"current_password": PASSWORD, "new_password": new}
        return (await client.post("/identity/v1/me/password", json=body, headers=headers)).status_code

    answers = await asyncio.gather(change(NEW), change(f"{NEW} home"))
    assert sorted(answers) == [204, 422]


async def test_changing_the_password_ends_every_other_session(
    client: httpx.AsyncClient,
    app: FastAPI,
    population: Population,
    transactions: Transactions,
) -> None:
    person, lianban = await population.person(), await population.app()
    here = await Application(client, lianban, LOOPBACK).tokens(
        person, "openid offline_access identity:me.security"
    )
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://localhost") as other:
        elsewhere = Application(other, lianban, LOOPBACK)
        there = await elsewhere.tokens(person, "openid offline_access")
        headers = {"Authorization": f"Bearer {here['access_token']}"}
        body = {"current_password": PASSWORD, "new_password": NEW}
        answer = await client.post("/identity/v1/me/password", json=body, headers=headers)
        assert answer.status_code == 204, answer.text
        assert (await elsewhere.refresh(there["refresh_token"])).status_code == 400
    assert (await Application(client, lianban, LOOPBACK).refresh(here["refresh_token"])).status_code == 200
    assert await password_is(transactions, person, NEW)
    async with transactions() as session:
        ended = await session.scalars(
            select(outbox.c.event).where(outbox.c.event["type"].astext == "gov.identity.session.ended.v1")
        )
        assert [event["data"]["session_id"] for event in ended] == [claims_of(there["access_token"])["sid"]]


@pytest.mark.parametrize(
    ("current", "new", "code"),
    [
        ("not the old one", NEW, "wrong_current_password"),
        (PASSWORD, "Password2024!", "password_unsuitable"),
        (PASSWORD, "short", "password_unsuitable"),
    ],
)
async def test_a_password_is_not_changed_without_the_old_one_or_to_a_common_one(
    client: httpx.AsyncClient,
    population: Population,
    tokens: Tokens,
    transactions: Transactions,
    current: str,
    new: str,
    code: str,
) -> None:
    person = await population.person(verified=False)
    body = {"current_password": current, "new_password": new}
    answer = await client.post("/identity/v1/me/password", json=body, headers=tokens.person(person))
    assert (answer.status_code, answer.json()["code"]) == (422, code)
    assert await password_is(transactions, person, PASSWORD)


async def test_a_client_has_no_password(client: httpx.AsyncClient, tokens: Tokens) -> None:
    body = {"current_password": PASSWORD, "new_password": NEW}
    answer = await client.post("/identity/v1/me/password", json=body, headers=tokens.service())
    assert (answer.status_code, answer.json()["code"]) == (403, "no_account")


async def reset_code(
    client: httpx.AsyncClient,
    app: FastAPI,
    settings: Settings,
    transactions: Transactions,
    clock: Clock,
    phone: str,
) -> str | None:
    """Asks for a code and reads it from the phone, if one arrives."""
    answer = await client.post(CODES, json={"phone": phone, "purpose": "PASSWORD_RESET"})
    assert answer.status_code == 202
    await send_due(transactions, app.state.key_ring, app.state.sms_sender, now=clock.now())
    assert settings.sms_outbox_file
    texts = sent_texts(settings.sms_outbox_file)
    found = re.search(r"\d{6}", texts[-1]["text"]) if texts else None
    return found.group() if found else None


async def test_a_forgotten_password_is_reset_with_a_code_once(
    client: httpx.AsyncClient,
    app: FastAPI,
    settings: Settings,
    population: Population,
    transactions: Transactions,
    clock: Clock,
) -> None:
    person = await population.person()
    code = await reset_code(client, app, settings, transactions, clock, person.phone)
    assert code
    body = {"phone": person.phone, "code": code, "new_password": NEW}
    without = await client.post(RESETS, json=body)
    assert (without.status_code, without.json()["code"]) == (422, "reset_refused")
    whole = {**body, "id_number_tail": person.id_number[-4:]}
    assert (await client.post(RESETS, json=whole)).status_code == 204
    assert await password_is(transactions, person, NEW)
    again = await client.post(RESETS, json=whole)
    assert (again.status_code, again.json()["code"]) == (422, "reset_refused")


async def test_an_unknown_phone_gets_the_same_answer_and_no_message(
    client: httpx.AsyncClient, app: FastAPI, settings: Settings, transactions: Transactions, clock: Clock
) -> None:
    assert await reset_code(client, app, settings, transactions, clock, "19900000999") is None
    body = {"phone": "19900000999", "code": "000000", "new_password": NEW}
    answer = await client.post(RESETS, json=body)
    assert (answer.status_code, answer.json()["code"]) == (422, "reset_refused")


async def test_a_code_to_sign_up_resets_no_password(
    client: httpx.AsyncClient,
    app: FastAPI,
    settings: Settings,
    population: Population,
    transactions: Transactions,
    clock: Clock,
) -> None:
    person = await population.person(verified=False)
    await client.post(CODES, json={"phone": person.phone})
    await send_due(transactions, app.state.key_ring, app.state.sms_sender, now=clock.now())
    assert settings.sms_outbox_file
    code = re.search(r"\d{6}", sent_texts(settings.sms_outbox_file)[-1]["text"])
    assert code
    body = {"phone": person.phone, "code": code.group(), "new_password": NEW}
    assert (await client.post(RESETS, json=body)).status_code == 422
    assert await password_is(transactions, person, PASSWORD)


WINDOWS = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0 Safari/537.36"


async def test_devices_are_listed_and_ended_and_a_new_one_is_told(
    client: httpx.AsyncClient,
    app: FastAPI,
    population: Population,
    tokens: Tokens,
    transactions: Transactions,
) -> None:
    person, stranger = await population.person(), await population.person(1, verified=False)
    lianban = await population.app()
    await Application(client, lianban, LOOPBACK).tokens(person, "openid")
    transport = httpx.ASGITransport(app, client=("203.0.113.77", 4711))
    async with httpx.AsyncClient(
        transport=transport, base_url="http://localhost", headers={"User-Agent": WINDOWS}
    ) as other:
        elsewhere = Application(other, lianban, LOOPBACK)
        there = await elsewhere.tokens(person, "openid offline_access identity:me.security")
        headers = {"Authorization": f"Bearer {there['access_token']}"}
        listed = (await client.get("/identity/v1/me/sessions", headers=headers)).json()["items"]
        assert [(one["device"], one["place"], one["is_current"]) for one in listed] == [
            ("Chrome · Windows", "203.0.113.*", True),
            ("联办", "127.0.0.*", False),
        ]
        opened = listed[0]["apps"][0]
        assert (opened["client_id"], opened["client_name"]) == (lianban.client_id, "联办")
        async with transactions() as session:
            (message,) = await session.scalars(
                select(InboxMessage).where(InboxMessage.person_id == person.id)
            )
        assert (message.template, message.facts["place"]) == ("NEW_DEVICE", "203.0.113.*")
        address = f"/identity/v1/me/sessions/{listed[0]['id']}/end"
        foreign = await client.post(address, headers=tokens.person(stranger))
        assert (foreign.status_code, foreign.json()["code"]) == (404, "no_such_session")
        assert (await client.post(address, headers=tokens.person(person))).status_code == 204
        assert (await elsewhere.refresh(there["refresh_token"])).status_code == 400
    left = (await client.get("/identity/v1/me/sessions", headers=tokens.person(person))).json()["items"]
    assert [one["device"] for one in left] == ["联办"]


async def test_ending_the_others_keeps_the_caller(
    client: httpx.AsyncClient, population: Population, app: FastAPI
) -> None:
    officer, lianban = await population.staff(Role.CLERK), await population.app()
    here = await Application(client, lianban, LOOPBACK).tokens(officer, "openid identity:me.security")
    headers = {"Authorization": f"Bearer {here['access_token']}"}
    assert (await client.post("/identity/v1/me/sessions/end-others", headers=headers)).status_code == 204
    listed = (await client.get("/identity/v1/me/sessions", headers=headers)).json()["items"]
    assert [one["is_current"] for one in listed] == [True]
