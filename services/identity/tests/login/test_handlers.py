"""A log-in and what happens to its account between the two transactions that it takes."""

import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import timedelta

import pytest
from argon2 import PasswordHasher
from services.identity.tests.factories import PASSWORD, Citizen, Population
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from identity_service.accounts import handlers as accounts
from identity_service.accounts import passwords
from identity_service.accounts.domain import WrongCredentials
from identity_service.accounts.models import Account
from identity_service.db import Transactions
from identity_service.login.handlers import Browser, Credentials, begin_interaction, log_in
from identity_service.sessions.handlers import SessionLimits
from identity_service.sessions.models import LoginSession
from service_common.clock import utc_now
from service_common.crypto import KeyRing

LIMITS = SessionLimits(timedelta(hours=1), timedelta(hours=12))
NEW_PASSWORD = "autumn equinox"


async def log_in_while(
    transactions: Transactions, ring: KeyRing, person: Citizen, then: Callable[[], Awaitable[None]]
) -> None:
    """Somebody logs in; ``then`` happens when the password was found right and before the session is made."""
    browser = Browser(b"browser", "203.0.113.7", None)
    async with transactions() as session:
        begun = await begin_interaction(
            session,
            ring,
            browser.hash,
            client_name=None,
            parameters={},
            life=timedelta(minutes=5),
            now=utc_now(),
        )
    opened = 0

    @contextlib.asynccontextmanager
    async def interrupted() -> AsyncIterator[AsyncSession]:
        nonlocal opened
        opened += 1
        if opened == 2:
            await then()
        async with transactions() as session:
            yield session

    typed = Credentials(person.username, PASSWORD)
    await log_in(interrupted, ring, browser, begun.id, typed, limits=LIMITS, now=utc_now())


async def sessions_begun(transactions: Transactions) -> int:
    async with transactions() as session:
        return await session.scalar(select(func.count()).select_from(LoginSession)) or 0


async def test_a_password_that_is_changed_while_it_is_checked_lets_nobody_in(
    transactions: Transactions, ring: KeyRing, population: Population
) -> None:
    person = await population.person()

    async def change() -> None:
        new_hash = await passwords.hash_password(NEW_PASSWORD)
        async with transactions() as session:
            await accounts.set_password(session, person.id, new_hash, now=utc_now())

    with pytest.raises(WrongCredentials):
        await log_in_while(transactions, ring, person, change)
    assert await sessions_begun(transactions) == 0


async def test_an_account_that_is_closed_while_its_password_is_checked_lets_nobody_in(
    transactions: Transactions, ring: KeyRing, population: Population
) -> None:
    person = await population.person()

    async def close() -> None:
        async with transactions() as session:
            await accounts.set_active(session, person.id, active=False)

    with pytest.raises(WrongCredentials):
        await log_in_while(transactions, ring, person, close)
    assert await sessions_begun(transactions) == 0


async def test_hashing_a_password_anew_never_brings_back_one_that_was_replaced(
    transactions: Transactions, ring: KeyRing, population: Population
) -> None:
    person = await population.person()
    of_yesterday = PasswordHasher(time_cost=1, memory_cost=32, parallelism=1)
    async with transactions() as session:
        account = await session.get_one(Account, person.id)
        account.password_hash = of_yesterday.hash(PASSWORD)

    async def change() -> None:
        new_hash = await passwords.hash_password(NEW_PASSWORD)
        async with transactions() as session:
            await accounts.set_password(session, person.id, new_hash, now=utc_now())

    with pytest.raises(WrongCredentials):
        await log_in_while(transactions, ring, person, change)
    async with transactions() as session:
        account = await session.get_one(Account, person.id)
    assert await passwords.password_fits(NEW_PASSWORD, account.password_hash)
