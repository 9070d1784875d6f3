"""What a person prefers."""

from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from identity_service.people.domain import NoSuchPerson
from identity_service.people.models import Person


async def set_language(session: AsyncSession, person_id: UUID, language: str) -> None:
    """In which language text messages come. Raises: NoSuchPerson."""
    person = await session.get(Person, person_id)
    if person is None:
        raise NoSuchPerson
    person.language = language
