"""What acceptance hears from the licence library."""

from sqlalchemy.ext.asyncio import AsyncSession

from acceptance_service.applications.handlers.progress import note_licence
from service_common.contracts.certificates import LicenceIssued, LicenceStatus, LicenceStatusChanged
from service_common.contracts.envelope import CloudEvent
from service_common.messaging import Subscriber


async def on_licence_issued(session: AsyncSession, event: CloudEvent[LicenceIssued]) -> None:
    """Somebody holds a valid licence."""
    await note_licence(session, event.data, status=LicenceStatus.NORMAL, revision=event.revision)


async def on_licence_status_changed(session: AsyncSession, event: CloudEvent[LicenceStatusChanged]) -> None:
    """It is suspended, valid again, or gone."""
    await note_licence(session, event.data, status=event.data.status, revision=event.revision)


SUBSCRIBERS = (
    Subscriber("acceptance-held-licences-issued", LicenceIssued, on_licence_issued),
    Subscriber("acceptance-held-licences-status", LicenceStatusChanged, on_licence_status_changed),
)
