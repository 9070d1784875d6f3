"""What identity tells of legal persons and of who acts for them."""

from sqlalchemy.ext.asyncio import AsyncSession

from evaluation_service.legal_persons.handlers import note_agent, note_representative
from service_common.contracts.envelope import CloudEvent
from service_common.contracts.identity import (
    AgentAppointed,
    AgentRevoked,
    LegalPersonRegistered,
    LegalPersonRepresentativeChanged,
)
from service_common.messaging import Subscriber


async def on_registered(session: AsyncSession, event: CloudEvent[LegalPersonRegistered]) -> None:
    """Whoever registered it represents it."""
    facts = event.data
    if facts.representative_id is not None:
        await note_representative(
            session, facts.legal_person_id, facts.representative_id, revision=event.revision
        )


async def on_representative_changed(
    session: AsyncSession, event: CloudEvent[LegalPersonRepresentativeChanged]
) -> None:
    """Appointments of the former one stand still until each is told of again."""
    facts = event.data
    await note_representative(
        session, facts.legal_person_id, facts.representative_id, revision=event.revision
    )


async def on_appointed(session: AsyncSession, event: CloudEvent[AgentAppointed]) -> None:
    """Somebody may act for it."""
    facts = event.data
    await note_agent(
        session,
        facts.legal_person_id,
        facts.person_id,
        active=True,
        valid_until=facts.valid_until,
        revision=event.revision,
    )


async def on_revoked(session: AsyncSession, event: CloudEvent[AgentRevoked]) -> None:
    """Somebody may no longer."""
    facts = event.data
    await note_agent(
        session,
        facts.legal_person_id,
        facts.person_id,
        active=False,
        valid_until=None,
        revision=event.revision,
    )


SUBSCRIBERS = (
    Subscriber("evaluation-legal-person-registered", LegalPersonRegistered, on_registered),
    Subscriber(
        "evaluation-representative-changed", LegalPersonRepresentativeChanged, on_representative_changed
    ),
    Subscriber("evaluation-agent-appointed", AgentAppointed, on_appointed),
    Subscriber("evaluation-agent-revoked", AgentRevoked, on_revoked),
)
