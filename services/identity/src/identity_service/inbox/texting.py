"""Urgent messages go to the phone as well, in the language of the person."""

from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from identity_service.inbox.domain import wording
from identity_service.inbox.models import InboxMessage
from identity_service.people.handlers import lookup
from identity_service.sms.domain import SmsTemplate, compose
from identity_service.sms.handlers import queue_sms
from service_common.crypto import KeyRing

_BATCH = 50
_USEFUL_FOR = timedelta(hours=12)


async def text_urgent(session: AsyncSession, ring: KeyRing, *, now: datetime) -> int:
    """Hands urgent messages to the text messages, each once: both happen in this transaction. Returns how many were due."""
    due = (
        await session.scalars(
            select(InboxMessage)
            .where(InboxMessage.text_due_at <= now)
            .order_by(InboxMessage.text_due_at)
            .limit(_BATCH)
            .with_for_update(skip_locked=True)
        )
    ).all()
    for message in due:
        message.text_due_at = None
        left = message.created_at + _USEFUL_FOR - now
        person = await lookup.find_profile(session, ring, message.person_id)
        # Who helps people submits for them, and is told in the inbox alone: staff have no phone here.
        if person is None or person.phone is None or left <= timedelta() or message.read_at is not None:
            continue
        words = wording(message.template, message.facts, person.language)
        text = compose(SmsTemplate.URGENT_NOTICE, person.language, title=words.title, body=words.body)
        await queue_sms(session, ring, phone=person.phone, text=text, now=now, useful_for=left)
    return len(due)
