"""Log-outs heard from identity."""

from sqlalchemy.ext.asyncio import AsyncSession

from certificates_service.presentation.repository import end_codes_of_session
from service_common.contracts.envelope import CloudEvent
from service_common.contracts.identity import SessionEnded
from service_common.messaging import Subscriber


async def on_session_ended(session: AsyncSession, event: CloudEvent[SessionEnded]) -> None:
    """A code lives no longer than the session it was shown from."""
    await end_codes_of_session(session, str(event.data.session_id), now=event.time)


SUBSCRIBERS = (Subscriber(name="certificates-sessions", event=SessionEnded, handler=on_session_ended),)
