"""Rows of uses."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from certificates_service.db import Base
from certificates_service.uses.domain import Purpose
from service_common.contracts.certificates import UseMode


class LicenceUse(Base):
    """One look at a licence. An aggregate of its own: looking changes no licence, so no reader waits for another one,
    and nobody's If-Match goes stale because somebody looked.
    """

    __tablename__ = "licence_uses"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    revision: Mapped[int] = mapped_column(default=0)
    licence_id: Mapped[UUID] = mapped_column(ForeignKey("licences.id"))
    at: Mapped[datetime]
    mode: Mapped[UseMode]
    purpose: Mapped[Purpose]
    legal_basis: Mapped[str] = mapped_column(String(200))
    about_id: Mapped[UUID | None]
    fields: Mapped[list[str]]
    verifier_kind: Mapped[str] = mapped_column(String(20))
    verifier_id: Mapped[str | None] = mapped_column(String(100))
    verifier_department_id: Mapped[UUID | None]
    shown_by: Mapped[UUID | None]

    __table_args__ = (Index("ix_licence_uses_licence", "licence_id", "id"),)
