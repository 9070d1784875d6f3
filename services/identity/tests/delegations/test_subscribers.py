"""What happens to a principal ends what is being done for them; each event is delivered twice."""

from typing import Any
from uuid import UUID

import pytest
from services.identity.tests.factories import Population
from sqlalchemy import select

from identity_service.accounts.domain import SubjectKind
from identity_service.db import Transactions
from identity_service.delegations.subscribers import SUBSCRIBERS
from identity_service.sessions import handlers as sessions
from identity_service.sessions.models import Grant
from service_common.clock import utc_now
from service_common.contracts.envelope import CloudEvent
from service_common.crypto import KeyRing
from service_common.db import new_id
from service_common.messaging import Subscriber, apply


async def sit(transactions: Transactions, ring: KeyRing, agent_id: UUID, delegation_id: UUID) -> UUID:
    """An agent who is logged in and acts by the delegation. Returns the sitting."""
    now = utc_now()
    async with transactions() as session:
        login, _ = await sessions.start_session(
            session, ring, account_id=agent_id, kind=SubjectKind.PERSON, methods=[], now=now
        )
        own = Grant(
            login_session_id=login.id,
            subject_id=agent_id,
            kind=SubjectKind.PERSON,
            client_id="app",
            scope="openid",
            is_offline=False,
            methods=[],
            authenticated_at=now,
        )
        session.add(own)
        await session.flush()
        return (await sessions.open_sitting(session, own, delegation_id, now=now)).id


async def living(transactions: Transactions) -> list[UUID | None]:
    """The delegations of the living grants: none for a grant of one's own."""
    async with transactions() as session:
        found = await session.scalars(select(Grant.delegation_id).where(Grant.ended_at.is_(None)))
        return list(found)


def event_of(subscriber: Subscriber[Any], data: dict[str, Any]) -> CloudEvent[Any]:
    envelope = {
        "id": str(new_id()),
        "type": subscriber.event.subject,
        "source": "/identity",
        "subject": str(new_id()),
        "time": utc_now().isoformat(),
        "revision": 1,
        "data": data,
    }
    event: CloudEvent[Any] = CloudEvent[subscriber.event].model_validate(envelope)  # type: ignore[name-defined]
    return event


@pytest.mark.parametrize("subscriber", SUBSCRIBERS, ids=lambda one: one.name)
async def test_the_agents_sitting_ends_and_their_own_log_in_does_not(
    subscriber: Subscriber[Any], population: Population, transactions: Transactions, ring: KeyRing
) -> None:
    (person, company), agent = await population.company(), await population.person(20)
    of_company = subscriber.event.__name__ != "PersonClosed"
    ended = await population.delegation(person, agent, legal_person_id=company.id if of_company else None)
    other = await population.delegation(person, agent, legal_person_id=None if of_company else company.id)
    for delegation_id in (ended, other):
        await sit(transactions, ring, agent.id, delegation_id)
    data = {
        "person_id": str(person.id),
        "legal_person_id": str(company.id),
        "representative_id": str(agent.id),
        "former_id": str(person.id),
    }
    event = event_of(subscriber, data)
    for _ in range(2):
        async with transactions() as session:
            await apply(session, subscriber, event)
    assert sorted(await living(transactions), key=str) == sorted([None, None, other], key=str)
