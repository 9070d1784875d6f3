"""Agreeing on a delegation, accepting it, ending it, and beginning to use it."""

import hmac
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from identity_service.accounts.domain import SubjectKind
from identity_service.delegations.domain import (
    FRESH_LOGIN_SECONDS,
    AcceptedAlready,
    AgentNotSuitable,
    DelegationOver,
    NoSuchDelegation,
    Party,
    Standing,
    Terms,
    TextNotAgreed,
    agreement,
    check_terms,
    text_hash,
)
from identity_service.delegations.models import Delegation
from identity_service.legal_persons import handlers as legal_persons
from identity_service.legal_persons.domain import NoSuchLegalPerson
from identity_service.organisation.handlers import staff
from identity_service.people.handlers import lookup
from identity_service.sessions import handlers as sessions
from identity_service.sessions.models import Grant
from service_common import outbox
from service_common.auth import Caller
from service_common.contracts.acceptance import HolderKind
from service_common.contracts.identity import (
    AgentKind,
    DelegationAccepted,
    DelegationGranted,
    DelegationRevoked,
    SessionEndReason,
)
from service_common.crypto import KeyRing
from service_common.db import new_id

_TEXT_COLUMN = "delegations.text"


@dataclass(frozen=True, slots=True)
class AgentSought:
    """Whom the principal names: a person by name and phone, a helper by the user name on their badge."""

    kind: AgentKind
    name: str | None = None
    phone: str | None = None
    username: str | None = None


@dataclass(frozen=True, slots=True)
class Offer:
    """What a principal wants to entrust, and to whom. Without ``legal_person_id`` the caller is the principal."""

    agent: AgentSought
    terms: Terms
    legal_person_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class Draft:
    """An offer whose parties were found, with the text to agree to."""

    principal_kind: HolderKind
    principal: Party
    agent: Party
    text: str


async def draft_text(
    session: AsyncSession, ring: KeyRing, caller: Caller, offer: Offer, *, level: int, now: datetime
) -> Draft:
    """The text that the principal is to read. Raises: TrustLevelTooLow, InvalidDelegation, AgentNotSuitable, NoSuchLegalPerson."""
    caller.need_trust_level(level)
    check_terms(offer.terms, now=now)
    kind, principal = await _principal_of(session, ring, caller, offer)
    agent = await _agent_of(session, ring, offer.agent, level=level)
    if agent.id in (principal.id, caller.person_id):
        raise AgentNotSuitable
    text = agreement(principal, kind, agent, offer.agent.kind, offer.terms)
    return Draft(kind, principal, agent, text)


async def grant_delegation(
    session: AsyncSession,
    ring: KeyRing,
    caller: Caller,
    offer: Offer,
    *,
    agreed_hash: bytes,
    level: int,
    now: datetime,
) -> Delegation:
    """The principal agrees to the text. It can be used when the agent has accepted.

    Raises: LoginTooOld, TextNotAgreed, and what ``draft_text`` raises.
    """
    caller.need_fresh_login(max_age=FRESH_LOGIN_SECONDS, now=now)
    draft = await draft_text(session, ring, caller, offer, level=level, now=now)
    _need_agreement(text_hash(draft.text), agreed_hash)
    terms = offer.terms
    delegation = Delegation(
        id=new_id(),
        principal_kind=draft.principal_kind,
        principal_id=draft.principal.id,
        granted_by=caller.person_id,
        agent_kind=offer.agent.kind,
        agent_id=draft.agent.id,
        acts=sorted(terms.acts),
        matters=sorted(terms.matters),
        valid_from=terms.valid_from,
        valid_until=terms.valid_until,
        max_uses=terms.max_uses,
        uses=0,
        text=ring.encrypt(draft.text, column=_TEXT_COLUMN),
        text_hash=text_hash(draft.text),
    )
    session.add(delegation)
    event = DelegationGranted(
        **_facts(delegation),
        acts=delegation.acts,
        matters=delegation.matters,
        valid_from=delegation.valid_from,
        valid_until=delegation.valid_until,
    )
    await outbox.add(session, delegation, event, now=now)
    await session.flush()
    return delegation


