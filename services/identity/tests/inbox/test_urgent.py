"""Counting, marking all as read, and urgent messages on the phone in the person's language."""

from datetime import timedelta

import httpx
from fastapi import FastAPI
from services.identity.tests.factories import Population, Tokens, sent_texts
from sqlalchemy import select

from identity_service.db import Transactions
from identity_service.inbox.domain import Template
from identity_service.inbox.handlers import Notice, tell
from identity_service.inbox.models import InboxMessage
from identity_service.inbox.texting import text_urgent
from identity_service.people.models import Person
from identity_service.settings import Settings
from identity_service.sms.handlers import send_due
from service_common.clock import utc_now
from service_common.db import new_id

INBOX = "/identity/v1/me/inbox"
DEVICE = {"device": "Firefox · Linux", "place": "203.0.113.*", "at": "2026-11-22 08:00"}


def notice(template: Template, **facts: str) -> Notice:
    return Notice(new_id(), template, "ACCOUNT", new_id(), facts, utc_now())


async def test_unread_messages_are_counted_by_category_and_read_all_at_once(
    client: httpx.AsyncClient, population: Population, tokens: Tokens, transactions: Transactions
) -> None:
    person, other = await population.person(0, verified=False), await population.person(1, verified=False)
    async with transactions() as session:
        for _ in range(2):
            await tell(session, [person.id, other.id], notice(Template.TICKET_CLOSED, ticket_no="RX1"))
        await tell(session, [person.id], notice(Template.LICENCE_ISSUED, type_name="营业执照"))
    headers = tokens.person(person)
    summary = (await client.get(f"{INBOX}/summary", headers=headers)).json()
    counts = {one["category"]: one["unread"] for one in summary["categories"]}
    assert (summary["unread"], counts["HOTLINE"], counts["LICENCE"], counts["PROGRESS"]) == (3, 2, 1, 0)
    listed = (await client.get(f"{INBOX}?category=HOTLINE", headers=headers)).json()["items"]
    assert [one["category_label"] for one in listed] == ["热线诉求", "热线诉求"]
    assert (await client.post(f"{INBOX}/read-all?category=HOTLINE", headers=headers)).status_code == 204
    assert (await client.get(f"{INBOX}/summary", headers=headers)).json()["unread"] == 1
    assert (await client.post(f"{INBOX}/read-all", headers=headers)).status_code == 204
    assert (await client.get(f"{INBOX}/summary", headers=headers)).json()["unread"] == 0
    foreign = (await client.get(f"{INBOX}/summary", headers=tokens.person(other))).json()
    assert foreign["unread"] == 2
    assert (await client.get(f"{INBOX}?category=NONSENSE", headers=headers)).status_code == 422


async def test_what_is_urgent_is_texted_once_in_the_language_of_the_person(
    app: FastAPI, population: Population, transactions: Transactions, settings: Settings
) -> None:
    chinese, english = await population.person(0, verified=False), await population.person(1, verified=False)
    async with transactions() as session:
        (await session.get_one(Person, english.id)).language = "en"
        await tell(session, [chinese.id, english.id], notice(Template.NEW_DEVICE, **DEVICE))
        await tell(session, [chinese.id], notice(Template.TICKET_CLOSED, ticket_no="RX1"))
    ring, counts = app.state.key_ring, []
    for _ in range(2):
        async with transactions() as session:
            counts.append(await text_urgent(session, ring, now=utc_now()))
    assert counts == [2, 0]
    await send_due(transactions, ring, app.state.sms_sender, now=utc_now())
    assert settings.sms_outbox_file
    texts = {one["to"]: one["text"] for one in sent_texts(settings.sms_outbox_file)}
    assert set(texts) == {chinese.phone, english.phone}
    assert texts[chinese.phone].startswith("【联办】新设备登录提醒：")
    assert texts[english.phone].startswith("[Lianban] New device: ")


async def test_old_news_and_what_is_for_nobody_with_a_phone_is_not_texted(
    app: FastAPI, population: Population, transactions: Transactions
) -> None:
    person = await population.person(0, verified=False)
    async with transactions() as session:
        await tell(session, [person.id, new_id()], notice(Template.NEW_DEVICE, **DEVICE))
    later = utc_now() + timedelta(days=1)
    async with transactions() as session:
        assert await text_urgent(session, app.state.key_ring, now=later) == 2
    assert await send_due(transactions, app.state.key_ring, app.state.sms_sender, now=later) == 0
    async with transactions() as session:
        assert set(await session.scalars(select(InboxMessage.text_due_at))) == {None}
