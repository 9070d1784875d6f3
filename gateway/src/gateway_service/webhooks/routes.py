"""Webhooks of the caller's department."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import Path, Query, Request

from gateway_service.settings import Settings
from gateway_service.webhooks import handlers
from gateway_service.webhooks.domain import DeliveryStatus
from gateway_service.webhooks.schemas import (
    DeliveryRead,
    ReplayRead,
    ReplayRequest,
    WebhookChange,
    WebhookCreate,
    WebhookRead,
    WebhookWithSecret,
)
from service_common.app import Now, Ring, api_router
from service_common.auth import Caller, require, scope
from service_common.db import Session
from service_common.idempotency import Once
from service_common.pages import Page, Paging

WEBHOOKS_MANAGE = scope(
    "gateway:webhooks.manage",
    zh="管理本部门的 Webhook 订阅",
    en="Manage the webhooks of one's department",
    roles={"partner", "supervisor"},
)

Manager = Annotated[Caller, require(WEBHOOKS_MANAGE)]
WebhookId = Annotated[UUID, Path(description="Id of the subscription.")]

router = api_router("webhooks", prefix="/gateway/v1/webhooks")


@router.post("", status_code=201, summary="Subscribe a receiver")
async def subscribe(
    *,
    request: Request,
    caller: Manager,
    _once: Once,
    session: Session,
    ring: Ring,
    now: Now,
    body: WebhookCreate,
) -> WebhookWithSecret:
    """Adds a receiver for the caller's department and sends it a signed `endpoint.verification`.

    The receiver becomes active when it answers 2xx with `{"challenge": …}`, the value it was sent. The secret is in this
    answer only.
    """
    settings: Settings = request.app.state.settings
    endpoint, secret = await handlers.subscribe(
        session,
        caller=caller,
        wish=handlers.Wish(body.url, body.event_types, body.description),
        ring=ring,
        loopback_allowed=settings.webhook_loopback_allowed,
        now=now,
    )
    return WebhookWithSecret.with_secret(endpoint, secret)


@router.get("", summary="List receivers")
async def list_webhooks(caller: Manager, session: Session, paging: Paging) -> Page[WebhookRead]:
    """The receivers of the caller's department."""
    rows = await handlers.list_endpoints(
        session, caller=caller, after=paging.after(UUID), limit=paging.limit + 1
    )
    return paging.page(rows, lambda row: (row.id,), WebhookRead.of)


@router.get("/{webhook_id}", summary="Read a receiver")
async def read_webhook(caller: Manager, session: Session, webhook_id: WebhookId) -> WebhookRead:
    """One receiver of the caller's department, without its secret."""
    return WebhookRead.of(await handlers.read_endpoint(session, caller=caller, endpoint_id=webhook_id))


@router.patch("/{webhook_id}", summary="Change what a receiver hears")
async def change_webhook(
    caller: Manager, session: Session, webhook_id: WebhookId, body: WebhookChange
) -> WebhookRead:
    """Event types or description; another address is another subscription."""
    endpoint = await handlers.change(
        session,
        caller=caller,
        endpoint_id=webhook_id,
        event_types=body.event_types,
        description=body.description,
    )
    return WebhookRead.of(endpoint)


@router.delete("/{webhook_id}", status_code=204, summary="End a subscription")
async def remove_webhook(caller: Manager, session: Session, webhook_id: WebhookId) -> None:
    """Nothing more is sent, and what was on its way is dropped."""
    await handlers.remove(session, caller=caller, endpoint_id=webhook_id)


@router.post("/{webhook_id}/verify", summary="Send a new verification")
async def verify_webhook(
    caller: Manager, _once: Once, session: Session, now: Now, webhook_id: WebhookId
) -> WebhookRead:
    """For a receiver that missed the first one, or that was disabled."""
    endpoint = await handlers.verify_again(session, caller=caller, endpoint_id=webhook_id, now=now)
    return WebhookRead.of(endpoint)


@router.post("/{webhook_id}/rotate-secret", summary="Begin a new secret")
async def rotate_webhook_secret(
    caller: Manager, _once: Once, session: Session, ring: Ring, now: Now, webhook_id: WebhookId
) -> WebhookWithSecret:
    """For 24 hours messages are signed with the old and the new secret."""
    endpoint, secret = await handlers.rotate_secret(
        session, caller=caller, endpoint_id=webhook_id, ring=ring, now=now
    )
    return WebhookWithSecret.with_secret(endpoint, secret)


@router.get("/{webhook_id}/deliveries", summary="List deliveries")
async def list_deliveries(
    caller: Manager,
    session: Session,
    paging: Paging,
    webhook_id: WebhookId,
    status: Annotated[DeliveryStatus | None, Query(description="Only those in this state.")] = None,
) -> Page[DeliveryRead]:
    """What was sent or is to be sent to this receiver, newest first."""
    after = paging.after(datetime.fromisoformat, UUID)
    rows = await handlers.list_deliveries(
        session,
        caller=caller,
        endpoint_id=webhook_id,
        status=status,
        after=(after[0], after[1]) if after else None,
        limit=paging.limit + 1,
    )
    return paging.page(
        rows,
        lambda row: (row[0].created_at.isoformat(), row[0].id),
        lambda row: DeliveryRead.of(row[0], row[1]),
    )


@router.post("/{webhook_id}/replay", summary="Send messages again")
async def replay(
    caller: Manager, _once: Once, session: Session, now: Now, webhook_id: WebhookId, body: ReplayRequest
) -> ReplayRead:
    """Everything the department was told since an instant, with the same `webhook-id` as before: at most 10,000 messages."""
    messages = await handlers.replay(
        session, caller=caller, endpoint_id=webhook_id, since=body.since, now=now
    )
    return ReplayRead(messages=messages)
