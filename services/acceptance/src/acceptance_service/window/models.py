"""Rows of the window."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey, Index, SmallInteger, String
from sqlalchemy.orm import Mapped, mapped_column

from acceptance_service.db import Base
from service_common.presence import PresenceMethod


class WindowSitting(Base):
    """One proof of presence, used up for one application: until ``ends_at`` clerks of this hall act for who is there.

    ``id`` is that of the proof, so each is used once. Kept for good: it is the consent, and by it a hall sees what it took in.
    """

    __tablename__ = "window_sittings"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    application_id: Mapped[UUID] = mapped_column(ForeignKey("applications.id"))
    person_id: Mapped[UUID]
    legal_person_id: Mapped[UUID | None]
    trust_level: Mapped[int] = mapped_column(SmallInteger)
    method: Mapped[PresenceMethod]
    staff_id: Mapped[UUID]
    department_id: Mapped[UUID]
    division: Mapped[str] = mapped_column(String(12))
    began_at: Mapped[datetime]
    ends_at: Mapped[datetime]

    __table_args__ = (
        Index("ix_window_sittings_application", "application_id", "ends_at"),
        Index("ix_window_sittings_hall", "department_id", "division", "application_id"),
    )
