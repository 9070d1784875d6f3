"""Rows of interactions."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey, String, func
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from identity_service.db import Base
from identity_service.login.domain import ScanStatus
from service_common.db import new_id, sealed


class Interaction(Base):
    """A log-in that was begun in one browser. ``parameters`` is the client's request, sealed: a hint may be a phone.

    ``pending_account_id`` is whose password was shown and what is missing still: with ``pending_methods`` every factor was shown
    by them, and a new password has to be chosen; without, the second factor. It holds for the ``pending_version`` of the
    account's credentials alone.
    """

    __tablename__ = "interactions"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    browser_hash: Mapped[bytes]
    client_name: Mapped[str | None] = mapped_column(String(100))
    parameters: Mapped[bytes] = sealed("interactions.parameters")
    pending_account_id: Mapped[UUID | None] = mapped_column(ForeignKey("accounts.id"))
    pending_version: Mapped[int | None]
    pending_methods: Mapped[list[str] | None] = mapped_column(JSONB(none_as_null=True))
    login_session_id: Mapped[UUID | None] = mapped_column(ForeignKey("login_sessions.id"))
    consented_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    expires_at: Mapped[datetime] = mapped_column(index=True)


class Scan(Base):
    """A browser that waits for somebody to let it in from elsewhere. ``user_code`` and ``address`` are sealed.

    With the approval comes whose account it is, and how and when that person had logged in there.
    """

    __tablename__ = "scans"

    interaction_id: Mapped[UUID] = mapped_column(
        ForeignKey("interactions.id", ondelete="CASCADE"), primary_key=True
    )
    user_code: Mapped[bytes] = sealed("scans.user_code")
    user_code_hash: Mapped[bytes] = mapped_column(unique=True)
    address: Mapped[bytes] = sealed("scans.address")
    device: Mapped[str] = mapped_column(String(80))
    status: Mapped[ScanStatus]
    account_id: Mapped[UUID | None] = mapped_column(ForeignKey("accounts.id"))
    methods: Mapped[list[str]]
    authenticated_at: Mapped[datetime | None]
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
