"""Rows of the OpenID provider. Codes, tokens and addresses of requests are stored as keyed hashes."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey, Index, String, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from identity_service.db import Base
from identity_service.oidc.domain import DeviceStatus, NoticeStatus
from service_common.db import new_id, sealed


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
    dpop_jkt: Mapped[str | None] = mapped_column(String(43))


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


class PushedRequest(Base):
    """An authorization request that was handed in beforehand; gone with its use. ``parameters`` are sealed: a hint may be a phone."""

    __tablename__ = "pushed_requests"

    request_hash: Mapped[bytes] = mapped_column(primary_key=True)
    client_id: Mapped[str] = mapped_column(String(100))
    parameters: Mapped[bytes] = sealed("pushed_requests.parameters")
    expires_at: Mapped[datetime] = mapped_column(index=True)


class DeviceAuthorization(Base):
    """A device that waits for somebody to let it in. ``address``, sealed, is where it asked from; the grant comes with the approval."""

    __tablename__ = "device_authorizations"

    device_hash: Mapped[bytes] = mapped_column(primary_key=True)
    user_code_hash: Mapped[bytes] = mapped_column(unique=True)
    client_id: Mapped[str] = mapped_column(String(100))
    scope: Mapped[str] = mapped_column(String(4000))
    resource: Mapped[str | None] = mapped_column(String(100))
    address: Mapped[bytes] = sealed("device_authorizations.address")
    status: Mapped[DeviceStatus] = mapped_column(default=DeviceStatus.PENDING)
    grant_id: Mapped[UUID | None] = mapped_column(ForeignKey("grants.id"))
    interval_seconds: Mapped[int]
    polled_at: Mapped[datetime | None]
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime] = mapped_column(index=True)


class LogoutNotice(Base):
    """That a client is to be told of an ended session, and what came of telling it. One for each grant."""

    __tablename__ = "logout_notices"
    __table_args__ = (
        Index("ix_logout_notices_due", "next_try_at", postgresql_where=text("status = 'PENDING'")),
        Index("ix_logout_notices_client_id_id", "client_id", "id"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    grant_id: Mapped[UUID] = mapped_column(ForeignKey("grants.id"), unique=True)
    client_id: Mapped[str] = mapped_column(String(100))
    status: Mapped[NoticeStatus] = mapped_column(default=NoticeStatus.PENDING)
    tries: Mapped[int] = mapped_column(default=0)
    next_try_at: Mapped[datetime | None]
    response_code: Mapped[int | None]
    error: Mapped[str | None] = mapped_column(String(200))
    created_at: Mapped[datetime] = mapped_column(index=True)
    delivered_at: Mapped[datetime | None]
