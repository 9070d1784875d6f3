"""Rows of identity codes."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import String
from sqlalchemy.orm import Mapped, mapped_column

from identity_service.db import Base


class IdentityCode(Base):
    """A code that was shown. Its random part is stored as a keyed hash; it is gone soon after its minute."""

    __tablename__ = "identity_codes"

    code_hash: Mapped[bytes] = mapped_column(primary_key=True)
    person_id: Mapped[UUID]
    legal_person_id: Mapped[UUID | None]
    expires_at: Mapped[datetime] = mapped_column(index=True)
    used_at: Mapped[datetime | None]
    used_by: Mapped[str | None] = mapped_column(String(100))
