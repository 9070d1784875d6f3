"""What departments do with their webhooks, and how an event becomes deliveries."""

import json
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from gateway_service.webhooks import repository
from gateway_service.webhooks.domain import (
    MOST_PER_DEPARTMENT,
    SECRET_OVERLAP,
    VERIFICATION,
    DeliveryStatus,
    EndpointStatus,
    EventType,
    NoDepartment,
    NotVerified,
    TooManyWebhooks,
    check_receiver,
    payload,
)
from gateway_service.webhooks.models import WebhookDelivery, WebhookEndpoint, WebhookMessage
from gateway_service.webhooks.sealing import seal_key, seal_secret
from gateway_service.webhooks.signing import new_key_pair, new_secret
from service_common.auth import Caller
from service_common.crypto import KeyRing
from service_common.db import new_id

_MOST_REPLAYED = 10_000


@dataclass(frozen=True, slots=True)
class Wish:
    """A receiver that a department asks for."""

    url: str
    event_types: Sequence[EventType]
    description: str


def department_of(caller: Caller) -> UUID:
    """The department whose webhooks the caller manages. Raises: NoDepartment."""
    if caller.department_id is None:
        raise NoDepartment
    return caller.department_id


async def subscribe(
    session: AsyncSession, *, caller: Caller, wish: Wish, ring: KeyRing, loopback_allowed: bool, now: datetime
) -> tuple[WebhookEndpoint, str]:
    """Adds a receiver and sends it a verification. Returns it with its secret, which is never shown again.

    Raises: NoDepartment, BadReceiver, TooManyWebhooks.
    """
    department_id = department_of(caller)
    check_receiver(wish.url, loopback_allowed=loopback_allowed)
    # One subscription of a department at a time, so that none passes the bound beside another.
    await session.execute(
        text("SELECT pg_advisory_xact_lock(hashtextextended(:department, 0))"),
        {"department": str(department_id)},
    )
    if await repository.count_endpoints(session, department_id) >= MOST_PER_DEPARTMENT:
        raise TooManyWebhooks(most=MOST_PER_DEPARTMENT)
    secret, (private_key, public_key) = new_secret(), new_key_pair()
    endpoint = WebhookEndpoint(
        id=new_id(),
        department_id=department_id,
        created_by=f"{caller.subject_type}:{caller.subject_id}",
        url=wish.url,
        description=wish.description,
        event_types=sorted(set(wish.event_types)),
        status=EndpointStatus.PENDING,
        secret=seal_secret(ring, secret),
        signing_key=seal_key(ring, private_key),
        public_key=public_key,
        challenge="",
        created_at=now,
    )
    session.add(endpoint)
    await _send_verification(session, endpoint, now=now)
    return endpoint, secret


async def verify_again(
    session: AsyncSession, *, caller: Caller, endpoint_id: UUID, now: datetime
) -> WebhookEndpoint:
    """Sends a new verification, also to a receiver that was disabled. Raises: NoDepartment, NoSuchWebhook."""
    endpoint = await repository.endpoint_of(session, department_of(caller), endpoint_id, lock=True)
    if endpoint.status is not EndpointStatus.ACTIVE:
        endpoint.status, endpoint.disabled_reason = EndpointStatus.PENDING, None
        await repository.cancel_pending(session, endpoint.id)
    await _send_verification(session, endpoint, now=now)
    return endpoint


async def _send_verification(session: AsyncSession, endpoint: WebhookEndpoint, *, now: datetime) -> None:
    endpoint.challenge = secrets.token_urlsafe(24)
    data = {"id": str(endpoint.id), "challenge": endpoint.challenge}
    message = WebhookMessage(
        id=new_id(),
        event_id=None,
        department_id=endpoint.department_id,
        event_type=VERIFICATION,
        body=_bytes_to_sign(payload(VERIFICATION, now, data)),
        created_at=now,
    )
    session.add(message)
    await session.flush()
    await repository.enqueue(session, [(endpoint.id, message.id)], now=now)


async def change(
    session: AsyncSession,
    *,
    caller: Caller,
    endpoint_id: UUID,
    event_types: Sequence[EventType] | None,
    description: str | None,
) -> WebhookEndpoint:
    """Changes what a receiver hears. Another address is another subscription. Raises: NoDepartment, NoSuchWebhook."""
    endpoint = await repository.endpoint_of(session, department_of(caller), endpoint_id, lock=True)
    if event_types is not None:
        endpoint.event_types = sorted(set(event_types))
    if description is not None:
        endpoint.description = description
    await session.flush()
    return endpoint


