"""What a log-in costs: the same whoever is named, and never more than there is room for."""

import asyncio
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack
from typing import Any

import httpx
import pytest
from argon2 import PasswordHasher
from fastapi import FastAPI
from services.identity.tests.factories import PASSWORD, Population
from services.identity.tests.flows import hidden
from sqlalchemy import event

from identity_service.accounts import passwords
from identity_service.accounts.models import Account
from identity_service.db import Transactions
from identity_service.organisation.domain import Role

AT_ONCE, WAITING, COMING = 2, 3, 9


class Observed(PasswordHasher):
    """The same hasher; it tells how often it ran and how often at once, and can be made to stand still."""

    def __init__(self, like: PasswordHasher) -> None:
        super().__init__(like.time_cost, like.memory_cost, like.parallelism)
        self.runs = self.running = self.most = 0
        self.goes_on = threading.Event()
        self.goes_on.set()
        self._lock = threading.Lock()

    def verify(self, hash: str | bytes, password: str | bytes) -> Any:  # noqa: A002 - argon2-cffi names it
        with self._lock:
            self.runs += 1
            self.running += 1
            self.most = max(self.most, self.running)
        try:
            self.goes_on.wait(60)
            return super().verify(hash, password)
        finally:
            with self._lock:
                self.running -= 1


@pytest.fixture
def hasher(quick_hashes: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[Observed]:
    observed = Observed(passwords._hasher)
    monkeypatch.setattr(passwords, "_hasher", observed)
    yield observed
    observed.goes_on.set()


@pytest.fixture
def statements(app: FastAPI) -> Iterator[list[str]]:
    sent: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        sent.append(statement)

    engine = app.state.database.engine.sync_engine
    event.listen(engine, "before_cursor_execute", note)
    yield sent
    event.remove(engine, "before_cursor_execute", note)


async def form_of(browser: httpx.AsyncClient) -> dict[str, str]:
    return hidden(await browser.get("/identity/login", follow_redirects=True))


@pytest.mark.usefixtures("still_clock")
async def test_known_unknown_closed_and_waiting_accounts_are_the_same_work(
    *,
    client: httpx.AsyncClient,
    population: Population,
    transactions: Transactions,
    hasher: Observed,
    statements: list[str],
) -> None:
    person, closed = await population.person(), await population.person(1)
    officer = await population.staff(Role.CLERK)
    async with transactions() as session:
        (await session.get_one(Account, closed.id)).is_active = False
    form = await form_of(client)

    async def work(username: str) -> tuple[int, int, list[str]]:
        hasher.runs = 0
        statements.clear()
        answer = await client.post(
            "/identity/login", data={**form, "username": username, "password": "a guess"}
        )
        return answer.status_code, hasher.runs, list(statements)

    names = (person.username, officer.username, closed.username, "nobody.here")
    by_name = [await work(username) for username in names]
    assert by_name[0][:2] == (422, 1)
    assert by_name == [by_name[0]] * len(names)
    phones = (person.phone, closed.phone, "19900009999")
    by_phone = [await work(phone) for phone in phones]
    assert by_phone[0][:2] == (422, 1)
    assert by_phone == [by_phone[0]] * len(phones)
    # Tried too often: nothing is hashed, and what is asked of the database is the same again.
    slowed = {}
    for username in names:
        while (done := await work(username))[0] != 429:
            assert done[:2] == (422, 1)
        slowed[username] = done
    assert slowed[names[0]][1] == 0
    assert list(slowed.values()) == [slowed[names[0]]] * len(names)


@pytest.fixture
def small_queue(app: FastAPI) -> Iterator[None]:
    before = passwords._queue
    passwords.limit(at_once=AT_ONCE, waiting=WAITING)
    yield
    passwords.limit(at_once=before.at_once, waiting=before.waiting)


@pytest.fixture
async def browsers(app: FastAPI) -> AsyncIterator[list[httpx.AsyncClient]]:
    """Of many addresses, so that none of them is slowed down."""
    async with AsyncExitStack() as stack:
        yield [
            await stack.enter_async_context(
                httpx.AsyncClient(
                    transport=httpx.ASGITransport(app, client=(f"203.0.113.{each}", 4000)),
                    base_url="http://localhost",
                )
            )
            for each in range(COMING)
        ]


@pytest.mark.usefixtures("small_queue")
async def test_a_flood_of_log_ins_takes_its_room_and_no_more_and_stops_nobody_else(
    client: httpx.AsyncClient, browsers: list[httpx.AsyncClient], population: Population, hasher: Observed
) -> None:
    person = await population.person()
    forms = [await form_of(browser) for browser in browsers]
    hasher.goes_on.clear()
    coming = [
        asyncio.create_task(
            browser.post("/identity/login", data={**form, "username": person.username, "password": PASSWORD})
        )
        for browser, form in zip(browsers, forms, strict=True)
    ]
    refused_at_once = COMING - AT_ONCE - WAITING
    async with asyncio.timeout(60):
        while sum(task.done() for task in coming) < refused_at_once or hasher.running < AT_ONCE:
            await asyncio.sleep(0.01)
    # The hashes stand still, and everything else goes on: pages, with the database, and who asks for anything but a hash.
    assert (await client.get("/identity/login", follow_redirects=True)).status_code == 200
    assert (await client.get("/identity/jwks")).status_code == 200
    refused = [task.result() for task in coming if task.done()]
    assert len(refused) == refused_at_once
    assert {(answer.status_code, answer.headers["retry-after"]) for answer in refused} == {(503, "2")}
    assert all("当前登录人数较多" in answer.text and 'id="password"' in answer.text for answer in refused)
    hasher.goes_on.set()
    answers = await asyncio.gather(*coming)
    assert (
        sorted(answer.status_code for answer in answers)
        == [303] * (AT_ONCE + WAITING) + [503] * refused_at_once
    )
    assert hasher.most == AT_ONCE
    # Who was refused was not counted either, and gets in a moment later.
    again = next(task for task in coming if task.result().status_code == 503)
    one = coming.index(again)
    late = await browsers[one].post(
        "/identity/login", data={**forms[one], "username": person.username, "password": PASSWORD}
    )
    assert late.status_code == 303


@pytest.mark.usefixtures("small_queue")
async def test_a_program_is_asked_to_come_again_as_well(
    client: httpx.AsyncClient, population: Population, hasher: Observed
) -> None:
    with passwords.place(), passwords.place(), passwords.place(), passwords.place(), passwords.place():
        body = {"username": "li.newcomer", "password": PASSWORD, "phone": "19900007777", "code": "123456"}
        refused = await client.post("/identity/v1/persons", json=body)
    assert (refused.status_code, refused.json()["code"]) == (503, "log_in_busy")
    assert int(refused.headers["retry-after"]) > 0
    assert hasher.runs == 0
