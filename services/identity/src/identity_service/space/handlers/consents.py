"""What a person has allowed third-party applications, and taking it back."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncSession

from identity_service.oidc.models import Consent
from identity_service.organisation.models import Department
from identity_service.relying_parties.models import Client
from identity_service.sessions import handlers as sessions
from identity_service.space.domain import NoSuchConsent
from service_common.contracts.identity import SessionEndReason


@dataclass(frozen=True, slots=True)
class Given:
    """A consent with the names of who got it."""

    consent: Consent
    client_name: str | None
    department_name: str | None


async def list_consents(session: AsyncSession, person_id: UUID) -> Sequence[Given]:
    """The latest first. Short by nature: one for each application."""
    found = await session.execute(
        select(Consent, Client.name, Department.name)
        .outerjoin(Client, Client.client_id == Consent.client_id)
        .outerjoin(Department, Department.id == Client.department_id)
        .where(Consent.subject_id == person_id)
        .order_by(Consent.given_at.desc(), Consent.client_id)
    )
    return [Given(*row) for row in found]


async def withdraw_consent(session: AsyncSession, person_id: UUID, client_id: str, *, now: datetime) -> None:
    """Takes it back; the application's tokens are refused within a second. Raises: NoSuchConsent."""
    gone = await session.execute(
        delete(Consent)
        .where(Consent.subject_id == person_id, Consent.client_id == client_id)
        .returning(Consent.client_id)
    )
    if gone.first() is None:
        raise NoSuchConsent
    await sessions.end_grants_of_client(
        session, person_id, client_id, reason=SessionEndReason.CLOSED, now=now
    )
