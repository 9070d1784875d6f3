"""Making accounts and checking what somebody shows to enter one."""

import contextlib
import hmac
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import pyotp
from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from identity_service.accounts import passwords
from identity_service.accounts.common_passwords import is_listed
from identity_service.accounts.domain import (
    LOGIN_AT_PLACE,
    LOGIN_OF_ACCOUNT,
    LOGIN_OF_ADDRESS,
    LOGIN_OF_HALL,
    SECOND_FACTOR,
    SubjectKind,
    UsernameTaken,
    UsernameUnsuitable,
    WrongCredentials,
    check_password,
    normal_username,
)
from identity_service.accounts.models import Account, KnownBrowser
from identity_service.accounts.throttling import Bucket, admit, forgive, network_of
from service_common.crypto import KeyRing

_TOTP_COLUMN = "accounts.totp_secret"
_TOTP_STEP_SECONDS = 30
_MANY_BROWSERS = 1000
NOBODY = UUID(int=0)
"""Whose rows are looked for when there is no such account: as many statements as for one that is there."""


@dataclass(frozen=True, slots=True)
class NewAccount:
    """What an account begins with. ``password_hash`` was made before the transaction."""

    id: UUID
    kind: SubjectKind
    username: str
    password_hash: str
    totp_secret: str | None = None
    must_change_password: bool = False


@dataclass(frozen=True, slots=True)
class Attempt:
    """One try to log in: the account if there is one, and the counts that a success forgives or takes back."""

    account: Account | None
    own: Sequence[Bucket]
    shared: Sequence[Bucket]
    at: datetime


async def prepare_password(password: str, *, username: str) -> str:
    """Checks a chosen password and hashes it. Raises: PasswordUnsuitable, UsernameUnsuitable."""
    check_password(password, username=normal_username(username), is_listed=is_listed)
    return await passwords.hash_password(password)


async def open_account(session: AsyncSession, ring: KeyRing, new: NewAccount, *, now: datetime) -> Account:
    """Gives a subject a way to log in. Raises: UsernameTaken, UsernameUnsuitable."""
    account = Account(
        id=new.id,
        kind=new.kind,
        username=normal_username(new.username),
        password_hash=new.password_hash,
        password_changed_at=now,
        must_change_password=new.must_change_password,
        totp_secret=ring.encrypt(new.totp_secret, column=_TOTP_COLUMN) if new.totp_secret else None,
        is_active=True,
    )
    try:
        async with session.begin_nested():
            session.add(account)
    except IntegrityError as error:
        raise UsernameTaken from error
    return account


async def begin_login(
    session: AsyncSession,
    ring: KeyRing,
    *,
    account_id: UUID | None,
    username: str,
    address: str,
    browser_hash: bytes,
    now: datetime,
) -> Attempt:
    """Counts an attempt and looks the account up by user name, or by ``account_id`` when a phone number led to it.

    Raises: TooMany.
    """
    account = await _find_account(session, account_id, username)
    name = str(account.id) if account else username.strip().lower()
    network = network_of(address)
    is_own, is_known = await _browser_is_known(session, account.id if account else NOBODY, browser_hash)
    if is_own:
        attempt = Attempt(account, [Bucket(LOGIN_AT_PLACE, f"{name}\x00{browser_hash.hex()}")], [], now)
    else:
        own = [Bucket(LOGIN_AT_PLACE, f"{name}\x00{network}"), Bucket(LOGIN_OF_ACCOUNT, name)]
        # Many people come from there: a success takes back its own attempt, and forgives no other.
        shared = [Bucket(LOGIN_OF_HALL if is_known else LOGIN_OF_ADDRESS, network)]
        attempt = Attempt(account, own, shared, now)
    await admit(session, ring, [*attempt.own, *attempt.shared], now=now)
    return attempt


async def _find_account(session: AsyncSession, account_id: UUID | None, username: str) -> Account | None:
    """One statement, whatever was typed and whoever is found."""
    which = Account.id == (account_id or NOBODY)
    if account_id is None:
        with contextlib.suppress(UsernameUnsuitable):
            which = Account.username == normal_username(username)
    found: Account | None = await session.scalar(select(Account).where(which))
    return found


async def _browser_is_known(
    session: AsyncSession, account_id: UUID, browser_hash: bytes
) -> tuple[bool, bool]:
    """Whether somebody has logged in from a browser: to this account, to any at all."""
    from_it = select(KnownBrowser.account_id).where(KnownBrowser.browser_hash == browser_hash)
    found = await session.execute(
        select(from_it.where(KnownBrowser.account_id == account_id).exists(), from_it.exists())
    )
    is_own, is_known = found.one()
    return is_own, is_known


async def finish_login(
    session: AsyncSession, ring: KeyRing, attempt: Attempt, *, browser_hash: bytes, now: datetime
) -> bool:
    """Forgives the attempts and remembers the browser. Returns whether it is one that the owner should hear of.

    The very first browser of an account is not. Raises: WrongCredentials.
    """
    assert attempt.account is not None
    if not await hold_unchanged(session, attempt.account):
        raise WrongCredentials
    await forgive(session, ring, attempt.own, shared=attempt.shared, at=attempt.at)
    return await remember_browser(session, attempt.account.id, browser_hash, now=now)


