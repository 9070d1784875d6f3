"""Finding persons, and opening what is known of them."""

from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from identity_service.people.domain import NoSuchPerson, looks_like_phone, normal_name, normal_phone
from identity_service.people.handlers.sealing import Profile, open_profile, phone_index
from identity_service.people.handlers.verifications import level_of, living_level
from identity_service.people.models import Person
from service_common.crypto import KeyRing


@dataclass(frozen=True, slots=True)
class Standing:
    """What tokens say of a person."""

    trust_level: int


async def standing_of(
    session: AsyncSession, person_id: UUID, *, now: datetime | None = None
) -> Standing | None:
    """The trust level at a moment (the database's own by default); none for a person whose account is closed."""
    level = await session.scalar(
        select(living_level(person_id, now)).where(Person.id == person_id, Person.is_active)
    )
    return Standing(level) if level is not None else None


async def profile_of(
    session: AsyncSession, ring: KeyRing, person_id: UUID, *, now: datetime | None = None
) -> Profile:
    """A person in clear: for the person, and for who has a reason that is logged. Raises: NoSuchPerson."""
    found = await find_profile(session, ring, person_id, now=now)
    if found is None:
        raise NoSuchPerson
    return found


async def find_profile(
    session: AsyncSession, ring: KeyRing, person_id: UUID, *, now: datetime | None = None
) -> Profile | None:
    """As ``profile_of``, for an id that may be somebody else's than a person's."""
    person = await session.get(Person, person_id)
    if person is None:
        return None
    level = await level_of(session, person_id, now=now)
    return replace(open_profile(ring, person), trust_level=level)


async def account_of_phone(session: AsyncSession, ring: KeyRing, text: str) -> UUID | None:
    """Whose phone number somebody has entered in place of a user name."""
    if not looks_like_phone(text):
        return None
    found: UUID | None = await session.scalar(
        select(Person.id).where(Person.phone_index == phone_index(ring, normal_phone(text)))
    )
    return found


async def find_verified(session: AsyncSession, ring: KeyRing, *, name: str, phone: str) -> UUID | None:
    """The verified person with this name and phone number. Raises: InvalidPhone."""
    person = await session.scalar(
        select(Person).where(Person.phone_index == phone_index(ring, normal_phone(phone)), Person.is_active)
    )
    if person is None or open_profile(ring, person).name != normal_name(name):
        return None
    return person.id
