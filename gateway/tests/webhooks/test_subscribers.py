"""Events that concern a department become messages for it: once, and nobody else's. Fed with the saved samples."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select

from gateway_service.webhooks.domain import DeliveryStatus, EndpointStatus, EventType
from gateway_service.webhooks.models import WebhookDelivery, WebhookEndpoint, WebhookMessage
from gateway_service.webhooks.subscribers import webhook_subscribers
from service_common.db import Database, new_id
from service_common.messaging import Subscriber, handle_once

NOW = datetime(2026, 11, 23, 1, tzinfo=UTC)
SUBSCRIBERS = webhook_subscribers("https://gov.example")


async def _add_endpoint(database: Database, department_id: UUID, status: EndpointStatus) -> None:
    async with database.sessions() as session, session.begin():
        endpoint = WebhookEndpoint(
            department_id=department_id,
            created_by="client:approval-system",
            url="https://approval.example.gov.cn/",
            description="",
            event_types=[one.value for one in EventType],
            status=status,
            secret=b"",
            signing_key=b"",
            public_key="",
            challenge="",
        )
        session.add(endpoint)


def _sample(samples: Path, subscriber: Subscriber[Any], **changed: object) -> Any:
    """The sample of a subscriber's event, about another department."""
    event = json.loads((samples / f"{subscriber.event.subject}.json").read_text(encoding="utf-8"))
    event["id"] = str(new_id())
    event["data"] |= {name: value for name, value in changed.items() if name in event["data"]}
    return subscriber.read(json.dumps(event).encode())


def _about(department_id: UUID | None) -> dict[str, object]:
    value = str(department_id) if department_id else None
    return {"department_id": value, "issuer_department_id": value}


async def _rows(database: Database) -> tuple[list[WebhookMessage], list[WebhookDelivery]]:
    async with database.sessions() as session:
        messages = list(await session.scalars(select(WebhookMessage).order_by(WebhookMessage.id)))
        return messages, list(await session.scalars(select(WebhookDelivery)))


async def test_each_kind_is_told_once_however_often_it_arrives(
    database: Database, department: UUID, samples: Path
) -> None:
    await _add_endpoint(database, department, EndpointStatus.ACTIVE)
    for subscriber in SUBSCRIBERS:
        event = _sample(samples, subscriber, **_about(department))
        assert await handle_once(database, subscriber, event)
        assert not await handle_once(database, subscriber, event)
    messages, deliveries = await _rows(database)
    assert {one.event_type for one in messages} == set(EventType)
    assert len(messages) == len(deliveries) == len(EventType)
    assert {one.status for one in deliveries} == {DeliveryStatus.PENDING}


async def test_a_message_names_the_thing_and_nothing_of_the_people(
    database: Database, department: UUID, samples: Path
) -> None:
    await _add_endpoint(database, department, EndpointStatus.ACTIVE)
    for subscriber in SUBSCRIBERS:
        await handle_once(database, subscriber, _sample(samples, subscriber, **_about(department)))
    messages, _ = await _rows(database)
    for message in messages:
        body = json.loads(message.body)
        assert set(body["data"]) == {"id", "url"}
        assert body["timestamp"].endswith("Z")
        assert body["data"]["url"].startswith("https://gov.example/")


async def test_another_departments_events_are_not_told(
    database: Database, department: UUID, samples: Path
) -> None:
    await _add_endpoint(database, department, EndpointStatus.ACTIVE)
    for subscriber in SUBSCRIBERS:
        await handle_once(database, subscriber, _sample(samples, subscriber, **_about(new_id())))
    assert await _rows(database) == ([], [])


async def test_a_ticket_without_department_is_nobodys(
    database: Database, department: UUID, samples: Path
) -> None:
    await _add_endpoint(database, department, EndpointStatus.ACTIVE)
    (tickets,) = [one for one in SUBSCRIBERS if "ticket" in one.event.subject]
    await handle_once(database, tickets, _sample(samples, tickets, **_about(None)))
    assert await _rows(database) == ([], [])


@pytest.mark.parametrize("status", [EndpointStatus.PENDING, EndpointStatus.DISABLED])
async def test_for_a_receiver_that_is_not_active_the_message_is_kept_for_replay(
    database: Database, department: UUID, samples: Path, status: EndpointStatus
) -> None:
    await _add_endpoint(database, department, status)
    await handle_once(database, SUBSCRIBERS[0], _sample(samples, SUBSCRIBERS[0], **_about(department)))
    messages, deliveries = await _rows(database)
    assert (len(messages), deliveries) == (1, [])


def test_every_subscriber_has_a_name_of_its_own() -> None:
    assert len({one.name for one in SUBSCRIBERS}) == len(SUBSCRIBERS) == len(EventType)
