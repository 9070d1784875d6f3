"""Rows of interactions."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey, String, func
from sqlalchemy.orm import Mapped, mapped_column

from identity_service.db import Base
from service_common.db import new_id


class Interaction(Base):
    """A log-in that was begun in one browser. ``parameters`` is the client's request, sealed: a hint may be a phone."""

    __tablename__ = "interactions"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    browser_hash: Mapped[bytes]
    client_name: Mapped[str | None] = mapped_column(String(100))
    parameters: Mapped[bytes]
    pending_account_id: Mapped[UUID | None] = mapped_column(ForeignKey("accounts.id"))
    login_session_id: Mapped[UUID | None] = mapped_column(ForeignKey("login_sessions.id"))
    consented_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    expires_at: Mapped[datetime] = mapped_column(index=True)
