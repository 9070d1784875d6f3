"""What acceptance does about its own applications once they are submitted."""

from fastapi import FastAPI
from sqlalchemy.ext.asyncio import AsyncSession

from acceptance_service.clients.identity import NAME_AND_NUMBER, Profile
from acceptance_service.submissions.handlers.applicants import keep_profile
from service_common.contracts.acceptance import ApplicationSubmitted
from service_common.contracts.envelope import CloudEvent
from service_common.messaging import Subscriber


def subscribers(app: FastAPI) -> tuple[Subscriber[ApplicationSubmitted]]:
    """Bound to the application's keys and clients, which exist once it has started."""

    async def ask_identity(event: CloudEvent[ApplicationSubmitted]) -> Profile:
        """Off the applicant's way: an identity that is down delays nothing but a name in a list."""
        facts = event.data
        profile: Profile = await app.state.identity.look_up(
            facts.applicant_kind,
            facts.applicant_id,
            attributes=NAME_AND_NUMBER[facts.applicant_kind],
            purpose="CASE_HANDLING",
            application_id=facts.application_id,
        )
        return profile

    async def keep(session: AsyncSession, event: CloudEvent[ApplicationSubmitted], profile: Profile) -> None:
        """Verified name and number, for those who decide."""
        await keep_profile(session, app.state.key_ring, event.data.application_id, profile)

    return (Subscriber("acceptance-applicant-profile", ApplicationSubmitted, keep, prepare=ask_identity),)
