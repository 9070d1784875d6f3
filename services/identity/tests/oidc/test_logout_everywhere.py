"""Clients hear of a logout: by a signed token sent to them, and by a frame on the page."""

import asyncio
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlencode

import httpx
import pytest
from fastapi import FastAPI
from joserfc import jwt
from services.identity.tests.conftest import ISSUER
from services.identity.tests.factories import CALLBACK, Citizen, Population, Tokens
from services.identity.tests.flows import Application, claims_of, hidden
from sqlalchemy import select

from identity_service.app import define_service
from identity_service.db import Transactions
from identity_service.oidc.domain import NoticeStatus, next_notice
from identity_service.oidc.models import LogoutNotice
from identity_service.oidc.notifier import Notifier, notice_sender
from identity_service.oidc.subscribers import on_session_ended
from identity_service.organisation.domain import Role
from identity_service.settings import Settings
from service_common.app import create_app
from service_common.clock import utc_now
from service_common.contracts.envelope import CloudEvent
from service_common.contracts.identity import SessionEnded
from service_common.tables import outbox

EVENT = "http://schemas.openid.net/event/backchannel-logout"


@dataclass
class Receiver:
    """A client's own server: it keeps what it gets, and can be told to refuse."""

    port: int = 0
    status: int = 200
    heard: list[str] = field(default_factory=list)

    @property
    def uri(self) -> str:
        return f"http://127.0.0.1:{self.port}/logout"

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
        length = next(
            int(line.split(":")[1]) for line in head.split("\r\n") if line.startswith("content-length")
        )
        body = (await reader.readexactly(length)).decode()
        assert "content-type: application/x-www-form-urlencoded" in head
        self.heard += parse_qs(body)["logout_token"]
        writer.write(f"HTTP/1.1 {self.status} X\r\ncontent-length: 0\r\nconnection: close\r\n\r\n".encode())
        await writer.drain()
        writer.close()


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    one = Receiver()
    server = await asyncio.start_server(one.serve, "127.0.0.1", 0)
    one.port = server.sockets[0].getsockname()[1]
    async with server:
        yield one


@pytest.fixture
async def listening(client: httpx.AsyncClient, population: Population, receiver: Receiver) -> Application:
    """A partner that wants to hear of logouts."""
    registered = await population.client(backchannel_logout_uri=receiver.uri)
    return Application(client, registered, CALLBACK)


@pytest.fixture
async def notifier(app: FastAPI, settings: Settings) -> AsyncIterator[Notifier]:
    async with notice_sender(settings.model_copy(update={"logout_loopback_allowed": True})) as sender:
        yield Notifier(app, sender)


async def hear_own_events(transactions: Transactions) -> None:
    """What the worker's consumer does with ``session.ended``; twice, as it may happen."""
    async with transactions() as session:
        events = await session.scalars(
            select(outbox.c.event).where(outbox.c.subject == SessionEnded.subject).order_by(outbox.c.id)
        )
        for event in [*events] * 2:
            await on_session_ended(session, CloudEvent[SessionEnded].model_validate(event))


async def notices(transactions: Transactions) -> list[LogoutNotice]:
    async with transactions() as session:
        return list((await session.scalars(select(LogoutNotice).order_by(LogoutNotice.id))).all())


async def log_out(app: Application) -> httpx.Response:
    page = await app.browser.get("/identity/logout")
    return await app.browser.post("/identity/logout", data=hidden(page))


