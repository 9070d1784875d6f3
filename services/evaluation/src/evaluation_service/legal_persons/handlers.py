"""Keeping and asking who acts for legal persons. News of several kinds come in any order: the newest revision wins."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import or_, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from evaluation_service.legal_persons.domain import reviewer_of
from evaluation_service.legal_persons.models import Agent, LegalPerson


async def note_representative(
    session: AsyncSession, legal_person_id: UUID, representative_id: UUID, *, revision: int
) -> None:
    """Somebody represents the legal person from this revision on."""
    values = {"representative_id": representative_id, "revision": revision}
    statement = insert(LegalPerson).values(id=legal_person_id, **values)
    await session.execute(
        statement.on_conflict_do_update(
            index_elements=["id"], set_=values, where=LegalPerson.revision < revision
        )
    )


async def note_agent(
    session: AsyncSession,
    legal_person_id: UUID,
    person_id: UUID,
    *,
    active: bool,
    valid_until: datetime | None,
    revision: int,
) -> None:
    """An appointment began, or ended."""
    values = {"active": active, "valid_until": valid_until, "revision": revision}
    statement = insert(Agent).values(legal_person_id=legal_person_id, person_id=person_id, **values)
    await session.execute(
        statement.on_conflict_do_update(
            index_elements=["legal_person_id", "person_id"], set_=values, where=Agent.revision < revision
        )
    )


async def who_reviews(
    session: AsyncSession, legal_person_id: UUID, *, submitted_by: UUID, now: datetime
) -> UUID | None:
    """The person to invite for a legal person; None when identity has told of nobody."""
    legal_person = await session.get(LegalPerson, legal_person_id)
    since = legal_person.revision if legal_person else 0
    agents = await session.scalars(
        select(Agent.person_id).where(
            Agent.legal_person_id == legal_person_id,
            Agent.active,
            Agent.revision > since,
            or_(Agent.valid_until.is_(None), Agent.valid_until > now),
        )
    )
    return reviewer_of(submitted_by, legal_person.representative_id if legal_person else None, set(agents))
