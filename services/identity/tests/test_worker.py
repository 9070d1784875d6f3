"""Identity as one process with its worker: events in, events out, text messages, log-outs heard at once."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable

import httpx
import nats
import pytest
from fastapi import FastAPI
from services.identity.tests.factories import Population, Tokens, sent_texts
from services.identity.tests.flows import Application, claims_of

from identity_service.app import define_service
from identity_service.settings import Settings
from service_common.app import create_app
from service_common.clock import utc_now
from service_common.contracts.identity import PersonRegistered, SessionEnded
from service_common.db import new_id
from service_common.streams import ensure_streams


@pytest.fixture
async def whole(settings: Settings) -> AsyncIterator[FastAPI]:
    app = create_app(define_service(settings), worker=True)
    async with app.router.lifespan_context(app):
        yield app


@pytest.fixture
async def browser(whole: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(whole, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
        yield client


async def until(happened: Callable[[], Awaitable[bool]], seconds: float = 60.0) -> None:
    async with asyncio.timeout(seconds):
        while not await happened():
            await asyncio.sleep(0.05)


async def test_an_ended_session_is_refused_by_the_api_without_asking_the_database(
    whole: FastAPI, browser: httpx.AsyncClient, population: Population, settings: Settings
) -> None:
    app = Application(browser, await population.app(), "http://127.0.0.1:1/callback")
    tokens = await app.tokens(await population.person(), "openid identity:me.read")
    headers = {"Authorization": f"Bearer {tokens['access_token']}"}
    assert (await browser.get("/identity/v1/me", headers=headers)).status_code == 200
    form = {"token": tokens["refresh_token"], "client_id": app.client.client_id}
    assert (await browser.post("/identity/revoke", data=form)).status_code == 200

    async def refused() -> bool:
        return (await browser.get("/identity/v1/me", headers=headers)).status_code == 401

    await until(refused)
    broker = await nats.connect(settings.nats_url.get_secret_value())
    subscription = await broker.jetstream().subscribe(SessionEnded.subject, ordered_consumer=True)
    event = json.loads((await subscription.next_msg(timeout=60)).data)
    assert event["data"]["session_id"] == claims_of(tokens["access_token"])["sid"]
    await broker.close()


async def test_a_person_signs_up_and_the_others_hear_of_it(
    whole: FastAPI, browser: httpx.AsyncClient, settings: Settings
) -> None:
    assert settings.sms_outbox_file
    file = settings.sms_outbox_file
    await browser.post("/identity/v1/phone-codes", json={"phone": "19900000003"})

    async def sent() -> bool:
        return bool(sent_texts(file))

    await until(sent)
    digits = "".join(filter(str.isdigit, sent_texts(file)[0]["text"]))[:6]
    body = {
        "username": "zhang.lixia",
        "password": "beginning of summer",
        "phone": "19900000003",
        "code": digits,
    }
    answer = await browser.post("/identity/v1/persons", json=body)
    assert answer.status_code == 201, answer.text
    broker = await nats.connect(settings.nats_url.get_secret_value())
    subscription = await broker.jetstream().subscribe(PersonRegistered.subject, ordered_consumer=True)
    event = json.loads((await subscription.next_msg(timeout=60)).data)
    assert event["data"] == {"person_id": answer.json()["person_id"]}
    assert event["revision"] == 1
    await broker.close()


async def test_an_event_from_the_broker_becomes_a_message(
    whole: FastAPI,
    browser: httpx.AsyncClient,
    population: Population,
    settings: Settings,
) -> None:
    person = await population.person(verified=False)
    headers = Tokens(await whole.state.signing_keys.current(), settings.issuer).person(person)
    broker = await nats.connect(settings.nats_url.get_secret_value())
    jetstream = broker.jetstream()
    await ensure_streams(jetstream, settings)
    event = {
        "specversion": "1.0",
        "id": str(new_id()),
        "type": "gov.hotline.ticket.closed.v1",
        "source": "/hotline",
        "subject": str(new_id()),
        "time": utc_now().isoformat(),
        "revision": 1,
        "data": {
            "ticket_id": str(new_id()),
            "ticket_no": "RX1",
            "kind": "HELP",
            "division": "430300000000",
            "person_id": str(person.id),
        },
    }
    for _ in range(2):
        await jetstream.publish("gov.hotline.ticket.closed.v1", json.dumps(event).encode())
    await broker.close()

    async def arrived() -> bool:
        shown = await browser.get("/identity/v1/me/inbox", headers=headers)
        return [message["about_kind"] for message in shown.json()["items"]] == ["TICKET"]

    await until(arrived)
