"""The own profile: each attribute masked, with its source and how fresh it is."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from sqlalchemy import func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from gov_rules.identifiers import mask_identity_number, mask_name, mask_phone
from identity_service.accounts.handlers import find_account
from identity_service.people.domain import DOCUMENT_LABELS, VerificationMethod
from identity_service.people.handlers import lookup
from identity_service.people.handlers.verifications import level_of
from identity_service.people.models import Person, Verification
from identity_service.space.domain import Source
from service_common.crypto import KeyRing

_OF_IDENTITY = (VerificationMethod.REAL_NAME, VerificationMethod.COUNTER)


@dataclass(frozen=True, slots=True)
class Fact:
    """One attribute. Its repr shows no value."""

    attribute: str
    value: str | None = field(repr=False)
    source: Source
    confirmed_at: datetime | None
    expires_at: datetime | None = None


async def profile_facts(
    session: AsyncSession, ring: KeyRing, person_id: UUID, *, now: datetime
) -> Sequence[Fact]:
    """What is known of the person, by whom it was confirmed and when. Raises: NoSuchPerson."""
    known = await lookup.profile_of(session, ring, person_id)
    account = await find_account(session, person_id)
    person = await session.get_one(Person, person_id)
    level = await level_of(session, person_id, now=now)
    identity = await session.scalar(
        select(Verification)
        .where(
            Verification.person_id == person_id,
            Verification.level.is_not(None),
            Verification.method.in_(_OF_IDENTITY),
        )
        .order_by(Verification.id.desc())
        .limit(1)
    )
    by = Source.COUNTER if identity and identity.method is VerificationMethod.COUNTER else Source.REGISTER
    at = identity.checked_at if identity else None
    facts = [
        Fact("username", account.username if account else None, Source.SELF, person.created_at),
        Fact("phone", mask_phone(known.phone) if known.phone else None, Source.PHONE_CODE, person.created_at),
        Fact("name", mask_name(known.name) if known.name else None, by, at),
        Fact("id_number", mask_identity_number(known.id_number) if known.id_number else None, by, at),
        Fact("document_kind", DOCUMENT_LABELS[known.document_kind] if known.document_kind else None, by, at),
        Fact("birth_date", f"{known.birth_date.year}-**-**" if known.birth_date else None, by, at),
    ]
    return [*facts, await _level_fact(session, person_id, level, now)]


async def _level_fact(session: AsyncSession, person_id: UUID, level: int, now: datetime) -> Fact:
    living = or_(Verification.expires_at.is_(None), Verification.expires_at > now)
    found = (
        await session.execute(
            select(func.max(Verification.checked_at), func.max(Verification.expires_at)).where(
                Verification.person_id == person_id, Verification.level == level, living
            )
        )
    ).one()
    return Fact("trust_level", str(level), Source.EVIDENCE, found[0], found[1])
