"""Who is logged in at a browser that comes to a page."""

from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from identity_service.edge import session_limits
from identity_service.pages.browsers import Visit
from identity_service.sessions.handlers import find_session
from identity_service.sessions.models import LoginSession


async def login_at(visit: Visit, session: AsyncSession, now: datetime) -> LoginSession | None:
    """The living session of the browser; notes that it is in use."""
    limits = session_limits(visit.settings)
    return await find_session(session, visit.ring, visit.session_secret, limits=limits, now=now)
