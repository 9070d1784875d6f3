"""Evidence of who a person is, and the trust level that follows from what of it has not expired."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BindParameter, ScalarSelect, SQLColumnExpression, func, or_, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from identity_service.people.domain import (
    LEVEL_REACHED,
    LOWEST_LEVEL,
    Document,
    IdentityTaken,
    VerificationMethod,
)
from identity_service.people.handlers.sealing import (
    document_index,
    seal_birth_date,
    seal_id_number,
    seal_name,
)
from identity_service.people.models import Person, Verification
from service_common import outbox
from service_common.contracts.identity import PersonLevelLowered, PersonVerified
from service_common.crypto import KeyRing

_EVIDENCE = "verifications.evidence"
_BATCH = 200


@dataclass(frozen=True, slots=True)
class Finding:
    """What a verification has found. Kept whether it is a yes or a no: who tried to be somebody else is of interest."""

    method: VerificationMethod
    matched: bool
    result: str
    evidence: dict[str, Any] = field(repr=False)
    reference: str | None = None
    expires_at: datetime | None = None
    staff_id: UUID | None = None
    department_id: UUID | None = None


async def keep(
    session: AsyncSession, ring: KeyRing, person_id: UUID, found: Finding, *, now: datetime
) -> None:
    """Writes the evidence, sealed."""
    session.add(
        Verification(
            person_id=person_id,
            method=found.method,
            level=LEVEL_REACHED[found.method] if found.matched else None,
            result=found.result,
            evidence=ring.encrypt_json(found.evidence, column=_EVIDENCE),
            reference=found.reference,
            checked_at=now,
            expires_at=found.expires_at,
            staff_id=found.staff_id,
            department_id=found.department_id,
        )
    )
    await session.flush()


def living_level(
    person_id: SQLColumnExpression[UUID] | UUID, now: BindParameter[datetime] | datetime | None
) -> ScalarSelect[int]:
    """The trust level of a person at a moment (the database's own by default): the highest that living evidence gives."""
    return (
        select(func.coalesce(func.max(Verification.level), LOWEST_LEVEL))
        .where(
            Verification.person_id == person_id,
            or_(
                Verification.expires_at.is_(None),
                Verification.expires_at > (func.now() if now is None else now),
            ),
        )
        .scalar_subquery()
    )


async def level_of(session: AsyncSession, person_id: UUID, *, now: datetime | None = None) -> int:
    """The trust level of a person at a moment."""
    found: int | None = await session.scalar(select(living_level(person_id, now)))
    return found or LOWEST_LEVEL


async def bind_identity(
    session: AsyncSession, ring: KeyRing, person: Person, name: str, document: Document
) -> None:
    """Makes name and document those of the person, for good. Raises: IdentityTaken."""
    person.name = seal_name(ring, name)
    person.id_number = seal_id_number(ring, document.number)
    person.id_number_index = document_index(ring, document)
    person.id_kind = document.kind
    person.id_country = document.country
    person.birth_date = seal_birth_date(ring, document.birth_date)
    try:
        await session.flush()
    except IntegrityError as error:
        raise IdentityTaken from error


async def tell_level(session: AsyncSession, person: Person, *, now: datetime) -> None:
    """Tells a level that is not the one told last, in the transaction that changed it."""
    level = await level_of(session, person.id, now=now)
    if level > person.trust_level:
        person.trust_level = level
        await outbox.add(session, person, PersonVerified(person_id=person.id, level=level), now=now)
    elif level < person.trust_level:
        person.trust_level = level
        await outbox.add(session, person, PersonLevelLowered(person_id=person.id, level=level), now=now)
    await session.flush()


async def tell_expired(session: AsyncSession, *, now: datetime) -> int:
    """Tells of persons whose level fell because evidence expired, each expiry once. Tokens do not wait for it.

    Returns how many expiries were looked at.
    """
    expired = (
        await session.scalars(
            select(Verification)
            .where(Verification.expires_at <= now, Verification.expiry_seen_at.is_(None))
            .order_by(Verification.expires_at)
            .limit(_BATCH)
            .with_for_update(skip_locked=True)
        )
    ).all()
    for row in expired:
        row.expiry_seen_at = now
    for person_id in sorted({row.person_id for row in expired}):
        person = await session.get_one(Person, person_id, with_for_update=True)
        if person.is_active:
            await tell_level(session, person, now=now)
    return len(expired)


async def list_verifications(
    session: AsyncSession, person_id: UUID, *, before: UUID | None, limit: int
) -> Sequence[Verification]:
    """What was verified and tried, the newest first; one more than ``limit``."""
    query = (
        select(Verification)
        .where(Verification.person_id == person_id)
        .order_by(Verification.id.desc())
        .limit(limit + 1)
    )
    if before is not None:
        query = query.where(Verification.id < before)
    return (await session.scalars(query)).all()
