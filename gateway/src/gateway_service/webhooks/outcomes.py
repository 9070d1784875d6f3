"""What the answer of a receiver means for the delivery and for the receiver."""

import hmac
import json
from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from gateway_service.webhooks import repository
from gateway_service.webhooks.domain import (
    VERIFICATION,
    DeliveryStatus,
    DisabledReason,
    EndpointStatus,
    is_unreachable,
    next_try,
)
from gateway_service.webhooks.models import WebhookDelivery, WebhookEndpoint, WebhookMessage
from service_common.callouts import Answer


async def record_answer(
    session: AsyncSession, delivery_id: UUID, tries: int, answer: Answer, *, now: datetime, chance: float
) -> DeliveryStatus | None:
    """Writes down how a try ended and what follows. Returns the delivery's status, or None when another try overtook it."""
    delivery = (
        await session.scalars(
            select(WebhookDelivery)
            .where(
                WebhookDelivery.id == delivery_id,
                WebhookDelivery.tries == tries,
                WebhookDelivery.status == DeliveryStatus.PENDING,
            )
            .with_for_update()
        )
    ).one_or_none()
    if delivery is None:
        return None
    endpoint = await session.get_one(WebhookEndpoint, delivery.endpoint_id, with_for_update=True)
    message = await session.get_one(WebhookMessage, delivery.message_id)
    delivery.response_code, delivery.error = answer.status, answer.error
    if answer.gone:
        await _disable(session, endpoint, delivery, DisabledReason.GONE)
    elif answer.accepted and (message.event_type != VERIFICATION or _echoes(answer.body, endpoint.challenge)):
        _note_success(endpoint, delivery, is_verification=message.event_type == VERIFICATION, now=now)
    else:
        if answer.accepted:
            delivery.error = "challenge not echoed"
        await _try_again_or_give_up(session, endpoint, delivery, answer, now=now, chance=chance)
    return delivery.status


def _echoes(body: bytes, challenge: str) -> bool:
    """Whether the receiver has read the verification: a server that says 200 to everything has not asked for webhooks."""
    try:
        answer = json.loads(body)
    except (ValueError, RecursionError):
        return False
    echoed = answer.get("challenge") if isinstance(answer, dict) else None
    return isinstance(echoed, str) and hmac.compare_digest(echoed.encode(), challenge.encode())


def _note_success(
    endpoint: WebhookEndpoint, delivery: WebhookDelivery, *, is_verification: bool, now: datetime
) -> None:
    delivery.status, delivery.delivered_at, delivery.next_try_at = DeliveryStatus.DELIVERED, now, None
    delivery.error = None
    endpoint.last_success_at = now
    if is_verification:
        endpoint.status, endpoint.disabled_reason, endpoint.verified_at = EndpointStatus.ACTIVE, None, now


async def _try_again_or_give_up(
    session: AsyncSession,
    endpoint: WebhookEndpoint,
    delivery: WebhookDelivery,
    answer: Answer,
    *,
    now: datetime,
    chance: float,
) -> None:
    delivery.next_try_at = next_try(delivery.tries, now=now, chance=chance, retry_after=answer.retry_after)
    if delivery.next_try_at is not None:
        return
    delivery.status = DeliveryStatus.FAILED
    if is_unreachable(created_at=delivery.created_at, last_success_at=endpoint.last_success_at):
        await _disable(session, endpoint, delivery, DisabledReason.UNREACHABLE)


async def _disable(
    session: AsyncSession, endpoint: WebhookEndpoint, delivery: WebhookDelivery, reason: DisabledReason
) -> None:
    delivery.status, delivery.next_try_at = DeliveryStatus.FAILED, None
    endpoint.status, endpoint.disabled_reason = EndpointStatus.DISABLED, reason
    await session.flush()
    await repository.cancel_pending(session, endpoint.id)
