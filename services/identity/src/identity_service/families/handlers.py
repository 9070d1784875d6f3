"""A guardianship is a fact about two persons; what the guardian may do with it is a delegation by law. Here both."""

from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from identity_service.delegations import by_law
from identity_service.people.handlers import guardians
from identity_service.people.models import Guardianship
from service_common.crypto import KeyRing


async def empower(
    session: AsyncSession, ring: KeyRing, guardianship_id: UUID, *, now: datetime
) -> Guardianship:
    """Lets the guardian act; harmless to repeat, also at once: a second delegation would outlive the guardianship."""
    row = await session.get_one(Guardianship, guardianship_id, with_for_update=True, populate_existing=True)
    if not await by_law.stands(session, row.delegation_id, now=now):
        row.delegation_id = await by_law.entrust_guardian(
            session, ring, guardian_id=row.guardian_id, child_id=row.child_id, until=row.until, now=now
        )
        await session.flush()
    return row


async def end_guardianship(
    session: AsyncSession, guardian_id: UUID, guardianship_id: UUID, *, now: datetime
) -> None:
    """The guardian lays it down; tokens got by it are refused within a second. Raises: NoSuchGuardianship."""
    row = await guardians.end(session, guardian_id, guardianship_id, now=now)
    if row.delegation_id is not None:
        await by_law.dismiss_guardian(session, row.delegation_id, by=guardian_id, now=now)
