"""Rows of signing keys."""

from datetime import datetime
from typing import Any

from sqlalchemy import String, func
from sqlalchemy.orm import Mapped, mapped_column

from identity_service.db import Base
from service_common.db import sealed


class SigningKey(Base):
    """A key pair. The private part is sealed; the public part is in the JWKS until ``published_until``."""

    __tablename__ = "signing_keys"

    kid: Mapped[str] = mapped_column(String(64), primary_key=True)
    private_jwk: Mapped[bytes] = sealed("signing_keys.private_jwk")
    public_jwk: Mapped[dict[str, Any]]
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    signs_from: Mapped[datetime]
    published_until: Mapped[datetime | None]