async def accept_delegation(
    session: AsyncSession,
    caller: Caller,
    delegation_id: UUID,
    *,
    agreed_hash: bytes,
    level: int,
    now: datetime,
) -> Delegation:
    """The agent agrees to the same text, once.

    Raises: NoSuchDelegation, TrustLevelTooLow, TextNotAgreed, AcceptedAlready, DelegationOver.
    """
    delegation = await _held(session, delegation_id)
    if not _is_agent(delegation, caller):
        raise NoSuchDelegation
    caller.need_trust_level(level)
    _need_living(delegation, now)
    if delegation.accepted_at is not None:
        raise AcceptedAlready
    _need_agreement(delegation.text_hash, agreed_hash)
    delegation.accepted_at = now
    await outbox.add(session, delegation, DelegationAccepted(**_facts(delegation)), now=now)
    await session.flush()
    return delegation


async def revoke_delegation(
    session: AsyncSession, caller: Caller, delegation_id: UUID, *, now: datetime
) -> Delegation:
    """Either side ends it at any time; an agent so declines an offer, too. Its tokens are refused within a second.

    Raises: NoSuchDelegation, DelegationOver.
    """
    delegation = await _held(session, delegation_id)
    by_principal = await _is_principal(session, delegation, caller)
    if not by_principal and not _is_agent(delegation, caller):
        raise NoSuchDelegation
    _need_living(delegation, now)
    delegation.revoked_at = now
    delegation.revoked_by = _who(caller)
    await sessions.end_grants_of_delegation(session, delegation.id, reason=SessionEndReason.CLOSED, now=now)
    event = DelegationRevoked(**_facts(delegation), by_principal=by_principal)
    await outbox.add(session, delegation, event, now=now)
    await session.flush()
    return delegation


async def list_delegations(
    session: AsyncSession, caller: Caller, *, before: UUID | None, limit: int
) -> Sequence[Delegation]:
    """Those that the caller has given and those it was given, newest first; one more than ``limit``."""
    sides = [Delegation.agent_id == _who(caller)]
    if caller.subject_type == "person":
        represented = await legal_persons.represented_ids(session, caller.person_id)
        sides.append(Delegation.principal_id.in_([caller.person_id, *represented]))
    query = select(Delegation).where(or_(*sides)).order_by(Delegation.id.desc()).limit(limit + 1)
    if before is not None:
        query = query.where(Delegation.id < before)
    return (await session.scalars(query)).all()


async def read_delegation(
    session: AsyncSession, ring: KeyRing, caller: Caller, delegation_id: UUID
) -> tuple[Delegation, str]:
    """One with its text, for its two sides. Raises: NoSuchDelegation."""
    delegation = await session.get(Delegation, delegation_id)
    if delegation is None or not (
        _is_agent(delegation, caller) or await _is_principal(session, delegation, caller)
    ):
        raise NoSuchDelegation
    return delegation, ring.decrypt(delegation.text, column=_TEXT_COLUMN)


async def suspend_uses(session: AsyncSession, principal_id: UUID, *, now: datetime) -> None:
    """Ends every sitting for a principal who is gone, or whose representative is another one now.

    The delegations stay as they were agreed: ``hold_usable`` looks at the principal before each use.
    """
    given = await session.scalars(
        select(Delegation.id).where(Delegation.principal_id == principal_id, Delegation.revoked_at.is_(None))
    )
    for delegation_id in given:
        await sessions.end_grants_of_delegation(
            session, delegation_id, reason=SessionEndReason.CLOSED, now=now
        )


@dataclass(frozen=True, slots=True)
class Usable:
    """A delegation that its agent can use now, held until the end of the transaction.

    ``sitting`` is the agent's running use of it, if there is one; ``principal_level`` at which level its principal is known.
    """

    delegation: Delegation
    sitting: Grant | None
    principal_level: int


async def hold_usable(
    session: AsyncSession,
    delegation_id: UUID,
    sits_in: Grant,
    *,
    level: int,
    sitting: timedelta,
    now: datetime,
) -> Usable | None:
    """The delegation, if this agent can use it now. Two sittings at once wait for each other: one of them is the last.

    ``sits_in`` is the agent's own grant. Both sides must still be known at the level.
    """
    delegation = await session.get(Delegation, delegation_id, with_for_update=True, populate_existing=True)
    if delegation is None or delegation.agent_id != sits_in.subject_id:
        return None
    if delegation.agent_kind is not _AGENT_KINDS[sits_in.kind]:
        return None
    principal_level = await _principal_level(session, delegation)
    if principal_level is None or principal_level < level:
        return None
    running = await sessions.find_sitting(session, sits_in, delegation.id, since=now - sitting)
    usable = {Standing.ACTIVE} if running is None else {Standing.ACTIVE, Standing.USED_UP}
    if delegation.standing(now) not in usable:
        return None
    return Usable(delegation, running, principal_level)


