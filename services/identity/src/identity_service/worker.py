"""Everything identity listens to, and what it does by itself."""

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import structlog
from fastapi import FastAPI

from identity_service.clients.authority import AuthorityUnavailable
from identity_service.db import AWAY, transactions_of
from identity_service.delegations.subscribers import SUBSCRIBERS as DELEGATION_SUBSCRIBERS
from identity_service.inbox.subscribers import SUBSCRIBERS
from identity_service.inbox.texting import text_urgent
from identity_service.legal_persons.succession import check_again, due_for_a_check
from identity_service.oidc.notifier import send_logout_notices
from identity_service.oidc.subscribers import SUBSCRIBERS as PROVIDER_SUBSCRIBERS
from identity_service.people.handlers.verifications import tell_expired
from identity_service.pruning import prune
from identity_service.settings import Settings
from identity_service.sms.handlers import keep_sending
from service_common.app import Background
from service_common.clock import utc_now
from service_common.messaging import Subscriber

logger = structlog.get_logger()

_PRUNE_EVERY_SECONDS = 600.0
_CHECKS = 100
_TEXT_EVERY_SECONDS = 2.0


def subscribers(_app: FastAPI) -> Sequence[Subscriber[Any]]:
    """Who listens to what."""
    return (*SUBSCRIBERS, *PROVIDER_SUBSCRIBERS, *DELEGATION_SUBSCRIBERS)


async def send_text_messages(app: FastAPI) -> None:
    """Sends queued text messages for ever; without a way to send there is never one to send."""
    if app.state.sms_sender is None:
        await asyncio.Event().wait()
    await keep_sending(transactions_of(app.state.database), app.state.key_ring, app.state.sms_sender)


async def text_urgent_messages(app: FastAPI) -> None:
    """Hands urgent inbox messages to the text messages, for ever; without a way to send they stay in the inbox alone."""
    if app.state.sms_sender is None:
        await asyncio.Event().wait()
    while True:
        due = 0
        try:
            async with transactions_of(app.state.database)() as session:
                due = await text_urgent(session, app.state.key_ring, now=utc_now())
        except AWAY as error:
            logger.warning("texting_lost_database", error=type(error).__name__)
        if not due:
            await asyncio.sleep(_TEXT_EVERY_SECONDS)


async def forget_expired(app: FastAPI) -> None:
    """Deletes what has expired, for ever; a lost database is waited for."""
    while True:
        try:
            await prune(transactions_of(app.state.database), now=utc_now())
        except AWAY as error:
            logger.warning("pruning_lost_database", error=type(error).__name__)
        await asyncio.sleep(_PRUNE_EVERY_SECONDS)


async def lower_expired_levels(app: FastAPI) -> None:
    """Tells, for ever, of trust levels that fell because evidence expired. Tokens do not wait for it."""
    while True:
        told = 0
        try:
            async with transactions_of(app.state.database)() as session:
                told = await tell_expired(session, now=utc_now())
        except AWAY as error:
            logger.warning("levels_lost_database", error=type(error).__name__)
        if not told:
            await asyncio.sleep(_PRUNE_EVERY_SECONDS)


async def check_legal_persons(app: FastAPI) -> None:
    """Asks the register again, for ever, who represents whom; a register that is away is asked later."""
    settings: Settings = app.state.settings
    transactions = transactions_of(app.state.database)
    while True:
        now = utc_now()
        try:
            async with transactions() as session:
                due = await due_for_a_check(
                    session, before=now - timedelta(days=settings.legal_person_check_days), limit=_CHECKS
                )
            for legal_person_id in due:
                await check_again(
                    transactions, app.state.key_ring, app.state.authority, legal_person_id, now=now
                )
        except (*AWAY, AuthorityUnavailable) as error:
            logger.warning("legal_persons_not_checked", error=type(error).__name__)
        await asyncio.sleep(_PRUNE_EVERY_SECONDS)


background: Sequence[Background] = (
    send_text_messages,
    send_logout_notices,
    text_urgent_messages,
    forget_expired,
    lower_expired_levels,
    check_legal_persons,
)
