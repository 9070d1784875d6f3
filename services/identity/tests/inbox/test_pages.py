"""The inbox in the browser."""

import re
from uuid import UUID

import httpx
from services.identity.tests.factories import PASSWORD, Citizen, Population
from services.identity.tests.flows import hidden
from sqlalchemy import select

from identity_service.db import Transactions
from identity_service.inbox.domain import Template
from identity_service.inbox.handlers import Notice, tell
from identity_service.inbox.models import InboxMessage
from service_common.clock import utc_now
from service_common.db import new_id

INBOX = "/identity/inbox"
DEVICE = {"device": "Firefox · Linux", "place": "203.0.113.*", "at": "2026-01-01 08:00"}


async def enter(browser: httpx.AsyncClient, username: str) -> None:
    page = await browser.get("/identity/login", follow_redirects=True)
    typed = {**hidden(page), "username": username, "password": PASSWORD}
    assert (await browser.post("/identity/login", data=typed)).status_code == 303


async def write(transactions: Transactions, person: Citizen, count: int = 1) -> None:
    async with transactions() as session:
        for _ in range(count):
            notice = Notice(new_id(), Template.NEW_DEVICE, "ACCOUNT", person.id, DEVICE, utc_now())
            await tell(session, [person.id], notice)


async def unread(transactions: Transactions) -> list[UUID]:
    async with transactions() as session:
        found = await session.scalars(
            select(InboxMessage.id).where(InboxMessage.read_at.is_(None)).order_by(InboxMessage.id)
        )
        return list(found)


async def test_messages_are_shown_in_the_reader_s_language_and_marked_one_by_one(
    client: httpx.AsyncClient, population: Population, transactions: Transactions
) -> None:
    person = await population.person()
    await write(transactions, person, 2)
    await enter(client, person.username)
    account = await client.get("/identity/account")
    assert f'href="{INBOX}"' in account.text
    page = await client.get(INBOX)
    assert "您有 2 条未读消息" in page.text
    assert "Firefox · Linux" in page.text
    english = await client.get(f"{INBOX}?lang=en")
    assert "Account security" in english.text
    address = re.search(rf'action="({INBOX}/[0-9a-f-]+/read)"', page.text)
    assert address
    await client.get(f"{INBOX}?lang=zh")
    done = await client.post(
        address[1], data={"form_token": hidden(page)["form_token"]}, follow_redirects=True
    )
    assert "已标为已读" in done.text
    assert "您有 1 条未读消息" in done.text
    assert len(await unread(transactions)) == 1
    rest = await client.get(f"{INBOX}?unread=true")
    assert address[1] not in rest.text


async def test_all_are_marked_at_once(
    client: httpx.AsyncClient, population: Population, transactions: Transactions
) -> None:
    person, other = await population.person(), await population.person(1)
    await write(transactions, person, 3)
    await write(transactions, other)
    await enter(client, person.username)
    page = await client.get(INBOX)
    token = {"form_token": hidden(page)["form_token"]}
    done = await client.post(f"{INBOX}/read-all", data=token, follow_redirects=True)
    assert "全部消息已标为已读" in done.text
    assert "没有未读消息" in done.text
    assert len(await unread(transactions)) == 1


async def test_older_messages_are_on_the_next_page(
    client: httpx.AsyncClient, population: Population, transactions: Transactions
) -> None:
    person = await population.person()
    await write(transactions, person, 21)
    await enter(client, person.username)
    page = await client.get(INBOX)
    assert page.text.count("<article") == 20
    older = re.search(rf'href="({INBOX}\?before=[^"]+)"', page.text)
    assert older
    last = await client.get(older[1])
    assert last.text.count("<article") == 1
    assert "before=" not in last.text.split("<main")[1]


async def test_nobody_marks_the_message_of_somebody_else_or_by_a_foreign_form(
    client: httpx.AsyncClient, population: Population, transactions: Transactions
) -> None:
    person, other = await population.person(), await population.person(1)
    await write(transactions, other)
    await write(transactions, person)
    await enter(client, person.username)
    token = hidden(await client.get(INBOX))["form_token"]
    foreign, own = await unread(transactions)
    refused = await client.post(f"{INBOX}/{foreign}/read", data={"form_token": token})
    assert "no_such_message" in refused.text
    forged = await client.post(f"{INBOX}/{own}/read", data={"form_token": "0" * 64})
    assert "form_not_ours" in forged.text
    assert len(await unread(transactions)) == 2


async def test_who_is_not_logged_in_is_led_to_the_log_in(client: httpx.AsyncClient) -> None:
    assert (await client.get(INBOX)).headers["location"] == "/identity/login?onward=inbox"
