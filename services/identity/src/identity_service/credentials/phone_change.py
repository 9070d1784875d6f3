"""Another phone number for an account: whoever holds it and knows the password."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from identity_service.accounts import handlers as accounts
from identity_service.accounts import passwords
from identity_service.accounts.domain import CHANGE_PASSWORD
from identity_service.accounts.throttling import Bucket, admit, forgive
from identity_service.credentials.domain import WrongCurrentPassword
from identity_service.db import Transactions
from identity_service.inbox.domain import Template
from identity_service.inbox.handlers import Notice, tell
from identity_service.people.domain import CodePurpose, PhoneTaken, WrongPhoneCode, normal_phone
from identity_service.people.handlers import phone_codes
from identity_service.people.handlers.sealing import open_profile, phone_index, seal_phone
from identity_service.people.models import Person
from identity_service.sms.domain import SmsTemplate, compose
from identity_service.sms.handlers import queue_sms
from service_common.crypto import KeyRing
from service_common.db import new_id

_TAIL = 4
_USEFUL_FOR = timedelta(hours=12)


@dataclass(frozen=True, slots=True)
class NewPhone:
    """The number, the code that was sent to it, and the password. Its repr shows nothing."""

    phone: str = field(repr=False)
    code: str = field(repr=False)
    password: str = field(repr=False)


async def change_phone(
    transactions: Transactions, ring: KeyRing, person_id: UUID, wish: NewPhone, *, now: datetime
) -> None:
    """The account is found by the new number from now on, and not by the old one, which is told of it.

    The password is asked for: a phone resets it, so an open screen must not become one.
    Raises: InvalidPhone, WrongCurrentPassword, WrongPhoneCode, PhoneTaken, TooMany, HashingBusy.
    """
    phone = normal_phone(wish.phone)
    bucket = Bucket(CHANGE_PASSWORD, str(person_id))
    async with transactions() as session:
        await admit(session, ring, [bucket], now=now)
        account = await accounts.find_account(session, person_id)
    if account is None or not await passwords.password_fits(wish.password, account.password_hash):
        raise WrongCurrentPassword
    async with transactions() as session:
        fits = await phone_codes.try_code(session, ring, phone, CodePurpose.PHONE_CHANGE, wish.code, now=now)
    if not fits:
        raise WrongPhoneCode
    async with transactions() as session:
        if not await accounts.hold_unchanged(session, account):
            raise WrongCurrentPassword
        await _replace(session, ring, person_id, phone, now=now)
        await phone_codes.use_up(session, ring, phone, CodePurpose.PHONE_CHANGE)
        await forgive(session, ring, [bucket], at=now)


async def _replace(
    session: AsyncSession, ring: KeyRing, person_id: UUID, phone: str, *, now: datetime
) -> None:
    person = await session.get_one(Person, person_id, with_for_update=True, populate_existing=True)
    before = open_profile(ring, person).phone
    if before == phone:
        return
    try:
        async with session.begin_nested():
            person.phone, person.phone_index = seal_phone(ring, phone), phone_index(ring, phone)
    except IntegrityError as error:
        raise PhoneTaken from error
    tail = phone[-_TAIL:]
    notice = Notice(new_id(), Template.PHONE_CHANGED, "ACCOUNT", person_id, {"tail": tail}, now)
    await tell(session, [person_id], notice)
    if before is not None:
        text = compose(SmsTemplate.PHONE_CHANGED, person.language, tail=tail)
        await queue_sms(session, ring, phone=before, text=text, now=now, useful_for=_USEFUL_FOR)
