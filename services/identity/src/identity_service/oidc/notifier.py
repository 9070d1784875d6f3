"""Sends notices of logout: claims them, lets go of the database, posts, and writes down what came of it."""

import asyncio
import random
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import datetime

import structlog
from fastapi import FastAPI

from identity_service.db import AWAY, transactions_of
from identity_service.oidc.backchannel import FORM, Try, claim_due, record_answer
from identity_service.oidc.provider import Work
from identity_service.settings import Settings
from service_common.callouts import Sender
from service_common.clock import utc_now

logger = structlog.get_logger()

_AT_ONCE = 32
_AT_ONCE_TO_ONE = 4
_LOOK_EVERY_SECONDS = 0.5


class Notifier:
    """Works for as long as it runs; any number may run beside each other. A slow client keeps only its own places busy."""

    def __init__(self, app: FastAPI, sender: Sender) -> None:
        self._app = app
        self._transactions = transactions_of(app.state.database)
        self._sender = sender
        self._running: Counter[str] = Counter()

    async def run(self) -> None:
        """For ever; a lost database is waited for."""
        async with asyncio.TaskGroup() as group:
            while True:
                claimed: Sequence[Try] = ()
                try:
                    claimed = await self.claim(now=utc_now())
                except AWAY as error:
                    logger.warning("logout_notices_lost_database", error=type(error).__name__)
                for one in claimed:
                    group.create_task(self._attempt(one, utc_now))
                if len(claimed) < _AT_ONCE_TO_ONE:
                    await asyncio.sleep(_LOOK_EVERY_SECONDS)

    async def send_due(self, *, now: datetime) -> int:
        """Claims once, tries everything claimed, and returns how many that were."""
        claimed = await self.claim(now=now)
        await asyncio.gather(*(self._attempt(one, lambda: now) for one in claimed))
        return len(claimed)

    async def claim(self, *, now: datetime) -> Sequence[Try]:
        """Takes what is due and fits beside what is running."""
        free = _AT_ONCE - self._running.total()
        if free <= 0:
            return ()
        state = self._app.state
        keys = await state.signing_keys.current()
        busy = [client for client, count in self._running.items() if count >= _AT_ONCE_TO_ONE]
        async with self._transactions() as session:
            work = Work(
                lambda: session,
                state.key_ring,
                state.settings,
                keys,
                state.scopes,
                state.service_clients,
                state.known_clients,
                state.used_assertions,
                now,
            )
            tries = await claim_due(work, busy=busy, each=_AT_ONCE_TO_ONE, most=free)
        self._running.update(one.client_id for one in tries)
        return tries

    async def _attempt(self, one: Try, clock: Callable[[], datetime]) -> None:
        try:
            answer = await self._sender.send(one.url, {}, one.body)
            async with self._transactions() as session:
                chance = random.random()  # noqa: S311 - jitter
                status = await record_answer(session, one, answer, now=clock(), chance=chance)
        except AWAY as error:
            # The client may have heard of it: after the lease it does so again.
            logger.warning("logout_notice_not_recorded", notice_id=str(one.notice_id), error=repr(error))
            return
        except (
            Exception
        ):  # what comes of one client must end neither the notices of all others nor this process
            logger.exception("logout_notice_failed", notice_id=str(one.notice_id))
            return
        finally:
            self._running -= Counter([one.client_id])
        logger.info(
            "logout_notice_tried",
            notice_id=str(one.notice_id),
            client_id=one.client_id,
            tries=one.tries,
            response_code=answer.status,
            error=answer.error,
            status=status,
        )


def notice_sender(settings: Settings) -> Sender:
    """Posts forms to public addresses only."""
    return Sender(
        loopback_allowed=settings.logout_loopback_allowed, content_type=FORM, user_agent="Lianban-Identity/1"
    )


async def send_logout_notices(app: FastAPI) -> None:
    """The background job of the worker."""
    async with notice_sender(app.state.settings) as sender:
        await Notifier(app, sender).run()
