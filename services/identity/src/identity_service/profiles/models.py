"""Rows of the access log."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import Index, String
from sqlalchemy.orm import Mapped, mapped_column

from identity_service.db import Base
from service_common.db import new_id


class AccessLogEntry(Base):
    """Who looked at which attributes of whom, and why. Which, never what they were."""

    __tablename__ = "access_log"
    __table_args__ = (Index("ix_access_log_subject_id_id", "subject_id", "id"),)

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    subject_id: Mapped[UUID]
    client_id: Mapped[str] = mapped_column(String(100))
    department_id: Mapped[UUID | None]
    attributes: Mapped[list[str]]
    purpose: Mapped[str] = mapped_column(String(200))
    legal_basis: Mapped[str | None] = mapped_column(String(200))
    reference: Mapped[str | None] = mapped_column(String(200))
    at: Mapped[datetime]
