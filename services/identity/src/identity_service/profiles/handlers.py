"""Verified data for services that have a purpose, and the log that the person can read."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from identity_service.legal_persons import handlers as legal_persons
from identity_service.organisation.models import Department
from identity_service.people.handlers import lookup
from identity_service.profiles.domain import (
    DUTY,
    LEGAL_BASES,
    OF_LEGAL_PERSON,
    OF_PERSON,
    OF_REPRESENTATIVE,
    Attribute,
    check_attributes,
)
from identity_service.profiles.models import AccessLogEntry
from identity_service.relying_parties.models import Client
from service_common.auth import Caller
from service_common.crypto import KeyRing


@dataclass(frozen=True, slots=True)
class Wish:
    """Which attributes of whom, and why."""

    person_id: UUID | None
    legal_person_id: UUID | None
    attributes: frozenset[Attribute]
    purpose: str
    reference: str | None
    legal_basis: str | None = None
    department_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class Look:
    """An entry of the log with the names of who looked."""

    entry: AccessLogEntry
    department_name: str | None
    client_name: str | None


async def look_up(
    session: AsyncSession, ring: KeyRing, caller: Caller, wish: Wish, *, now: datetime
) -> dict[Attribute, Any]:
    """The asked attributes in clear, None for what is not verified; with an entry in the access log.

    Raises: NoSuchPerson, NoSuchLegalPerson, AttributeOfOthers.
    """
    looked_at: list[tuple[UUID, frozenset[Attribute]]]
    if wish.person_id is not None:
        found = await _of_person(session, ring, wish.person_id, wish.attributes, now)
        looked_at = [(wish.person_id, wish.attributes)]
    else:
        assert wish.legal_person_id is not None
        found, representative_id = await _of_legal_person(
            session, ring, wish.legal_person_id, wish.attributes
        )
        own = wish.attributes & OF_REPRESENTATIVE
        looked_at = [(wish.legal_person_id, wish.attributes), *([(representative_id, own)] if own else [])]
    for subject_id, attributes in looked_at:
        await note_access(
            session,
            subject_id=subject_id,
            client_id=caller.client_id,
            department_id=caller.department_id or wish.department_id,
            attributes=sorted(attributes),
            purpose=wish.purpose,
            reference=wish.reference,
            legal_basis=wish.legal_basis,
            now=now,
        )
    return found


async def _of_person(
    session: AsyncSession, ring: KeyRing, person_id: UUID, attributes: frozenset[Attribute], now: datetime
) -> dict[Attribute, Any]:
    check_attributes(attributes, OF_PERSON)
    profile = await lookup.profile_of(session, ring, person_id, now=now)
    return {attribute: getattr(profile, attribute) for attribute in sorted(attributes)}


async def _of_legal_person(
    session: AsyncSession, ring: KeyRing, legal_person_id: UUID, attributes: frozenset[Attribute]
) -> tuple[dict[Attribute, Any], UUID]:
    """The attributes, and who represents it."""
    check_attributes(attributes, OF_LEGAL_PERSON)
    legal_person = await legal_persons.get_legal_person(session, legal_person_id)
    representative = await lookup.profile_of(session, ring, legal_person.representative_id)
    known = {
        Attribute.NAME: legal_person.name,
        Attribute.USCC: legal_person.uscc,
        Attribute.KIND: str(legal_person.kind),
        Attribute.REPRESENTATIVE_NAME: representative.name,
        Attribute.REPRESENTATIVE_ID_NUMBER: representative.id_number,
    }
    found = {attribute: known[attribute] for attribute in sorted(attributes)}
    return found, legal_person.representative_id


async def note_access(
    session: AsyncSession,
    *,
    subject_id: UUID,
    client_id: str,
    department_id: UUID | None,
    attributes: Sequence[str],
    purpose: str,
    reference: str | None,
    legal_basis: str | None = None,
    now: datetime,
) -> None:
    """Writes the entry in the transaction that opened the data: no look without a trace."""
    session.add(
        AccessLogEntry(
            subject_id=subject_id,
            client_id=client_id,
            department_id=department_id,
            attributes=list(attributes),
            purpose=purpose,
            legal_basis=legal_basis or LEGAL_BASES.get(purpose, DUTY),
            reference=reference,
            at=now,
        )
    )


async def accesses_to(
    session: AsyncSession, person_id: UUID, *, before: UUID | None, limit: int
) -> Sequence[Look]:
    """Looks at a person and at the legal persons it represents, the newest first; one more than ``limit``."""
    subjects = [person_id, *await legal_persons.represented_ids(session, person_id)]
    query = (
        select(AccessLogEntry, Department.name, Client.name)
        .outerjoin(Department, Department.id == AccessLogEntry.department_id)
        .outerjoin(Client, Client.client_id == AccessLogEntry.client_id)
        .where(AccessLogEntry.subject_id.in_(subjects))
        .order_by(AccessLogEntry.id.desc())
        .limit(limit + 1)
    )
    if before is not None:
        query = query.where(AccessLogEntry.id < before)
    return [Look(*found) for found in await session.execute(query)]