async def hold_unchanged(session: AsyncSession, checked: Account) -> bool:
    """Holds an account whose password was checked outside of a transaction. False when it was closed or got another meanwhile."""
    account = await hold_account(session, checked.id)
    return account.is_active and account.password_hash == checked.password_hash


async def hold_account(session: AsyncSession, account_id: UUID) -> Account:
    """An account as it is now, whose credentials nobody replaces before this transaction is over."""
    return await session.get_one(
        Account, account_id, with_for_update={"key_share": True}, populate_existing=True
    )


async def remember_browser(
    session: AsyncSession, account_id: UUID, browser_hash: bytes, *, now: datetime
) -> bool:
    """Notes from where an account was entered. Returns whether it is new, and not the first of all."""
    known = await session.scalars(
        select(KnownBrowser.browser_hash).where(KnownBrowser.account_id == account_id).limit(_MANY_BROWSERS)
    )
    before = set(known)
    entry = insert(KnownBrowser).values(account_id=account_id, browser_hash=browser_hash, last_used_at=now)
    await session.execute(
        entry.on_conflict_do_update(
            index_elements=["account_id", "browser_hash"], set_={"last_used_at": entry.excluded.last_used_at}
        )
    )
    return bool(before) and browser_hash not in before


async def replace_hash(session: AsyncSession, account_id: UUID, password_hash: str) -> None:
    """Stores the same password hashed with today's parameters."""
    account = await session.get_one(Account, account_id)
    account.password_hash = password_hash


async def set_password(session: AsyncSession, account_id: UUID, password_hash: str, *, now: datetime) -> None:
    """A new password from now on, chosen by its owner; the sessions are ended by the caller."""
    account = await hold_account(session, account_id)
    account.password_hash = password_hash
    account.password_changed_at = now
    account.must_change_password = False
    account.credentials_version += 1


async def replace_credentials(
    session: AsyncSession,
    ring: KeyRing,
    account_id: UUID,
    *,
    password_hash: str,
    totp_secret: str,
    now: datetime,
) -> None:
    """A password and a second factor that somebody hands over; the sessions are ended by the caller."""
    await set_password(session, account_id, password_hash, now=now)
    account = await session.get_one(Account, account_id)
    account.must_change_password = True
    account.totp_secret = ring.encrypt(totp_secret, column=_TOTP_COLUMN)
    account.totp_last_step = None


async def replace_second_factor(
    session: AsyncSession, ring: KeyRing, account_id: UUID, secret: str, code: str, *, now: datetime
) -> bool:
    """Another authenticator, once it shows the right code; that code is used up by it. False for another code."""
    account = await hold_account(session, account_id)
    step = _matching_step(secret, code, now)
    if step is None or not account.is_active:
        return False
    account.totp_secret = ring.encrypt(secret, column=_TOTP_COLUMN)
    account.totp_last_step = step
    account.credentials_version += 1
    return True


async def check_second_factor(
    session: AsyncSession, ring: KeyRing, account_id: UUID, code: str, *, now: datetime
) -> bool:
    """Whether it is the code of now, of the step before or after, and was not used (RFC 6238 §5.2). Raises: TooMany."""
    # Read anew under the lock: who comes with the same code at the same moment has to see that it was used.
    account = await hold_account(session, account_id)
    if account.totp_secret is None or not account.is_active:
        return False
    bucket = Bucket(SECOND_FACTOR, str(account.id))
    await admit(session, ring, [bucket], now=now)
    step = _matching_step(ring.decrypt(account.totp_secret, column=_TOTP_COLUMN), code, now)
    if step is None or step <= (account.totp_last_step or 0):
        return False
    account.totp_last_step = step
    await forgive(session, ring, [bucket], at=now)
    return True


def _matching_step(secret: str, code: str, now: datetime) -> int | None:
    totp = pyotp.TOTP(secret)
    current = int(now.timestamp()) // _TOTP_STEP_SECONDS
    wanted = "".join(code.split()).encode()
    for step in (current, current - 1, current + 1):
        if hmac.compare_digest(totp.generate_otp(step).encode(), wanted):
            return step
    return None


async def set_active(session: AsyncSession, account_id: UUID, *, active: bool) -> None:
    """Opens or closes an account; its sessions are ended by the caller."""
    account = await session.get_one(Account, account_id)
    account.is_active = active


async def find_account(session: AsyncSession, account_id: UUID) -> Account | None:
    """The account of a subject."""
    return await session.get(Account, account_id)


async def find_account_id(session: AsyncSession, username: str) -> UUID | None:
    """Whose user name it is; none for a name that nobody has."""
    account = await _find_account(session, None, username)
    return account.id if account else None


async def username_exists(session: AsyncSession, username: str) -> bool:
    """Whether a user name is taken."""
    return await _find_account(session, None, username) is not None
