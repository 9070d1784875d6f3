"""Queries of webhooks that are longer than a line."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, delete, func, lateral, select, true, tuple_, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from gateway_service.webhooks.domain import DeliveryStatus, EndpointStatus, NoSuchWebhook
from gateway_service.webhooks.models import WebhookDelivery, WebhookEndpoint, WebhookMessage
from service_common.db import new_id


async def endpoint_of(
    session: AsyncSession, department_id: UUID, endpoint_id: UUID, *, lock: bool = False
) -> WebhookEndpoint:
    """A receiver of this department. Raises: NoSuchWebhook."""
    query = select(WebhookEndpoint).where(
        WebhookEndpoint.id == endpoint_id, WebhookEndpoint.department_id == department_id
    )
    found = (await session.scalars(query.with_for_update() if lock else query)).one_or_none()
    if found is None:
        raise NoSuchWebhook
    return found


async def endpoints_of(
    session: AsyncSession, department_id: UUID, *, after: UUID | None, limit: int
) -> Sequence[WebhookEndpoint]:
    """A page of a department's receivers, oldest first."""
    query = select(WebhookEndpoint).where(WebhookEndpoint.department_id == department_id)
    if after:
        query = query.where(WebhookEndpoint.id > after)
    return (await session.scalars(query.order_by(WebhookEndpoint.id).limit(limit))).all()


async def count_endpoints(session: AsyncSession, department_id: UUID) -> int:
    """How many receivers a department has."""
    query = select(func.count()).where(WebhookEndpoint.department_id == department_id)
    return await session.scalar(query) or 0


async def deliveries_of(
    session: AsyncSession,
    endpoint_id: UUID,
    *,
    status: DeliveryStatus | None,
    after: tuple[datetime, UUID] | None,
    limit: int,
) -> Sequence[Row[WebhookDelivery, str]]:
    """A page of deliveries with their event types, newest first."""
    query = (
        select(WebhookDelivery, WebhookMessage.event_type)
        .join(WebhookMessage, WebhookMessage.id == WebhookDelivery.message_id)
        .where(WebhookDelivery.endpoint_id == endpoint_id)
    )
    if status:
        query = query.where(WebhookDelivery.status == status)
    if after:
        query = query.where(tuple_(WebhookDelivery.created_at, WebhookDelivery.id) < after)
    newest_first = (WebhookDelivery.created_at.desc(), WebhookDelivery.id.desc())
    return (await session.execute(query.order_by(*newest_first).limit(limit))).all()


async def claim_due(
    session: AsyncSession,
    *,
    now: datetime,
    until: datetime,
    busy: Collection[UUID],
    each: int,
    most: int,
) -> Sequence[UUID]:
    """Takes deliveries that are due, at most ``each`` of one receiver, and keeps them from other claimers ``until`` then."""
    due = lateral(
        select(WebhookDelivery.id)
        .where(
            WebhookDelivery.endpoint_id == WebhookEndpoint.id,
            WebhookDelivery.status == DeliveryStatus.PENDING,
            WebhookDelivery.next_try_at <= now,
        )
        .order_by(WebhookDelivery.next_try_at)
        .limit(each)
        .with_for_update(skip_locked=True)
    )
    taken = (
        select(due.c.id)
        .select_from(WebhookEndpoint)
        .join(due, true())
        .where(WebhookEndpoint.id.not_in(list(busy)))
        .limit(most)
    )
    claimed = await session.scalars(
        update(WebhookDelivery)
        .where(WebhookDelivery.id.in_(taken))
        .values(next_try_at=until, tries=WebhookDelivery.tries + 1)
        .returning(WebhookDelivery.id)
        .execution_options(synchronize_session=False)
    )
    return claimed.all()


async def with_message_and_endpoint(
    session: AsyncSession, delivery_ids: Sequence[UUID]
) -> Sequence[Row[WebhookDelivery, WebhookMessage, WebhookEndpoint]]:
    """What is needed to send them."""
    query = (
        select(WebhookDelivery, WebhookMessage, WebhookEndpoint)
        .join(WebhookMessage, WebhookMessage.id == WebhookDelivery.message_id)
        .join(WebhookEndpoint, WebhookEndpoint.id == WebhookDelivery.endpoint_id)
        .where(WebhookDelivery.id.in_(delivery_ids))
    )
    return (await session.execute(query)).all()


async def enqueue(
    session: AsyncSession, pairs: Sequence[tuple[UUID, UUID]], *, now: datetime, again: bool = False
) -> None:
    """Puts messages on their way to receivers (endpoint, message); ``again`` also those that arrived or were given up."""
    if not pairs:
        return
    rows: list[dict[str, Any]] = [
        {
            "id": new_id(),
            "endpoint_id": endpoint_id,
            "message_id": message_id,
            "status": DeliveryStatus.PENDING,
            "tries": 0,
            "next_try_at": now,
            "created_at": now,
        }
        for endpoint_id, message_id in pairs
    ]
    statement = insert(WebhookDelivery)
    fresh = {
        "status": DeliveryStatus.PENDING,
        "tries": 0,
        "next_try_at": now,
        "created_at": now,
        "response_code": None,
        "error": None,
        "delivered_at": None,
    }
    key = ["endpoint_id", "message_id"]
    statement = (
        statement.on_conflict_do_update(index_elements=key, set_=fresh)
        if again
        else statement.on_conflict_do_nothing(index_elements=key)
    )
    await session.execute(statement, rows)


async def messages_since(
    session: AsyncSession, department_id: UUID, event_types: Sequence[str], since: datetime, *, most: int
) -> Sequence[UUID]:
    """Events that a department was told of, oldest first; verifications are not among them."""
    query = (
        select(WebhookMessage.id)
        .where(
            WebhookMessage.department_id == department_id,
            WebhookMessage.event_type.in_(event_types),
            WebhookMessage.event_id.is_not(None),
            WebhookMessage.created_at >= since,
        )
        .order_by(WebhookMessage.created_at)
        .limit(most)
    )
    return (await session.scalars(query)).all()


async def listeners(
    session: AsyncSession, department_id: UUID
) -> Sequence[tuple[UUID, EndpointStatus, list[str]]]:
    """All receivers of a department with what they want to hear."""
    query = select(WebhookEndpoint.id, WebhookEndpoint.status, WebhookEndpoint.event_types)
    found = await session.execute(query.where(WebhookEndpoint.department_id == department_id))
    return [(row.id, row.status, row.event_types) for row in found]


async def cancel_pending(session: AsyncSession, endpoint_id: UUID) -> None:
    """Nothing more goes to this receiver."""
    await session.execute(
        update(WebhookDelivery)
        .where(WebhookDelivery.endpoint_id == endpoint_id, WebhookDelivery.status == DeliveryStatus.PENDING)
        .values(status=DeliveryStatus.CANCELLED, next_try_at=None)
        .execution_options(synchronize_session=False)
    )


async def forget_before(session: AsyncSession, before: datetime) -> None:
    """Deletes old messages with their deliveries."""
    await session.execute(delete(WebhookMessage).where(WebhookMessage.created_at < before))
