"""Text messages: sent after the commit, tried again, dropped when useless, never left readable."""

from datetime import timedelta
from pathlib import Path

import httpx
import pytest
from services.identity.tests.factories import sent_texts
from sqlalchemy import select

from identity_service.clients.sms import FileSmsSender, GatewaySmsSender, SmsNotSent
from identity_service.db import Transactions
from identity_service.sms.handlers import queue_sms, send_due
from identity_service.sms.models import SmsMessage
from service_common.clock import utc_now
from service_common.crypto import KeyRing

PHONE = "19900000001"


class MovingSender:
    """Refuses as often as it is told to, and keeps what it took."""

    def __init__(self, refusals: int = 0) -> None:
        self._refusals = refusals
        self.taken: list[str] = []

    async def send(self, *, message_id: str, phone: str, text: str) -> None:
        if self._refusals:
            self._refusals -= 1
            raise SmsNotSent
        self.taken.append(f"{phone}: {text}")


async def queue(transactions: Transactions, ring: KeyRing, text: str = "验证码") -> None:
    async with transactions() as session:
        await queue_sms(session, ring, phone=PHONE, text=text, now=utc_now(), useful_for=timedelta(minutes=5))


async def waiting(transactions: Transactions) -> int:
    async with transactions() as session:
        return len((await session.scalars(select(SmsMessage.id))).all())


async def test_a_message_is_sent_once_and_forgotten(
    transactions: Transactions, ring: KeyRing, tmp_path: Path
) -> None:
    await queue(transactions, ring)
    file = tmp_path / "sms.jsonl"
    sender = FileSmsSender(file)
    assert await send_due(transactions, ring, sender, now=utc_now()) == 1
    assert await send_due(transactions, ring, sender, now=utc_now()) == 0
    assert [text["to"] for text in sent_texts(file)] == [PHONE]
    assert file.stat().st_mode & 0o077 == 0
    assert await waiting(transactions) == 0


async def test_a_message_waits_sealed(transactions: Transactions, ring: KeyRing) -> None:
    await queue(transactions, ring, "验证码 042017")
    async with transactions() as session:
        row = (await session.scalars(select(SmsMessage))).one()
    assert PHONE.encode() not in row.phone
    assert b"042017" not in row.text


async def test_a_refused_message_is_tried_again(transactions: Transactions, ring: KeyRing) -> None:
    await queue(transactions, ring)
    sender = MovingSender(refusals=1)
    now = utc_now()
    assert await send_due(transactions, ring, sender, now=now) == 0
    assert await send_due(transactions, ring, sender, now=now + timedelta(seconds=1)) == 0
    assert await send_due(transactions, ring, sender, now=now + timedelta(seconds=6)) == 1
    assert len(sender.taken) == 1


async def test_a_message_that_is_of_no_use_any_more_is_dropped(
    transactions: Transactions, ring: KeyRing
) -> None:
    await queue(transactions, ring)
    sender = MovingSender()
    assert await send_due(transactions, ring, sender, now=utc_now() + timedelta(minutes=6)) == 0
    assert await waiting(transactions) == 0
    assert sender.taken == []


@pytest.mark.parametrize("status", [200, 202, 500, 403])
async def test_the_gateway_takes_a_message_or_not(status: int) -> None:
    asked: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        return httpx.Response(status)

    async with httpx.AsyncClient(transport=httpx.MockTransport(answer)) as http:
        sender = GatewaySmsSender("http://gateway/sms", "t0ken", http)
        try:
            await sender.send(message_id="m1", phone=PHONE, text="x")
            taken = True
        except SmsNotSent:
            taken = False
    assert taken == (status < 300)
    assert asked[0].headers["authorization"] == "Bearer t0ken"
    assert asked[0].headers["idempotency-key"] == "m1"
