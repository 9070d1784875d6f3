"""What ends the use of delegations, beside the two who agreed."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from identity_service.delegations.handlers import suspend_uses
from service_common.contracts.envelope import CloudEvent
from service_common.contracts.identity import (
    LegalPersonRepresentativeChanged,
    LegalPersonSuspended,
    PersonClosed,
)
from service_common.messaging import Subscriber


async def on_representative_changed(
    session: AsyncSession, event: CloudEvent[LegalPersonRepresentativeChanged]
) -> None:
    """What the former representative gave away, nobody uses any more (standards §7.4)."""
    await suspend_uses(session, event.data.legal_person_id, now=event.time)


async def on_legal_person_suspended(session: AsyncSession, event: CloudEvent[LegalPersonSuspended]) -> None:
    """Nobody acts for it for now."""
    await suspend_uses(session, event.data.legal_person_id, now=event.time)


async def on_person_closed(session: AsyncSession, event: CloudEvent[PersonClosed]) -> None:
    """Nobody acts for who has left."""
    await suspend_uses(session, event.data.person_id, now=event.time)


SUBSCRIBERS: Sequence[Subscriber[Any]] = (
    Subscriber(
        "identity-delegations-representative-changed",
        LegalPersonRepresentativeChanged,
        on_representative_changed,
    ),
    Subscriber(
        "identity-delegations-legal-person-suspended", LegalPersonSuspended, on_legal_person_suspended
    ),
    Subscriber("identity-delegations-person-closed", PersonClosed, on_person_closed),
)
