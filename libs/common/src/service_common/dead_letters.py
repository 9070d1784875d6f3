"""Dead letters: events that a handler refused again and again, for a person to list, read and replay."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Row, func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from service_common.db import Database
from service_common.errors import NotFound
from service_common.messaging import Subscriber, handle_once
from service_common.tables import dead_events


class NoSuchDeadLetter(NotFound):
    """The id is not in the table."""

    code = "no_such_dead_letter"
    zh = "没有编号为 {letter_id} 的死信。"
    en = "There is no dead letter {letter_id}."


class NoSuchConsumer(NotFound):
    """The subscriber was renamed or removed since."""

    code = "no_such_consumer"
    zh = "没有名为 {consumer} 的消费者。"
    en = "There is no consumer {consumer} any more."


async def list_dead_letters(session: AsyncSession, *, limit: int = 50) -> Sequence[Row[Any]]:
    """The newest dead letters that nobody has replayed."""
    found = await session.execute(
        select(dead_events)
        .where(dead_events.c.replayed_at.is_(None))
        .order_by(dead_events.c.id.desc())
        .limit(limit)
    )
    return found.all()


async def show_dead_letter(session: AsyncSession, letter_id: int) -> Row[Any]:
    """One dead letter with its body. Raises: NoSuchDeadLetter."""
    found = (await session.execute(select(dead_events).where(dead_events.c.id == letter_id))).first()
    if found is None:
        raise NoSuchDeadLetter(letter_id=letter_id)
    return found


async def replay_dead_letter(
    database: Database, subscribers: Sequence[Subscriber[Any]], letter_id: int
) -> bool:
    """Handles it again, once. Returns False when it had been handled in the meantime.

    Raises: NoSuchDeadLetter, NoSuchConsumer, and whatever the handler raises.
    """
    async with database.sessions() as session:
        letter = await show_dead_letter(session, letter_id)
    subscriber = next((one for one in subscribers if one.name == letter.consumer), None)
    if subscriber is None:
        raise NoSuchConsumer(consumer=letter.consumer)
    ran = await handle_once(database, subscriber, subscriber.read(letter.body))
    async with database.sessions() as session, session.begin():
        await session.execute(
            update(dead_events).where(dead_events.c.id == letter_id).values(replayed_at=func.now())
        )
    return ran
