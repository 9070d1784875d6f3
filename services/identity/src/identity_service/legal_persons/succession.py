"""When the register names another representative, or none: who acted by the former one's word stands still."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol
from uuid import UUID

from sqlalchemy import or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from identity_service.clients.authority import CheckAnswer, CheckResult
from identity_service.db import Transactions
from identity_service.legal_persons.models import Agent, LegalPerson
from identity_service.people.handlers import lookup
from service_common import outbox
from service_common.contracts.identity import (
    AgentRevoked,
    LegalPersonRepresentativeChanged,
    LegalPersonSuspended,
)
from service_common.crypto import KeyRing

_ACTIVE = "ACTIVE"


class LegalPersonRegister(Protocol):
    """The authority that knows the legal persons."""

    async def check_legal_person(
        self, *, uscc: str, name: str, representative_id_number: str
    ) -> CheckAnswer: ...


async def change_representative(
    session: AsyncSession, legal_person: LegalPerson, person_id: UUID, *, now: datetime
) -> None:
    """The register has confirmed another representative: every running appointment is suspended (standards §7.4)."""
    former = legal_person.representative_id
    legal_person.representative_id = person_id
    changed = LegalPersonRepresentativeChanged(
        legal_person_id=legal_person.id, representative_id=person_id, former_id=former
    )
    await outbox.add(session, legal_person, changed, now=now)
    running = await session.scalars(
        select(Agent)
        .where(
            Agent.legal_person_id == legal_person.id,
            Agent.revoked_at.is_(None),
            Agent.suspended_at.is_(None),
            or_(Agent.valid_until.is_(None), Agent.valid_until > now),
        )
        .order_by(Agent.id)
        .with_for_update()
    )
    for agent in running:
        agent.suspended_at = now
        # For the other services the right has ended; a confirmation appoints anew.
        stopped = AgentRevoked(legal_person_id=legal_person.id, person_id=agent.person_id)
        await outbox.add(session, legal_person, stopped, now=now)


def confirms(answer: CheckAnswer) -> bool:
    """Whether the register says that it exists and who represents it."""
    return answer.result is CheckResult.MATCH and (answer.entry is None or answer.entry.status == _ACTIVE)


async def check_again(
    transactions: Transactions,
    ring: KeyRing,
    register: LegalPersonRegister,
    legal_person_id: UUID,
    *,
    now: datetime,
) -> bool:
    """Asks the register once more; a no suspends everybody until a representative registers it again. Returns the yes.

    The register is asked between two transactions. Raises: AuthorityUnavailable.
    """
    async with transactions() as session:
        known = await session.get_one(LegalPerson, legal_person_id)
        representative = await lookup.profile_of(session, ring, known.representative_id)
    assert representative.id_number is not None  # or it could not have been registered in this person's name
    answer = await register.check_legal_person(
        uscc=known.uscc, name=known.name, representative_id_number=representative.id_number
    )
    async with transactions() as session:
        row = await session.get_one(LegalPerson, legal_person_id, with_for_update=True)
        if row.representative_id != known.representative_id:
            return True  # somebody took over meanwhile, with a confirmation of their own
        row.confirmed_at = now
        if confirms(answer):
            row.suspended_at = None
            return True
        if row.suspended_at is None:
            row.suspended_at = now
            await outbox.add(session, row, LegalPersonSuspended(legal_person_id=row.id), now=now)
        return False


async def due_for_a_check(session: AsyncSession, *, before: datetime, limit: int) -> Sequence[UUID]:
    """Those whose last confirmation is older, the oldest first."""
    found = await session.scalars(
        select(LegalPerson.id)
        .where(LegalPerson.is_active, LegalPerson.confirmed_at < before)
        .order_by(LegalPerson.confirmed_at)
        .limit(limit)
    )
    return found.all()