async def test_a_client_gets_one_signed_logout_token_for_a_session(
    app: FastAPI, listening: Application, population: Population, transactions: Transactions,
    notifier: Notifier, receiver: Receiver,
) -> None:  # fmt: skip
    tokens = await listening.tokens(await population.person())
    await log_out(listening)
    await hear_own_events(transactions)
    assert await notifier.send_due(now=utc_now()) == 1
    assert await notifier.send_due(now=utc_now()) == 0
    (text,) = receiver.heard
    keys = await app.state.signing_keys.current()
    token = jwt.decode(text, keys.public, algorithms=["ES256"])
    identity = claims_of(tokens["id_token"])
    assert token.header["typ"] == "logout+jwt"
    assert token.claims["iss"] == ISSUER
    assert token.claims["aud"] == listening.client.client_id
    assert (token.claims["sub"], token.claims["sid"]) == (identity["sub"], identity["sid"])
    assert token.claims["events"] == {EVENT: {}}
    assert token.claims["exp"] - token.claims["iat"] == 120
    assert token.claims["jti"]
    assert "nonce" not in token.claims
    (notice,) = await notices(transactions)
    assert (notice.status, notice.tries, notice.response_code) == (NoticeStatus.DELIVERED, 1, 200)


async def test_a_client_that_fails_is_told_again_later_and_recorded(
    listening: Application, population: Population, transactions: Transactions, notifier: Notifier,
    receiver: Receiver, tokens: Tokens,
) -> None:  # fmt: skip
    await listening.tokens(await population.person())
    await log_out(listening)
    await hear_own_events(transactions)
    receiver.status = 503
    assert await notifier.send_due(now=utc_now()) == 1
    (notice,) = await notices(transactions)
    assert (notice.status, notice.response_code) == (NoticeStatus.PENDING, 503)
    assert notice.next_try_at
    receiver.status = 204
    assert await notifier.send_due(now=notice.next_try_at) == 1
    first, second = (claims_of(text) for text in receiver.heard)
    assert first["jti"] != second["jti"]
    assert first["sid"] == second["sid"]
    path = f"/identity/v1/clients/{listening.client.client_id}/logout-notices"
    operator = tokens.staff(await population.staff(Role.OPERATOR))
    (shown,) = (await listening.browser.get(path, headers=operator)).json()["items"]
    assert (shown["status"], shown["tries"], shown["session_id"]) == ("DELIVERED", 2, first["sid"])
    stranger = tokens.staff(await population.staff(Role.SUPERVISOR))
    assert (await listening.browser.get(path, headers=stranger)).status_code == 404


async def test_the_worker_does_all_of_it_by_itself(
    settings: Settings, population: Population, receiver: Receiver
) -> None:
    """From the person's click over the outbox and the broker to the client's server."""
    told = settings.model_copy(update={"logout_loopback_allowed": True})
    app = create_app(define_service(told), worker=True)
    transport = httpx.ASGITransport(app)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=transport, base_url="http://localhost") as browser,
    ):
        registered = await population.client(backchannel_logout_uri=receiver.uri)
        listening = Application(browser, registered, CALLBACK)
        tokens = await listening.tokens(await population.person())
        await log_out(listening)
        async with asyncio.timeout(60):
            while not receiver.heard:
                await asyncio.sleep(0.05)
    assert [claims_of(text)["sid"] for text in receiver.heard] == [claims_of(tokens["id_token"])["sid"]]


async def test_addresses_inside_are_never_called(
    app: FastAPI, settings: Settings, listening: Application, population: Population,
    transactions: Transactions, receiver: Receiver,
) -> None:  # fmt: skip
    await listening.tokens(await population.person())
    await log_out(listening)
    await hear_own_events(transactions)
    async with notice_sender(settings) as sender:
        await Notifier(app, sender).send_due(now=utc_now())
    (notice,) = await notices(transactions)
    assert (notice.status, notice.error) == (NoticeStatus.PENDING, "forbidden address")
    assert receiver.heard == []


async def test_offline_access_stays_but_the_client_hears_of_the_logout(
    listening: Application, population: Population, transactions: Transactions, notifier: Notifier,
    receiver: Receiver,
) -> None:  # fmt: skip
    kept = await listening.tokens(await population.person(), "openid offline_access")
    await log_out(listening)
    await notifier.send_due(now=utc_now())
    assert [claims_of(text)["sid"] for text in receiver.heard] == [claims_of(kept["id_token"])["sid"]]
    assert (await listening.refresh(kept["refresh_token"])).status_code == 200


