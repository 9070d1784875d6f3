"""Sends what is due: claims rows, lets go of the database, posts, and writes down what came of it.

A claim is a lease: when this process dies in between, the delivery is due again after it. A slow receiver keeps at
most its own few places busy, so it delays nobody else.
"""

import asyncio
import random
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

import structlog
from fastapi import FastAPI
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from gateway_service.settings import Settings
from gateway_service.webhooks import repository
from gateway_service.webhooks.outcomes import record_answer
from gateway_service.webhooks.sealing import material_of
from gateway_service.webhooks.signing import signed_headers
from service_common.callouts import Sender
from service_common.clock import utc_now
from service_common.crypto import KeyRing
from service_common.db import Database
from service_common.telemetry import meter

logger = structlog.get_logger()

_tries = meter.create_counter("webhook_tries", description="Tries to deliver a webhook, by what came of them")

_AT_ONCE = 64
_AT_ONCE_TO_ONE = 8
# Longer than a try can take with everything around it.
_LEASE = timedelta(seconds=60)
_LOOK_AGAIN_SECONDS = 1.0
_FORGET_EVERY = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Try:
    """One claimed delivery, with all that is needed to send it."""

    delivery_id: UUID
    endpoint_id: UUID
    tries: int
    url: str
    headers: dict[str, str]
    body: bytes


class Dispatcher:
    """Works for as long as it runs; any number of them may run beside each other."""

    def __init__(self, database: Database, ring: KeyRing, sender: Sender, *, keep_days: int) -> None:
        self._database = database
        self._ring = ring
        self._sender = sender
        self._keep = timedelta(days=keep_days)
        self._running: Counter[UUID] = Counter()
        self._forget_at: datetime | None = None

    async def run(self) -> None:
        """For ever; a lost database is waited for."""
        async with asyncio.TaskGroup() as group:
            while True:
                claimed: Sequence[Try] = ()
                try:
                    await self._forget(utc_now())
                    claimed = await self.claim(now=utc_now())
                except (DBAPIError, PoolTimeoutError, OSError) as error:
                    logger.warning("webhooks_lost_database", error=type(error).__name__)
                for one in claimed:
                    group.create_task(self._attempt(one, utc_now))
                if len(claimed) < _AT_ONCE_TO_ONE:
                    await asyncio.sleep(_LOOK_AGAIN_SECONDS)

    async def deliver_due(self, *, now: datetime) -> int:
        """Claims once, tries everything claimed, and returns how many that were."""
        claimed = await self.claim(now=now)
        await asyncio.gather(*(self._attempt(one, lambda: now) for one in claimed))
        return len(claimed)

    async def claim(self, *, now: datetime) -> Sequence[Try]:
        """Takes what is due and fits beside what is running."""
        free = _AT_ONCE - self._running.total()
        if free <= 0:
            return ()
        busy = [one for one, count in self._running.items() if count >= _AT_ONCE_TO_ONE]
        async with self._database.sessions() as session, session.begin():
            claimed = await repository.claim_due(
                session, now=now, until=now + _LEASE, busy=busy, each=_AT_ONCE_TO_ONE, most=free
            )
            rows = await repository.with_message_and_endpoint(session, claimed)
            tries = [
                Try(
                    delivery_id=delivery.id,
                    endpoint_id=endpoint.id,
                    tries=delivery.tries,
                    url=endpoint.url,
                    headers=signed_headers(
                        message.id, message.body, material_of(endpoint, self._ring, now=now), now=now
                    ),
                    body=message.body.encode(),
                )
                for delivery, message, endpoint in rows
            ]
        self._running.update(one.endpoint_id for one in tries)
        return tries

    async def _attempt(self, one: Try, clock: Callable[[], datetime]) -> None:
        try:
            answer = await self._sender.send(one.url, one.headers, one.body)
            async with self._database.sessions() as session, session.begin():
                status = await record_answer(
                    session,
                    one.delivery_id,
                    one.tries,
                    answer,
                    now=clock(),
                    chance=random.random(),  # noqa: S311 - jitter
                )
        except (DBAPIError, PoolTimeoutError, OSError) as error:
            # The receiver may have got it: after the lease it gets it again, with the same id.
            logger.warning("webhook_answer_not_recorded", delivery_id=str(one.delivery_id), error=repr(error))
            return
        except (
            Exception
        ):  # what comes of one receiver must end neither the tries of all others nor this process
            logger.exception("webhook_try_failed", delivery_id=str(one.delivery_id))
            return
        finally:
            self._running[one.endpoint_id] -= 1
            if not self._running[one.endpoint_id]:
                del self._running[one.endpoint_id]
        _tries.add(1, {"result": "accepted" if answer.accepted else "refused"})
        logger.info(
            "webhook_tried",
            delivery_id=str(one.delivery_id),
            tries=one.tries,
            response_code=answer.status,
            error=answer.error,
            status=status,
        )

    async def _forget(self, now: datetime) -> None:
        if self._forget_at is not None and now < self._forget_at:
            return
        async with self._database.sessions() as session, session.begin():
            await repository.forget_before(session, now - self._keep)
        self._forget_at = now + _FORGET_EVERY


async def dispatch_webhooks(app: FastAPI) -> None:
    """The background job of the worker."""
    settings: Settings = app.state.settings
    async with Sender(loopback_allowed=settings.webhook_loopback_allowed) as sender:
        dispatcher = Dispatcher(
            app.state.database, app.state.key_ring, sender, keep_days=settings.webhook_keep_days
        )
        await dispatcher.run()
