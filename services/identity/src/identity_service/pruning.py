"""Forgetting what has expired, one small transaction after the other."""

from datetime import datetime, timedelta

from sqlalchemy import delete

from identity_service.accounts.throttling import prune_attempts
from identity_service.db import Transactions
from identity_service.identity_codes.handlers import prune_identity_codes
from identity_service.login.handlers import prune_interactions
from identity_service.oidc.backchannel import prune_notices
from identity_service.oidc.device import prune_devices
from identity_service.oidc.models import AuthorizationCode, RefreshToken, UsedAssertion
from identity_service.oidc.pushed import prune_pushed
from identity_service.passkeys.handlers import prune_challenges
from identity_service.people.handlers.phone_codes import prune_codes

# A code is used up in a minute; who shows it again later than this is told no, without ending anything.
_CODES_KEPT = timedelta(days=1)


async def prune(transactions: Transactions, *, now: datetime) -> None:
    """Deletes expired codes, tokens, assertions, interactions and counts."""
    for forget in (
        prune_attempts,
        prune_interactions,
        prune_codes,
        prune_challenges,
        prune_identity_codes,
        prune_pushed,
        prune_devices,
        prune_notices,
    ):
        async with transactions() as session:
            await forget(session, now=now)
    async with transactions() as session:
        await session.execute(delete(UsedAssertion).where(UsedAssertion.expires_at < now))
    async with transactions() as session:
        kept_since = now - _CODES_KEPT
        await session.execute(delete(AuthorizationCode).where(AuthorizationCode.expires_at < kept_since))
    async with transactions() as session:
        await session.execute(delete(RefreshToken).where(RefreshToken.expires_at < now))
