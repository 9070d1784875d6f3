"""Queueing text messages in the transaction that wants them, and sending them outside of any."""

import asyncio
from datetime import datetime, timedelta

import structlog
from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncSession

from identity_service.clients.sms import SmsNotSent, SmsSender
from identity_service.db import AWAY, Transactions
from identity_service.sms.models import SmsMessage
from service_common.clock import utc_now
from service_common.crypto import KeyRing

logger = structlog.get_logger()

_PHONE_COLUMN = "sms_messages.phone"
_TEXT_COLUMN = "sms_messages.text"
_LOOK_EVERY_SECONDS = 0.5
_BATCH = 20
# While one worker sends, no other takes the message; a worker that dies lets go of it after this.
_HOLD = timedelta(seconds=30)
_RETRY_AFTER = timedelta(seconds=5)


async def queue_sms(
    session: AsyncSession, ring: KeyRing, *, phone: str, text: str, now: datetime, useful_for: timedelta
) -> None:
    """Sends a message soon after this transaction is committed, unless it is of no use any more by then."""
    session.add(
        SmsMessage(
            phone=ring.encrypt(phone, column=_PHONE_COLUMN),
            text=ring.encrypt(text, column=_TEXT_COLUMN),
            due_at=now,
            expires_at=now + useful_for,
        )
    )


async def send_due(transactions: Transactions, ring: KeyRing, sender: SmsSender, *, now: datetime) -> int:
    """Takes messages that are due and sends them. Returns how many were sent. A message may be sent twice."""
    async with transactions() as session:
        await session.execute(delete(SmsMessage).where(SmsMessage.expires_at <= now))
        taken = (
            await session.scalars(
                select(SmsMessage)
                .where(SmsMessage.due_at <= now)
                .order_by(SmsMessage.due_at)
                .limit(_BATCH)
                .with_for_update(skip_locked=True)
            )
        ).all()
        for message in taken:
            message.due_at = now + _HOLD
            message.tries += 1
    sent = 0
    for message in taken:
        sent += await _send(transactions, ring, sender, message, now)
    return sent


async def _send(
    transactions: Transactions, ring: KeyRing, sender: SmsSender, message: SmsMessage, now: datetime
) -> bool:
    try:
        await sender.send(
            message_id=str(message.id),
            phone=ring.decrypt(message.phone, column=_PHONE_COLUMN),
            text=ring.decrypt(message.text, column=_TEXT_COLUMN),
        )
    except SmsNotSent:
        logger.warning("sms_not_sent", message_id=str(message.id), tries=message.tries)
        async with transactions() as session:
            row = await session.get(SmsMessage, message.id)
            if row is not None:
                row.due_at = now + _RETRY_AFTER * row.tries
        return False
    async with transactions() as session:
        await session.execute(delete(SmsMessage).where(SmsMessage.id == message.id))
    return True


async def keep_sending(transactions: Transactions, ring: KeyRing, sender: SmsSender) -> None:
    """Sends for ever; a lost database is waited for."""
    while True:
        try:
            sent = await send_due(transactions, ring, sender, now=utc_now())
        except AWAY as error:
            logger.warning("sms_lost_database", error=type(error).__name__)
            sent = 0
            await asyncio.sleep(1)
        if sent < _BATCH:
            await asyncio.sleep(_LOOK_EVERY_SECONDS)
