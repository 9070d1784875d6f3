"""What the provider hears of itself: a session that ended, by whatever road."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from identity_service.oidc.backchannel import note_logouts
from identity_service.sessions.models import Grant
from service_common.contracts.envelope import CloudEvent
from service_common.contracts.identity import SessionEnded
from service_common.messaging import Subscriber


async def on_session_ended(session: AsyncSession, event: CloudEvent[SessionEnded]) -> None:
    """Its client is told, if it wants to be."""
    await note_logouts(session, Grant.id == event.data.session_id, now=event.time)


SUBSCRIBERS: Sequence[Subscriber[Any]] = (
    Subscriber("identity-logout-notices", SessionEnded, on_session_ended),
)
