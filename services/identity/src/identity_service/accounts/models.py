"""Rows of log-in: what an account knows, where attempts are counted, which browsers it has used."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey, String, false, func
from sqlalchemy.orm import Mapped, mapped_column

from identity_service.accounts.domain import SubjectKind
from identity_service.db import Base
from service_common.db import sealed


class Account(Base):
    """How a person or a staff member logs in. Its id is the subject's."""

    __tablename__ = "accounts"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    kind: Mapped[SubjectKind]
    username: Mapped[str] = mapped_column(String(40), unique=True)
    password_hash: Mapped[str] = mapped_column(String(200))
    password_changed_at: Mapped[datetime]
    credentials_version: Mapped[int] = mapped_column(default=0, server_default="0")
    """Counts new passwords and second factors: a log-in that began with the ones before does not go on."""
    must_change_password: Mapped[bool] = mapped_column(default=False, server_default=false())
    """Somebody else knows the password, who handed it over: nobody gets any further with it than to a new one."""
    totp_secret: Mapped[bytes | None] = sealed("accounts.totp_secret")
    totp_last_step: Mapped[int | None]
    is_active: Mapped[bool] = mapped_column(default=True)
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())


class KnownBrowser(Base):
    """A browser from which the account was once entered."""

    __tablename__ = "known_browsers"

    account_id: Mapped[UUID] = mapped_column(ForeignKey("accounts.id"), primary_key=True)
    browser_hash: Mapped[bytes] = mapped_column(primary_key=True, index=True)
    last_used_at: Mapped[datetime]


class Attempts(Base):
    """How often something was tried lately. The key is a keyed hash: no address or name is stored."""

    __tablename__ = "attempts"

    key: Mapped[bytes] = mapped_column(primary_key=True)
    count: Mapped[int]
    drained_at: Mapped[datetime] = mapped_column(server_default=func.now())
    last_at: Mapped[datetime] = mapped_column(index=True)
    waits_until: Mapped[datetime]
