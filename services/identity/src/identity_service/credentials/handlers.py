"""Changing and resetting passwords."""

from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from identity_service.accounts import handlers as accounts
from identity_service.accounts import passwords
from identity_service.accounts.domain import CHANGE_PASSWORD, RESET_PASSWORD, normal_password, same_password
from identity_service.accounts.throttling import Bucket, admit, forgive
from identity_service.credentials.domain import ResetRefused, WrongCurrentPassword
from identity_service.db import Transactions
from identity_service.inbox.domain import Template
from identity_service.inbox.handlers import Notice, tell
from identity_service.people.domain import CodePurpose, normal_phone
from identity_service.people.handlers import lookup, phone_codes
from identity_service.people.handlers.sealing import phone_index
from identity_service.sessions import handlers as sessions
from service_common.auth import Caller
from service_common.contracts.identity import SessionEndReason
from service_common.crypto import KeyRing
from service_common.db import new_id

_TAIL = 4


@dataclass(frozen=True, slots=True)
class Place:
    """Where somebody changes the own password: that session goes on, all others end."""

    account_id: UUID
    login_session_id: UUID | None


async def place_of(transactions: Transactions, caller: Caller) -> Place:
    """Where a caller of the API is logged in. Raises: NoAccount."""
    account_id = sessions.account_of(caller)
    async with transactions() as session:
        return Place(account_id, await sessions.login_of(session, caller))


async def change_password(
    transactions: Transactions, ring: KeyRing, place: Place, *, current: str, new: str, now: datetime
) -> None:
    """A new password for who knows the old one; every other session and every app ends.

    Raises: WrongCurrentPassword, PasswordUnsuitable, TooMany.
    """
    account_id = place.account_id
    bucket = Bucket(CHANGE_PASSWORD, str(account_id))
    async with transactions() as session:
        await admit(session, ring, [bucket], now=now)
        account = await accounts.find_account(session, account_id)
    if account is None or not await passwords.password_fits(current, account.password_hash):
        raise WrongCurrentPassword
    if normal_password(new) == normal_password(current):
        raise same_password()
    new_hash = await accounts.prepare_password(new, username=account.username)
    async with transactions() as session:
        if not await accounts.hold_unchanged(session, account):
            raise WrongCurrentPassword
        await accounts.set_password(session, account_id, new_hash, now=now)
        await sessions.end_all_but(
            session, account_id, place.login_session_id, reason=SessionEndReason.SUSPICION, now=now
        )
        await _tell(session, account_id, now)
        await forgive(session, ring, [bucket], at=now)


@dataclass(frozen=True, slots=True)
class Reset:
    """What somebody enters who has forgotten the password. Its repr shows nothing."""

    phone: str = field(repr=False)
    code: str = field(repr=False)
    new_password: str = field(repr=False)
    id_number_tail: str | None = field(repr=False)


async def reset_password(transactions: Transactions, ring: KeyRing, wish: Reset, *, now: datetime) -> None:
    """A new password for who holds the phone; all sessions end.

    Phone numbers are given out again. A verified account therefore also asks for the last digits of the identity number,
    which the next owner of the number does not know.
    Raises: ResetRefused, PasswordUnsuitable, InvalidPhone, TooMany.
    """
    phone = normal_phone(wish.phone)
    async with transactions() as session:
        await admit(session, ring, [Bucket(RESET_PASSWORD, phone_index(ring, phone).hex())], now=now)
        fits = await phone_codes.try_code(
            session, ring, phone, CodePurpose.PASSWORD_RESET, wish.code, now=now
        )
        person_id = await lookup.account_of_phone(session, ring, phone)
        known = await lookup.profile_of(session, ring, person_id) if person_id else None
        account = await accounts.find_account(session, person_id) if person_id else None
    if not fits or known is None or account is None or not account.is_active:
        raise ResetRefused
    if known.id_number is not None and known.id_number[-_TAIL:] != (wish.id_number_tail or "").upper():
        raise ResetRefused
    new_hash = await accounts.prepare_password(wish.new_password, username=account.username)
    async with transactions() as session:
        await accounts.set_password(session, account.id, new_hash, now=now)
        await sessions.end_everything_of(session, account.id, reason=SessionEndReason.SUSPICION, now=now)
        await phone_codes.use_up(session, ring, phone, CodePurpose.PASSWORD_RESET)
        await _tell(session, account.id, now)


async def _tell(session: AsyncSession, account_id: UUID, now: datetime) -> None:
    """Whoever did it, the owner hears of it (NIST SP 800-63B §6.1.2.3)."""
    notice = Notice(new_id(), Template.PASSWORD_CHANGED, "ACCOUNT", account_id, {}, now)
    await tell(session, [account_id], notice)
