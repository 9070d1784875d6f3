"""Codes that are sent to a phone: one per phone and purpose, five minutes, five tries."""

import hmac
from datetime import datetime, timedelta

from sqlalchemy import delete
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from identity_service.accounts.throttling import Bucket, admit, network_of
from identity_service.people.domain import (
    CODE_LIFE,
    CODE_PER_ADDRESS,
    CODE_PER_PHONE,
    CODE_TRIES,
    CodePurpose,
    new_code,
    normal_phone,
)
from identity_service.people.handlers.lookup import account_of_phone
from identity_service.people.handlers.sealing import phone_index
from identity_service.people.models import PhoneCode
from identity_service.sms.domain import SmsTemplate, compose
from identity_service.sms.handlers import queue_sms
from service_common.crypto import KeyRing

_TEMPLATES = {
    CodePurpose.SIGN_UP: SmsTemplate.SIGN_UP_CODE,
    CodePurpose.PASSWORD_RESET: SmsTemplate.PASSWORD_RESET_CODE,
    CodePurpose.PHONE_CHANGE: SmsTemplate.PHONE_CHANGE_CODE,
}


async def send_code(
    session: AsyncSession,
    ring: KeyRing,
    *,
    phone: str,
    purpose: CodePurpose,
    address: str,
    language: str,
    now: datetime,
) -> None:
    """Sends a code to a phone. The answer does not tell whether the phone has an account.

    A code to sign up, or for the new number of who has an account, goes to any phone, one to reset a password only to a phone that has an account: nobody else can
    use it. For another phone the message is written as well, and thrown away: that takes as long. Raises: InvalidPhone, TooMany.
    """
    number = normal_phone(phone)
    index = phone_index(ring, number)
    buckets = [
        Bucket(CODE_PER_PHONE, f"{purpose}\x00{index.hex()}"),
        Bucket(CODE_PER_ADDRESS, network_of(address)),
    ]
    await admit(session, ring, buckets, now=now)
    code = new_code()
    fresh = {"code_hash": _hash(ring, number, purpose, code), "expires_at": now + CODE_LIFE, "tries": 0}
    await session.execute(
        insert(PhoneCode)
        .values(phone_index=_key(ring, number, purpose), **fresh)
        .on_conflict_do_update(index_elements=["phone_index"], set_=fresh)
    )
    is_of_account = await account_of_phone(session, ring, number) is not None
    known = is_of_account or purpose is not CodePurpose.PASSWORD_RESET
    minutes = int(CODE_LIFE.total_seconds() // 60)
    text = compose(_TEMPLATES[purpose], language, code=code, minutes=minutes)
    await queue_sms(
        session, ring, phone=number, text=text, now=now, useful_for=CODE_LIFE if known else timedelta()
    )


async def try_code(
    session: AsyncSession, ring: KeyRing, phone: str, purpose: CodePurpose, code: str, *, now: datetime
) -> bool:
    """Whether it is the code that was sent. Counts the try: the caller commits whatever comes of it."""
    sent = await session.get(PhoneCode, _key(ring, phone, purpose), with_for_update=True)
    if sent is None or sent.expires_at <= now or sent.tries >= CODE_TRIES:
        return False
    sent.tries += 1
    return hmac.compare_digest(sent.code_hash, _hash(ring, phone, purpose, code.strip()))


async def use_up(session: AsyncSession, ring: KeyRing, phone: str, purpose: CodePurpose) -> None:
    """The code has served."""
    await session.execute(delete(PhoneCode).where(PhoneCode.phone_index == _key(ring, phone, purpose)))


def _key(ring: KeyRing, phone: str, purpose: CodePurpose) -> bytes:
    if purpose is CodePurpose.SIGN_UP:
        return phone_index(ring, phone)
    return ring.blind_index(f"{purpose}\x00{phone}", column="phone_codes.phone_index")


def _hash(ring: KeyRing, phone: str, purpose: CodePurpose, code: str) -> bytes:
    return ring.blind_index(f"{purpose}\x00{phone}\x00{code}", column="phone_codes.code_hash")


async def prune_codes(session: AsyncSession, *, now: datetime) -> None:
    """Forgets codes past their time."""
    await session.execute(delete(PhoneCode).where(PhoneCode.expires_at < now))
