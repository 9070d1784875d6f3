"""Events leave in the transaction that made them true: a row here, sent later by the relay."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol
from uuid import UUID

from sqlalchemy import insert
from sqlalchemy.ext.asyncio import AsyncSession

from service_common.contracts.envelope import CloudEvent, Event
from service_common.db import new_id
from service_common.tables import outbox
from service_common.telemetry import current_traceparent

_ADD = insert(outbox)


class EventSource(Protocol):
    """A row that others hear of: see ``service_common.db.Aggregate``."""

    id: UUID
    revision: int


def envelop(aggregate_id: UUID, revision: int, event: Event, *, now: datetime) -> CloudEvent[Event]:
    """Wraps a fact for its journey."""
    return CloudEvent[Event](
        id=new_id(),
        type=event.subject,
        source=f"/{event.subject.split('.')[1]}",
        subject=aggregate_id,
        time=now,
        revision=revision,
        traceparent=current_traceparent(),
        data=event,
    )


async def add(session: AsyncSession, aggregate: EventSource, *events: Event, now: datetime) -> None:
    """Writes events about one aggregate into the running transaction, counting its revision up."""
    await add_all(session, [(aggregate, event) for event in events], now=now)


async def add_all(
    session: AsyncSession, changes: Sequence[tuple[EventSource, Event]], *, now: datetime
) -> None:
    """Writes events about many aggregates in one statement, counting each one's revision up."""
    rows = []
    for aggregate, event in changes:
        aggregate.revision = (aggregate.revision or 0) + 1
        envelope = envelop(aggregate.id, aggregate.revision, event, now=now)
        rows.append(
            {
                "id": envelope.id,
                "subject": event.subject,
                "aggregate_id": aggregate.id,
                "revision": aggregate.revision,
                "event": envelope.model_dump(mode="json") | {"data": event.model_dump(mode="json")},
            }
        )
    if rows:
        await session.execute(_ADD, rows)
