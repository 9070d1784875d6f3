"""A department's own system: it verifies, keeps what it gets, and can be told to misbehave."""

import json
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

import httpx
import pytest
from fastapi import FastAPI

from gateway_service.webhooks import handlers
from gateway_service.webhooks.dispatcher import Dispatcher
from gateway_service.webhooks.domain import EventType
from service_common.callouts import Sender
from service_common.db import Database, new_id

if TYPE_CHECKING:
    from gateway.tests.conftest import Asked, Peer, Reply, StartPeer


@dataclass
class Receiver:
    """What it answers next time: a status, with headers; verifications are echoed while ``echoing``."""

    peer: "Peer"
    status: int = 200
    headers: dict[str, str] | None = None
    echoing: bool = True

    @property
    def messages(self) -> "list[Asked]":
        """All but verifications."""
        return [one for one in self.peer.asked if one.json()["type"] != "endpoint.verification"]


@pytest.fixture
async def receiver(start_peer: "StartPeer", reply: "type[Reply]") -> AsyncIterator[Receiver]:
    async def answer(asked: "Asked") -> "Reply":
        message = json.loads(asked.body)
        echo = message["data"] if own_system.echoing else {}
        return reply(own_system.status, echo, own_system.headers or {})

    async with start_peer(answer) as peer:
        own_system = Receiver(peer)
        yield own_system


@pytest.fixture
async def dispatcher(app: FastAPI) -> AsyncIterator[Dispatcher]:
    async with Sender(loopback_allowed=True) as sender:
        yield Dispatcher(app.state.database, app.state.key_ring, sender, keep_days=30)


Subscribe = Callable[..., Awaitable[dict[str, Any]]]
Tell = Callable[..., Awaitable[UUID]]


@pytest.fixture
def subscribe(partner: httpx.AsyncClient, receiver: Receiver, dispatcher: Dispatcher) -> Subscribe:
    """Subscribes the receiver and lets it be verified; returns what the partner was told."""

    async def subscribe(*, url: str | None = None, event_types: tuple[str, ...] = ("case.submitted",)) -> Any:
        body = {"url": url or f"{receiver.peer.url}/hook", "event_types": list(event_types)}
        key = {"Idempotency-Key": str(new_id())}
        answer = await partner.post("/gateway/v1/webhooks", json=body, headers=key)
        assert answer.status_code == 201, answer.text
        await dispatcher.deliver_due(now=datetime.now(UTC))
        return answer.json()

    return subscribe


@pytest.fixture
def tell(database: Database, department: UUID) -> Tell:
    """Something happened that concerns the department."""

    async def tell(*, now: datetime, event_type: EventType = EventType.CASE_SUBMITTED) -> UUID:
        event_id = new_id()
        async with database.sessions() as session, session.begin():
            await handlers.tell_department(
                session,
                department_id=department,
                event_id=event_id,
                event_type=event_type,
                occurred_at=now,
                data={"id": str(event_id), "url": f"http://localhost/acceptance/v1/cases/{event_id}"},
                now=now,
            )
        return event_id

    return tell
