"""Rows of shown codes."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from certificates_service.db import Base


class PresentationCode(Base):
    """A code that was shown. Deleted a day after its end: the use that came of it stays."""

    __tablename__ = "presentation_codes"

    token_hash: Mapped[bytes] = mapped_column(primary_key=True)
    licence_id: Mapped[UUID] = mapped_column(ForeignKey("licences.id"))
    person_id: Mapped[UUID]  # who shows it: the holder, or who acts for them
    session_id: Mapped[str | None] = mapped_column(String(100))
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]

    __table_args__ = (
        Index("ix_presentation_codes_person", "person_id", "licence_id"),
        Index("ix_presentation_codes_session", "session_id"),
        Index("ix_presentation_codes_expires_at", "expires_at"),
    )
