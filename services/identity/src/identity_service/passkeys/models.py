"""Rows of passkeys."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from identity_service.db import Base
from identity_service.passkeys.domain import Ceremony
from service_common.db import new_id


class Passkey(Base):
    """A public key whose private half an authenticator keeps. ``is_backed_up`` tells one that several devices share."""

    __tablename__ = "passkeys"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    account_id: Mapped[UUID] = mapped_column(ForeignKey("accounts.id"), index=True)
    credential_id: Mapped[bytes] = mapped_column(unique=True)
    public_key: Mapped[bytes]
    sign_count: Mapped[int]
    name: Mapped[str] = mapped_column(String(60))
    is_backed_up: Mapped[bool]
    created_at: Mapped[datetime]
    last_used_at: Mapped[datetime | None]


class PasskeyChallenge(Base):
    """A random value that an authenticator is to sign, once. ``account_id`` is whose key it has to be, if that is known."""

    __tablename__ = "passkey_challenges"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    ceremony: Mapped[Ceremony]
    challenge: Mapped[bytes]
    account_id: Mapped[UUID | None]
    expires_at: Mapped[datetime] = mapped_column(index=True)
