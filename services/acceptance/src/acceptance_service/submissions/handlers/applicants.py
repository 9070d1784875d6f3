"""Who the applicant is, for those who decide: asked of identity once, after the submission."""

from uuid import UUID

from sqlalchemy import update
from sqlalchemy.ext.asyncio import AsyncSession

from acceptance_service.applications.models import Application
from acceptance_service.applications.repository import PROFILE_COLUMN
from acceptance_service.cases.models import Case
from acceptance_service.clients.identity import Profile
from gov_rules.identifiers import mask_name
from service_common.crypto import KeyRing


async def keep_profile(session: AsyncSession, ring: KeyRing, application_id: UUID, profile: Profile) -> None:
    """Keeps verified name and number, sealed, and the masked name that lists show.

    Written past the versions on purpose: nobody's decision rests on it, so nobody's ETag goes stale.
    """
    if not profile.name:
        return
    masked = mask_name(profile.name)[:60]
    kept = {"name": profile.name, "number": profile.number}
    sealed = ring.encrypt_json(kept, column=PROFILE_COLUMN)
    await session.execute(
        update(Application)
        .where(Application.id == application_id)
        .values(applicant_profile=sealed, applicant_masked=masked, updated_at=Application.updated_at)
    )
    await session.execute(
        update(Case)
        .where(Case.application_id == application_id)
        .values(applicant_masked=masked, updated_at=Case.updated_at)
    )