async def sit_down(session: AsyncSession, usable: Usable, sits_in: Grant, *, now: datetime) -> Grant:
    """The running sitting; a new one counts as a use. What ends the agent's own grant, ends it too."""
    if usable.sitting is not None:
        return usable.sitting
    usable.delegation.uses += 1
    return await sessions.open_sitting(session, sits_in, usable.delegation.id, now=now)


_AGENT_KINDS = {SubjectKind.PERSON: AgentKind.PERSON, SubjectKind.STAFF: AgentKind.HELPER}


async def _principal_level(session: AsyncSession, delegation: Delegation) -> int | None:
    """At which level the principal is known; none for one who is gone, or whose representative was another then."""
    if delegation.principal_kind is HolderKind.LEGAL_PERSON:
        try:
            await legal_persons.legal_person_of_representative(
                session, delegation.granted_by, delegation.principal_id
            )
        except NoSuchLegalPerson:
            return None
    standing = await lookup.standing_of(session, delegation.granted_by)
    return standing.trust_level if standing else None


async def _principal_of(
    session: AsyncSession, ring: KeyRing, caller: Caller, offer: Offer
) -> tuple[HolderKind, Party]:
    if offer.legal_person_id is not None:
        company = await legal_persons.legal_person_of_representative(
            session, caller.person_id, offer.legal_person_id
        )
        return HolderKind.LEGAL_PERSON, Party(company.id, company.name)
    profile = await lookup.profile_of(session, ring, caller.person_id)
    return HolderKind.NATURAL_PERSON, Party(profile.person_id, profile.name or "")


async def _agent_of(session: AsyncSession, ring: KeyRing, sought: AgentSought, *, level: int) -> Party:
    if sought.kind is AgentKind.HELPER:
        found = await staff.find_helper(session, ring, sought.username or "")
        if found is None:
            raise AgentNotSuitable
        return Party(*found)
    name = sought.name or ""
    person_id = await lookup.find_verified(session, ring, name=name, phone=sought.phone or "")
    standing = await lookup.standing_of(session, person_id) if person_id else None
    if person_id is None or standing is None or standing.trust_level < level:
        raise AgentNotSuitable
    return Party(person_id, name)


async def _held(session: AsyncSession, delegation_id: UUID) -> Delegation:
    delegation = await session.get(Delegation, delegation_id, with_for_update=True)
    if delegation is None:
        raise NoSuchDelegation
    return delegation


def _who(caller: Caller) -> UUID:
    return caller.staff_id if caller.subject_type == "staff" else caller.person_id


def _is_agent(delegation: Delegation, caller: Caller) -> bool:
    kind = AgentKind.HELPER if caller.subject_type == "staff" else AgentKind.PERSON
    return delegation.agent_kind is kind and delegation.agent_id == _who(caller)


async def _is_principal(session: AsyncSession, delegation: Delegation, caller: Caller) -> bool:
    if caller.subject_type != "person":
        return False
    if delegation.principal_kind is HolderKind.NATURAL_PERSON:
        return delegation.principal_id == caller.person_id
    return delegation.principal_id in await legal_persons.represented_ids(session, caller.person_id)


def _need_living(delegation: Delegation, now: datetime) -> None:
    if delegation.standing(now) in (Standing.REVOKED, Standing.EXPIRED):
        raise DelegationOver


def _need_agreement(known: bytes, shown: bytes) -> None:
    if not hmac.compare_digest(known, shown):
        raise TextNotAgreed


def _facts(delegation: Delegation) -> dict[str, object]:
    return {
        "delegation_id": delegation.id,
        "principal_kind": delegation.principal_kind,
        "principal_id": delegation.principal_id,
        "agent_kind": delegation.agent_kind,
        "agent_id": delegation.agent_id,
    }
