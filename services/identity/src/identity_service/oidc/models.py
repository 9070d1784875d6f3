"""Rows of the OpenID provider: codes, refresh tokens, consents, assertions that were seen. Tokens are stored as keyed hashes."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from identity_service.db import Base


class AuthorizationCode(Base):
    """A code on its way through the browser. Kept after its use, so that a second use is recognised."""

    __tablename__ = "authorization_codes"

    code_hash: Mapped[bytes] = mapped_column(primary_key=True)
    grant_id: Mapped[UUID] = mapped_column(ForeignKey("grants.id"), index=True)
    redirect_uri: Mapped[str] = mapped_column(Text)
    code_challenge: Mapped[str] = mapped_column(String(128))
    nonce: Mapped[str | None] = mapped_column(Text)
    expires_at: Mapped[datetime] = mapped_column(index=True)
    used_at: Mapped[datetime | None]


class RefreshToken(Base):
    """One token of a family; the grant is the family. ``salt`` makes the successor computable from the token alone."""

    __tablename__ = "refresh_tokens"

    token_hash: Mapped[bytes] = mapped_column(primary_key=True)
    grant_id: Mapped[UUID] = mapped_column(ForeignKey("grants.id"), index=True)
    salt: Mapped[bytes]
    issued_at: Mapped[datetime]
    expires_at: Mapped[datetime] = mapped_column(index=True)
    used_at: Mapped[datetime | None]


class Consent(Base):
    """What a subject has allowed a third-party client."""

    __tablename__ = "consents"

    subject_id: Mapped[UUID] = mapped_column(primary_key=True)
    client_id: Mapped[str] = mapped_column(String(100), primary_key=True)
    scopes: Mapped[list[str]]
    given_at: Mapped[datetime]


class UsedAssertion(Base):
    """A client assertion that was accepted once and is refused from then on (RFC 7523 §3)."""

    __tablename__ = "used_assertions"

    client_id: Mapped[str] = mapped_column(String(100), primary_key=True)
    jti_hash: Mapped[bytes] = mapped_column(primary_key=True)
    expires_at: Mapped[datetime] = mapped_column(index=True)
