"""Rows of sessions and grants."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ForeignKey, Index, String, false, func, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from identity_service.accounts.domain import SubjectKind
from identity_service.db import Base
from service_common.contracts.identity import SessionEndReason
from service_common.db import new_id


class LoginSession(Base):
    """A browser in which somebody is logged in. The cookie's secret is stored as a keyed hash."""

    __tablename__ = "login_sessions"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    account_id: Mapped[UUID] = mapped_column(ForeignKey("accounts.id"), index=True)
    kind: Mapped[SubjectKind]
    secret_hash: Mapped[bytes] = mapped_column(unique=True)
    methods: Mapped[list[str]]
    authenticated_at: Mapped[datetime]
    last_seen_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    device: Mapped[str | None] = mapped_column(String(80))
    place: Mapped[str | None] = mapped_column(String(60))
    is_let_in: Mapped[bool] = mapped_column(default=False, server_default=false())
    """Nobody has authenticated here: somebody who had elsewhere has let this browser or device in."""
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())

    @property
    def began_at(self) -> datetime:
        """From when its life counts. Somebody who was let in by scanning had authenticated before, elsewhere."""
        return max(self.authenticated_at, self.created_at)


class Grant(Base):
    """What a subject lets one client do. Its id is the ``sid`` of tokens, and the family of its refresh tokens.

    It ends with the log-in session it began in, unless it was given for offline access. ``claims`` are the single
    claims that were asked for and allowed, by where they are told: ``id_token``, ``userinfo``.
    With ``delegation_id`` the subject acts for somebody else, within the own grant ``sits_in_id``.
    """

    __tablename__ = "grants"
    __table_args__ = (
        Index("ix_grants_living_of_subject", "subject_id", postgresql_where=text("ended_at IS NULL")),
        Index("ix_grants_login_session_id", "login_session_id"),
        Index("ix_grants_sits_in_id", "sits_in_id", postgresql_where=text("sits_in_id IS NOT NULL")),
        Index("ix_grants_delegation_id", "delegation_id", postgresql_where=text("delegation_id IS NOT NULL")),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    revision: Mapped[int] = mapped_column(default=0)
    login_session_id: Mapped[UUID] = mapped_column(ForeignKey("login_sessions.id"))
    subject_id: Mapped[UUID]
    kind: Mapped[SubjectKind]
    client_id: Mapped[str] = mapped_column(String(100))
    scope: Mapped[str] = mapped_column(String(4000))
    resource: Mapped[str | None] = mapped_column(String(100))
    is_offline: Mapped[bool]
    claims: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
    methods: Mapped[list[str]]
    authenticated_at: Mapped[datetime]
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    ended_at: Mapped[datetime | None]
    end_reason: Mapped[SessionEndReason | None]
    dpop_jkt: Mapped[str | None] = mapped_column(String(43))
    delegation_id: Mapped[UUID | None]
    sits_in_id: Mapped[UUID | None] = mapped_column(ForeignKey("grants.id"))