async def rotate_secret(
    session: AsyncSession, *, caller: Caller, endpoint_id: UUID, ring: KeyRing, now: datetime
) -> tuple[WebhookEndpoint, str]:
    """Begins a new secret; for a day messages are signed with the old one too. Raises: NoDepartment, NoSuchWebhook."""
    endpoint = await repository.endpoint_of(session, department_of(caller), endpoint_id, lock=True)
    secret = new_secret()
    endpoint.previous_secret, endpoint.previous_secret_until = endpoint.secret, now + SECRET_OVERLAP
    endpoint.secret = seal_secret(ring, secret)
    await session.flush()
    return endpoint, secret


async def remove(session: AsyncSession, *, caller: Caller, endpoint_id: UUID) -> None:
    """Ends a subscription with everything on its way. Raises: NoDepartment, NoSuchWebhook."""
    endpoint = await repository.endpoint_of(session, department_of(caller), endpoint_id, lock=True)
    await session.delete(endpoint)


async def replay(
    session: AsyncSession, *, caller: Caller, endpoint_id: UUID, since: datetime, now: datetime
) -> int:
    """Sends again what the department was told since an instant, with the same ids. Returns how many messages.

    Raises: NoDepartment, NoSuchWebhook, NotVerified.
    """
    department_id = department_of(caller)
    endpoint = await repository.endpoint_of(session, department_id, endpoint_id, lock=True)
    if endpoint.status is not EndpointStatus.ACTIVE:
        raise NotVerified
    messages = await repository.messages_since(
        session, department_id, endpoint.event_types, since, most=_MOST_REPLAYED
    )
    await repository.enqueue(session, [(endpoint.id, one) for one in messages], now=now, again=True)
    return len(messages)


async def tell_department(
    session: AsyncSession,
    *,
    department_id: UUID,
    event_id: UUID,
    event_type: EventType,
    occurred_at: datetime,
    data: Mapping[str, Any],
    now: datetime,
) -> None:
    """Keeps a message for a department that has receivers, and puts it on its way to the active ones that want it.

    Receivers that are not active get it by replay once they are.
    """
    receivers = await repository.listeners(session, department_id)
    if not receivers:
        return
    message_id = new_id()
    added = await session.execute(
        insert(WebhookMessage)
        .values(
            id=message_id,
            event_id=event_id,
            department_id=department_id,
            event_type=event_type,
            body=_bytes_to_sign(payload(event_type, occurred_at, data)),
            created_at=now,
        )
        .on_conflict_do_nothing(index_elements=["event_id"])
        .returning(WebhookMessage.id)
    )
    if added.first() is None:
        return
    wanted = [
        (endpoint_id, message_id)
        for endpoint_id, status, event_types in receivers
        if status is EndpointStatus.ACTIVE and event_type in event_types
    ]
    await repository.enqueue(session, wanted, now=now)


def _bytes_to_sign(message: Mapping[str, Any]) -> str:
    return json.dumps(message, ensure_ascii=False, separators=(",", ":"))


async def read_endpoint(session: AsyncSession, *, caller: Caller, endpoint_id: UUID) -> WebhookEndpoint:
    """One receiver of the caller's department. Raises: NoDepartment, NoSuchWebhook."""
    return await repository.endpoint_of(session, department_of(caller), endpoint_id)


async def list_endpoints(
    session: AsyncSession, *, caller: Caller, after: tuple[UUID] | None, limit: int
) -> Sequence[WebhookEndpoint]:
    """Receivers of the caller's department. Raises: NoDepartment."""
    return await repository.endpoints_of(
        session, department_of(caller), after=after[0] if after else None, limit=limit
    )


async def list_deliveries(
    session: AsyncSession,
    *,
    caller: Caller,
    endpoint_id: UUID,
    status: DeliveryStatus | None,
    after: tuple[datetime, UUID] | None,
    limit: int,
) -> Sequence[Row[WebhookDelivery, str]]:
    """Deliveries to a receiver of the caller's department. Raises: NoDepartment, NoSuchWebhook."""
    endpoint = await repository.endpoint_of(session, department_of(caller), endpoint_id)
    return await repository.deliveries_of(session, endpoint.id, status=status, after=after, limit=limit)
