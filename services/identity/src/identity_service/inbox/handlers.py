"""Putting messages into inboxes, reading them."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from identity_service.inbox.domain import URGENT, WORDINGS, Category, NoSuchMessage, Template, templates_of
from identity_service.inbox.models import InboxMessage
from identity_service.legal_persons import handlers as legal_persons
from service_common.contracts.acceptance import HolderKind
from service_common.db import new_id


@dataclass(frozen=True, slots=True)
class Notice:
    """What happened, ready to be told."""

    event_id: UUID
    template: Template
    about_kind: str
    about_id: UUID
    facts: dict[str, Any]
    at: datetime


async def tell(session: AsyncSession, person_ids: Iterable[UUID], notice: Notice) -> None:
    """One message to each person; telling it again does nothing."""
    rows = [
        {
            "id": new_id(),
            "person_id": person_id,
            "event_id": notice.event_id,
            "template": notice.template,
            "facts": notice.facts,
            "about_kind": notice.about_kind,
            "about_id": notice.about_id,
            "created_at": notice.at,
            "text_due_at": notice.at if notice.template in URGENT else None,
        }
        for person_id in dict.fromkeys(person_ids)
    ]
    if rows:
        await session.execute(insert(InboxMessage).on_conflict_do_nothing(), rows)


async def holders_of(
    session: AsyncSession, kind: HolderKind, holder_id: UUID, *, now: datetime
) -> Sequence[UUID]:
    """The persons to tell of something that a natural or legal person holds."""
    if kind is HolderKind.NATURAL_PERSON:
        return [holder_id]
    return await legal_persons.acting_persons(session, holder_id, now=now)


async def list_messages(
    session: AsyncSession,
    person_id: UUID,
    *,
    unread_only: bool,
    category: Category | None = None,
    before: UUID | None,
    limit: int,
) -> Sequence[InboxMessage]:
    """The newest first; one more than ``limit``."""
    query = (
        select(InboxMessage)
        .where(InboxMessage.person_id == person_id)
        .order_by(InboxMessage.id.desc())
        .limit(limit + 1)
    )
    if unread_only:
        query = query.where(InboxMessage.read_at.is_(None))
    if category is not None:
        query = query.where(InboxMessage.template.in_(templates_of(category)))
    if before is not None:
        query = query.where(InboxMessage.id < before)
    return (await session.scalars(query)).all()


async def mark_read(
    session: AsyncSession, person_id: UUID, message_id: UUID, *, now: datetime
) -> InboxMessage:
    """Marks a message as read; the first time counts. Raises: NoSuchMessage."""
    message = await session.get(InboxMessage, message_id, with_for_update=True)
    if message is None or message.person_id != person_id:
        raise NoSuchMessage
    if message.read_at is None:
        message.read_at = now
    return message


async def count_unread(session: AsyncSession, person_id: UUID) -> dict[Category, int]:
    """How many messages of each category were not read yet; every category is named."""
    found = await session.execute(
        select(InboxMessage.template, func.count())
        .where(InboxMessage.person_id == person_id, InboxMessage.read_at.is_(None))
        .group_by(InboxMessage.template)
    )
    counts = dict.fromkeys(Category, 0)
    for template, count in found:
        counts[WORDINGS[template].category] += count
    return counts


async def mark_all_read(
    session: AsyncSession, person_id: UUID, category: Category | None, *, now: datetime
) -> None:
    """Marks everything as read, or everything of one category."""
    query = update(InboxMessage).where(InboxMessage.person_id == person_id, InboxMessage.read_at.is_(None))
    if category is not None:
        query = query.where(InboxMessage.template.in_(templates_of(category)))
    await session.execute(query.values(read_at=now))
