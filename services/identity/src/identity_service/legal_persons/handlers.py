"""Registering legal persons, appointing and revoking agents, and who acts for whom."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import BindParameter, ColumnElement, SQLColumnExpression, Uuid, func, or_, select, union
from sqlalchemy.dialects.postgresql import ARRAY, insert
from sqlalchemy.ext.asyncio import AsyncSession

from identity_service.db import Transactions
from identity_service.legal_persons.domain import (
    ActsAs,
    AgentAppointedAlready,
    AgentNotFound,
    AppointmentEnded,
    LegalPersonNotConfirmed,
    NoSuchAgent,
    NoSuchLegalPerson,
    NotSuspended,
    RepresentativeOnly,
    StillRepresents,
    check_period,
    read_credit_code,
)
from identity_service.legal_persons.models import Agent, LegalPerson
from identity_service.legal_persons.succession import LegalPersonRegister, change_representative, confirms
from identity_service.people.handlers import lookup
from service_common import outbox
from service_common.auth import Caller
from service_common.contracts.identity import AgentAppointed, AgentRevoked, LegalPersonRegistered
from service_common.crypto import KeyRing
from service_common.db import new_id


@dataclass(frozen=True, slots=True)
class Represented:
    """A legal person that somebody may act for."""

    legal_person: LegalPerson
    acts_as: ActsAs
    valid_until: datetime | None


async def register_legal_person(
    transactions: Transactions,
    ring: KeyRing,
    register: LegalPersonRegister,
    caller: Caller,
    *,
    uscc: str,
    name: str,
    level: int,
    now: datetime,
) -> LegalPerson:
    """Registers a legal person in the name of its representative, who is the caller. Harmless to repeat.

    ``level`` is the trust level that a representative needs. When the register now names the caller in place of an earlier representative, the caller takes over.
    Raises: TrustLevelTooLow, InvalidCreditCode, LegalPersonNotConfirmed, AuthorityUnavailable.
    """
    caller.need_trust_level(level)
    code, kind = read_credit_code(uscc)
    person_id = caller.person_id
    async with transactions() as session:
        profile = await lookup.profile_of(session, ring, person_id)
    # The register knows representatives by identity number; who has a passport alone registers at a counter.
    if profile.id_number is None or profile.document_country is not None:
        raise LegalPersonNotConfirmed
    answer = await register.check_legal_person(
        uscc=code, name=name, representative_id_number=profile.id_number
    )
    if not confirms(answer):
        raise LegalPersonNotConfirmed
    async with transactions() as session:
        facts = {"uscc": code, "name": name, "kind": kind, "representative_id": person_id}
        return await _register(session, facts, person_id, now)


async def _register(
    session: AsyncSession, facts: dict[str, object], person_id: UUID, now: datetime
) -> LegalPerson:
    fresh = await session.execute(
        insert(LegalPerson)
        .values(id=new_id(), version=1, revision=0, is_active=True, confirmed_at=now, **facts)
        .on_conflict_do_nothing(index_elements=["uscc"])
        .returning(LegalPerson.id)
    )
    is_new = fresh.first() is not None
    legal_person = (
        await session.scalars(select(LegalPerson).where(LegalPerson.uscc == facts["uscc"]).with_for_update())
    ).one()
    if is_new:
        event = LegalPersonRegistered(legal_person_id=legal_person.id, representative_id=person_id)
        await outbox.add(session, legal_person, event, now=now)
    elif legal_person.representative_id != person_id:
        await change_representative(session, legal_person, person_id, now=now)
    legal_person.confirmed_at = now
    legal_person.suspended_at = None
    await session.flush()
    return legal_person


async def appoint_agent(
    session: AsyncSession,
    ring: KeyRing,
    caller: Caller,
    legal_person_id: UUID,
    *,
    name: str,
    phone: str,
    role: ActsAs,
    valid_until: datetime | None,
    now: datetime,
) -> Agent:
    """Lets a verified person act for a legal person. The representative appoints anybody, an administrator agents.

    Raises: NoSuchLegalPerson, RepresentativeOnly, AgentNotFound, AgentAppointedAlready, InvalidPeriod, InvalidPhone.
    """
    legal_person = await _managed_by(session, caller, legal_person_id, now=now)
    _check_may_appoint(legal_person, caller, role)
    check_period(valid_until, now=now)
    person_id = await lookup.find_verified(session, ring, name=name, phone=phone)
    if person_id is None or person_id in (caller.person_id, legal_person.representative_id):
        raise AgentNotFound
    running = await session.scalar(
        select(Agent).where(
            Agent.legal_person_id == legal_person.id,
            Agent.person_id == person_id,
            Agent.revoked_at.is_(None),
        )
    )
    if running is not None and not _has_expired(running, now):
        raise AgentAppointedAlready
    if running is not None:
        running.revoked_at = running.valid_until
        await session.flush()
    agent = Agent(
        id=new_id(),
        legal_person_id=legal_person.id,
        person_id=person_id,
        role=role,
        appointed_by=caller.person_id,
        appointed_at=now,
        valid_until=valid_until,
    )
    session.add(agent)
    event = AgentAppointed(legal_person_id=legal_person.id, person_id=person_id, valid_until=valid_until)
    await outbox.add(session, legal_person, event, now=now)
    await session.flush()
    return agent


async def revoke_agent(
    session: AsyncSession, caller: Caller, legal_person_id: UUID, agent_id: UUID, *, now: datetime
) -> Agent:
    """Ends an appointment: by the representative, by the agent, and of an agent by an administrator.

    Raises: NoSuchAgent, AppointmentEnded.
    """
    agent = await session.get(Agent, agent_id, with_for_update=True)
    if agent is None or agent.legal_person_id != legal_person_id:
        raise NoSuchAgent
    legal_person = await session.get_one(LegalPerson, legal_person_id, with_for_update=True)
    if caller.person_id not in (legal_person.representative_id, agent.person_id):
        by_administrator = await _is_administrator(session, caller.person_id, legal_person_id, now=now)
        if agent.role is not ActsAs.AGENT or not by_administrator:
            raise NoSuchAgent
    if agent.revoked_at is not None:
        raise AppointmentEnded
    agent.revoked_at = now
    agent.revoked_by = caller.person_id
    event = AgentRevoked(legal_person_id=legal_person_id, person_id=agent.person_id)
    await outbox.add(session, legal_person, event, now=now)
    await session.flush()
    return agent


async def list_agents(
    session: AsyncSession,
    caller: Caller,
    legal_person_id: UUID,
    *,
    after: UUID | None,
    limit: int,
    now: datetime,
) -> Sequence[Agent]:
    """All appointments, the ended ones too; one more than ``limit``. Raises: NoSuchLegalPerson."""
    legal_person = await _managed_by(session, caller, legal_person_id, now=now)
    query = select(Agent).where(Agent.legal_person_id == legal_person.id).order_by(Agent.id).limit(limit + 1)
    if after is not None:
        query = query.where(Agent.id > after)
    return (await session.scalars(query)).all()


async def represented_by(session: AsyncSession, person_id: UUID, *, now: datetime) -> Sequence[Represented]:
    """The legal persons somebody may act for now, as representative or as agent."""
    own = await session.scalars(
        select(LegalPerson).where(LegalPerson.representative_id == person_id, *_ACTING)
    )
    entrusted = await session.execute(
        select(LegalPerson, Agent)
        .join(Agent, Agent.legal_person_id == LegalPerson.id)
        .where(Agent.person_id == person_id, *_ACTING, *_running(now))
    )
    found = [Represented(row, ActsAs.REPRESENTATIVE, None) for row in own]
    return found + [Represented(row, agent.role, agent.valid_until) for row, agent in entrusted]


def ids_represented(
    person_id: SQLColumnExpression[UUID], now: BindParameter[datetime]
) -> ColumnElement[Sequence[UUID]]:
    """The legal persons somebody may act for at a moment, as ``represented_by`` has them: an array, within another statement."""
    own = select(LegalPerson.id).where(LegalPerson.representative_id == person_id, *_ACTING)
    entrusted = (
        select(Agent.legal_person_id)
        .join(LegalPerson, LegalPerson.id == Agent.legal_person_id)
        .where(Agent.person_id == person_id, *_ACTING, *_running(now))
    )
    of_person = (one.correlate_except(LegalPerson, Agent) for one in (own, entrusted))
    return func.array(union(*of_person).scalar_subquery(), type_=ARRAY(Uuid))


async def represented_ids(session: AsyncSession, person_id: UUID) -> Sequence[UUID]:
    """The legal persons whose representative somebody is."""
    found = await session.scalars(select(LegalPerson.id).where(LegalPerson.representative_id == person_id))
    return found.all()


async def acting_persons(session: AsyncSession, legal_person_id: UUID, *, now: datetime) -> Sequence[UUID]:
    """The persons who act for a legal person now, the representative first."""
    legal_person = await session.get(LegalPerson, legal_person_id)
    if legal_person is None or legal_person.suspended_at is not None:
        return []
    agents = await session.scalars(
        select(Agent.person_id).where(Agent.legal_person_id == legal_person_id, *_running(now))
    )
    return [legal_person.representative_id, *agents]


async def get_legal_person(session: AsyncSession, legal_person_id: UUID) -> LegalPerson:
    """For callers who were let in for it. Raises: NoSuchLegalPerson."""
    legal_person = await session.get(LegalPerson, legal_person_id)
    if legal_person is None:
        raise NoSuchLegalPerson
    return legal_person


async def legal_person_of_representative(
    session: AsyncSession, person_id: UUID, legal_person_id: UUID
) -> LegalPerson:
    """An active legal person whose representative somebody is now. Raises: NoSuchLegalPerson."""
    legal_person = await session.get(LegalPerson, legal_person_id)
    if legal_person is None or not legal_person.is_active or legal_person.representative_id != person_id:
        raise NoSuchLegalPerson
    if legal_person.suspended_at is not None:
        raise NoSuchLegalPerson
    return legal_person


async def confirm_agent(
    session: AsyncSession, caller: Caller, legal_person_id: UUID, agent_id: UUID, *, now: datetime
) -> Agent:
    """A new representative lets an appointment of the former one go on.

    Raises: NoSuchLegalPerson, NoSuchAgent, AppointmentEnded, NotSuspended.
    """
    legal_person = await session.get(LegalPerson, legal_person_id, with_for_update=True)
    if legal_person is None or legal_person.representative_id != caller.person_id:
        raise NoSuchLegalPerson
    agent = await session.get(Agent, agent_id, with_for_update=True)
    if agent is None or agent.legal_person_id != legal_person_id:
        raise NoSuchAgent
    if agent.revoked_at is not None or _has_expired(agent, now):
        raise AppointmentEnded
    if agent.suspended_at is None:
        raise NotSuspended
    agent.suspended_at = None
    agent.appointed_by = caller.person_id
    event = AgentAppointed(
        legal_person_id=legal_person_id, person_id=agent.person_id, valid_until=agent.valid_until
    )
    await outbox.add(session, legal_person, event, now=now)
    await session.flush()
    return agent


async def leave_all(session: AsyncSession, person_id: UUID, *, now: datetime) -> None:
    """Ends every appointment of somebody who closes the account. Raises: StillRepresents, for who represents one."""
    represents = await session.scalar(
        select(LegalPerson.id)
        .where(LegalPerson.representative_id == person_id, LegalPerson.is_active)
        .limit(1)
    )
    if represents is not None:
        raise StillRepresents
    running = await session.scalars(
        select(Agent)
        .where(Agent.person_id == person_id, Agent.revoked_at.is_(None))
        .order_by(Agent.id)
        .with_for_update()
    )
    for agent in running:
        agent.revoked_at = now
        agent.revoked_by = person_id
        legal_person = await session.get_one(LegalPerson, agent.legal_person_id, with_for_update=True)
        event = AgentRevoked(legal_person_id=legal_person.id, person_id=person_id)
        await outbox.add(session, legal_person, event, now=now)
    await session.flush()


async def everybody_of(session: AsyncSession, legal_person_id: UUID, *, now: datetime) -> Sequence[UUID]:
    """Who acts for a legal person or would if it were not suspended, the representative first."""
    legal_person = await get_legal_person(session, legal_person_id)
    agents = await session.scalars(
        select(Agent.person_id).where(
            Agent.legal_person_id == legal_person_id, Agent.revoked_at.is_(None), _not_expired(now)
        )
    )
    return [legal_person.representative_id, *agents]


async def _managed_by(
    session: AsyncSession, caller: Caller, legal_person_id: UUID, *, now: datetime
) -> LegalPerson:
    """A legal person whose representative or administrator the caller is. Raises: NoSuchLegalPerson."""
    legal_person = await session.get(LegalPerson, legal_person_id, with_for_update=True)
    if legal_person is None or not legal_person.is_active or legal_person.suspended_at is not None:
        raise NoSuchLegalPerson
    if legal_person.representative_id != caller.person_id and not await _is_administrator(
        session, caller.person_id, legal_person_id, now=now
    ):
        raise NoSuchLegalPerson
    return legal_person


async def _is_administrator(
    session: AsyncSession, person_id: UUID, legal_person_id: UUID, *, now: datetime
) -> bool:
    found = await session.scalar(
        select(Agent.id).where(
            Agent.legal_person_id == legal_person_id,
            Agent.person_id == person_id,
            Agent.role == ActsAs.ADMINISTRATOR,
            *_running(now),
        )
    )
    return found is not None


def _check_may_appoint(legal_person: LegalPerson, caller: Caller, role: ActsAs) -> None:
    if role is not ActsAs.AGENT and legal_person.representative_id != caller.person_id:
        raise RepresentativeOnly


_ACTING = (LegalPerson.is_active, LegalPerson.suspended_at.is_(None))


def _running(now: datetime | BindParameter[datetime]) -> tuple[ColumnElement[bool], ...]:
    return (Agent.revoked_at.is_(None), Agent.suspended_at.is_(None), _not_expired(now))


def _not_expired(now: datetime | BindParameter[datetime]) -> ColumnElement[bool]:
    return or_(Agent.valid_until.is_(None), Agent.valid_until > now)


def _has_expired(agent: Agent, now: datetime) -> bool:
    return agent.valid_until is not None and agent.valid_until <= now