async def test_a_stopped_client_and_one_that_wants_nothing_are_told_nothing(
    listening: Application, partner: Application, population: Population, transactions: Transactions,
    notifier: Notifier, receiver: Receiver,
) -> None:  # fmt: skip
    person = await population.person()
    await partner.tokens(person)
    await listening.tokens(person)
    await log_out(listening)
    await hear_own_events(transactions)
    await population.stop_client(listening.client)
    assert await notifier.send_due(now=utc_now()) == 0
    (notice,) = await notices(transactions)
    assert (notice.status, notice.error) == (NoticeStatus.FAILED, "client stopped")
    assert receiver.heard == []


def test_a_notice_is_given_up_after_nine_tries_within_half_a_day() -> None:
    began = at = utc_now()
    for tries in range(1, 9):
        later = next_notice(tries, now=at, chance=0.5)
        assert later is not None
        at = later
    assert 10 < (at - began).total_seconds() / 3600 < 12
    assert next_notice(9, now=at, chance=0.5) is None


async def framed(
    client: httpx.AsyncClient, population: Population, person: Citizen
) -> tuple[Application, Any]:
    registered = await population.client(frontchannel_logout_uri="https://partner.example/out?tenant=1")
    app = Application(client, registered, CALLBACK)
    return app, await app.tokens(person)


async def test_the_page_loads_the_clients_frames_and_no_others(
    client: httpx.AsyncClient, population: Population, partner: Application
) -> None:
    person = await population.person()
    await partner.tokens(person)
    app, tokens = await framed(client, population, person)
    page = await log_out(app)
    query = urlencode({"iss": ISSUER, "sid": claims_of(tokens["id_token"])["sid"]}).replace("&", "&amp;")
    assert f'src="https://partner.example/out?tenant=1&amp;{query}"' in page.text
    assert page.text.count("<iframe") == 1
    assert "frame-src https://partner.example/out;" in page.headers["content-security-policy"]
    again = await client.get("/identity/logout")
    assert "frame-src 'none';" in again.headers["content-security-policy"]


async def test_after_the_frames_the_browser_goes_back_to_the_client(
    client: httpx.AsyncClient, population: Population
) -> None:
    app, tokens = await framed(client, population, await population.person())
    asked = {
        "id_token_hint": tokens["id_token"],
        "post_logout_redirect_uri": "https://partner.example/bye",
        "state": 'x"><script>',
    }
    page = await app.browser.get(f"/identity/logout?{urlencode(asked)}")
    assert page.status_code == 200
    assert '<a class="go" data-onward href="https://partner.example/bye?state=' in page.text
    assert re.findall(r"<script[^>]*>", page.text) == ['<script src="/identity/static/signed-out.js" defer>']


async def test_addresses_that_do_not_fit_cannot_be_registered(
    client: httpx.AsyncClient, population: Population, tokens: Tokens
) -> None:
    operator = tokens.staff(await population.staff(Role.OPERATOR))
    body = {
        "client_name": "示例",
        "grant_types": ["authorization_code"],
        "redirect_uris": [CALLBACK],
        "scopes": ["openid"],
    }
    good = await client.post("/identity/v1/clients", json=body, headers=operator)
    assert good.status_code == 201
    for name, address in (
        ("backchannel_logout_uri", "http://partner.example/logout"),
        ("backchannel_logout_uri", "com.example.app:/logout"),
        ("frontchannel_logout_uri", "https://elsewhere.example/out"),
        ("frontchannel_logout_uri", "https://partner.example;script-src/out"),
    ):
        operator["Idempotency-Key"] += "2"
        answer = await client.post("/identity/v1/clients", json={**body, name: address}, headers=operator)
        assert answer.status_code == 422
        (problem,) = answer.json()["errors"]
        assert problem["pointer"] == f"/{name}"


async def test_discovery_tells_of_both_channels(client: httpx.AsyncClient) -> None:
    metadata = (await client.get("/identity/.well-known/openid-configuration")).json()
    for name in ("backchannel", "frontchannel"):
        assert metadata[f"{name}_logout_supported"]
        assert metadata[f"{name}_logout_session_supported"]
