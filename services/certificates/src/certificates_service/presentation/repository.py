"""Queries on shown codes."""

from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import delete, update
from sqlalchemy.ext.asyncio import AsyncSession

from certificates_service.presentation.models import PresentationCode

_KEPT_AFTER_END = timedelta(days=1)


async def redeem(session: AsyncSession, token_hash: bytes, *, now: datetime) -> tuple[UUID, UUID] | None:
    """The licence of a living code and who shows it; it is used up by this. One statement: of two scans at once the second waits for
    the first one's commit, looks at the row again, and finds nothing.
    """
    redeemed = await session.execute(
        update(PresentationCode)
        .where(
            PresentationCode.token_hash == token_hash,
            PresentationCode.used_at.is_(None),
            PresentationCode.expires_at > now,
        )
        .values(used_at=now)
        .returning(PresentationCode.licence_id, PresentationCode.person_id)
        .execution_options(synchronize_session=False)
    )
    found = redeemed.first()
    return (found.licence_id, found.person_id) if found else None


async def end_codes_of_person(
    session: AsyncSession, person_id: UUID, licence_id: UUID, *, now: datetime
) -> None:
    """A refreshed code ends the one before it."""
    await session.execute(
        update(PresentationCode)
        .where(
            PresentationCode.person_id == person_id,
            PresentationCode.licence_id == licence_id,
            PresentationCode.used_at.is_(None),
            PresentationCode.expires_at > now,
        )
        .values(expires_at=now)
        .execution_options(synchronize_session=False)
    )


async def end_codes_of_session(session: AsyncSession, session_id: str, *, now: datetime) -> None:
    """Who has logged out shows nothing any more."""
    await session.execute(
        update(PresentationCode)
        .where(PresentationCode.session_id == session_id, PresentationCode.expires_at > now)
        .values(expires_at=now)
        .execution_options(synchronize_session=False)
    )


async def forget_ended_codes(session: AsyncSession, *, now: datetime) -> None:
    """Deletes codes long over."""
    await session.execute(
        delete(PresentationCode)
        .where(PresentationCode.expires_at < now - _KEPT_AFTER_END)
        .execution_options(synchronize_session=False)
    )
