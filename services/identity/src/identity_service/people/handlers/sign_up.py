"""Signing up with a code that was sent to the phone."""

import hmac
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from identity_service.accounts import handlers as accounts
from identity_service.accounts.domain import SubjectKind
from identity_service.accounts.throttling import Bucket, admit
from identity_service.db import Transactions
from identity_service.people.domain import (
    CODE_LIFE,
    CODE_PER_ADDRESS,
    CODE_PER_PHONE,
    CODE_TRIES,
    PhoneTaken,
    WrongPhoneCode,
    new_code,
    normal_phone,
)
from identity_service.people.handlers.sealing import phone_index, seal_phone
from identity_service.people.models import Person, PhoneCode
from identity_service.sms.domain import SmsTemplate, compose
from identity_service.sms.handlers import queue_sms
from service_common import outbox
from service_common.contracts.identity import PersonRegistered
from service_common.crypto import KeyRing
from service_common.db import new_id


@dataclass(frozen=True, slots=True)
class SignUp:
    """What somebody enters to get an account."""

    username: str
    password: str
    phone: str
    code: str


async def send_sign_up_code(
    session: AsyncSession, ring: KeyRing, *, phone: str, address: str, language: str, now: datetime
) -> None:
    """Sends a code to a phone, whether or not the phone has an account: the answer tells nothing.

    Raises: InvalidPhone, TooMany.
    """
    number = normal_phone(phone)
    index = phone_index(ring, number)
    buckets = [Bucket(CODE_PER_PHONE, index.hex()), Bucket(CODE_PER_ADDRESS, address)]
    await admit(session, ring, buckets, now=now)
    code = new_code()
    fresh = {"code_hash": _hash(ring, number, code), "expires_at": now + CODE_LIFE, "tries": 0}
    await session.execute(
        insert(PhoneCode)
        .values(phone_index=index, **fresh)
        .on_conflict_do_update(index_elements=["phone_index"], set_=fresh)
    )
    minutes = int(CODE_LIFE.total_seconds() // 60)
    text = compose(SmsTemplate.SIGN_UP_CODE, language, code=code, minutes=minutes)
    await queue_sms(session, ring, phone=number, text=text, now=now, useful_for=CODE_LIFE)


async def sign_up(transactions: Transactions, ring: KeyRing, wish: SignUp, *, now: datetime) -> Person:
    """Makes a person of trust level 1.

    Raises: WrongPhoneCode, PhoneTaken, UsernameTaken, UsernameUnsuitable, PasswordUnsuitable, InvalidPhone.
    """
    number = normal_phone(wish.phone)
    # Outside the transactions: hashing takes long, and a wrong code must be counted although the sign-up is refused.
    password_hash = await accounts.prepare_password(wish.password, username=wish.username)
    async with transactions() as session:
        code_fits = await _try_code(session, ring, number, wish.code, now)
    if not code_fits:
        raise WrongPhoneCode
    async with transactions() as session:
        return await _register(session, ring, wish.username, password_hash, number, now=now)


async def _register(
    session: AsyncSession, ring: KeyRing, username: str, password_hash: str, phone: str, *, now: datetime
) -> Person:
    person = Person(
        id=new_id(), phone=seal_phone(ring, phone), phone_index=phone_index(ring, phone), trust_level=1
    )
    try:
        async with session.begin_nested():
            session.add(person)
    except IntegrityError as error:
        raise PhoneTaken from error
    account = accounts.NewAccount(person.id, SubjectKind.PERSON, username, password_hash)
    await accounts.open_account(session, ring, account, now=now)
    await outbox.add(session, person, PersonRegistered(person_id=person.id), now=now)
    # Used up only now: a user name that is taken must not cost the person another code.
    await session.execute(delete(PhoneCode).where(PhoneCode.phone_index == person.phone_index))
    return person


async def _try_code(session: AsyncSession, ring: KeyRing, phone: str, code: str, now: datetime) -> bool:
    sent = await session.scalar(
        select(PhoneCode).where(PhoneCode.phone_index == phone_index(ring, phone)).with_for_update()
    )
    if sent is None or sent.expires_at <= now or sent.tries >= CODE_TRIES:
        return False
    sent.tries += 1
    return hmac.compare_digest(sent.code_hash, _hash(ring, phone, code.strip()))


def _hash(ring: KeyRing, phone: str, code: str) -> bytes:
    return ring.blind_index(f"{phone}\x00{code}", column="phone_codes.code_hash")


async def prune_codes(session: AsyncSession, *, now: datetime) -> None:
    """Forgets codes past their time."""
    await session.execute(delete(PhoneCode).where(PhoneCode.expires_at < now))
