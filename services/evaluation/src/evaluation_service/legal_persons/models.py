"""What evaluation knows of who acts for legal persons: identity's ids, no names."""

from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Mapped, mapped_column

from evaluation_service.db import Base


class LegalPerson(Base):
    """Whose representative is whom; ``revision`` is that of the last news of it."""

    __tablename__ = "legal_persons"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    representative_id: Mapped[UUID | None]
    revision: Mapped[int]


class Agent(Base):
    """An appointment as last told. Revisions are the legal person's: a new representative stops all older ones."""

    __tablename__ = "agents"

    legal_person_id: Mapped[UUID] = mapped_column(primary_key=True)
    person_id: Mapped[UUID] = mapped_column(primary_key=True)
    active: Mapped[bool]
    valid_until: Mapped[datetime | None]
    revision: Mapped[int]
