"""The keys that licences are signed with."""

from datetime import datetime
from typing import Any

from sqlalchemy import String
from sqlalchemy.orm import Mapped, mapped_column

from certificates_service.db import Base
from service_common.db import sealed


class SigningKey(Base):
    """An ES256 key. The private part is sealed; the public part stays published for as long as licences live."""

    __tablename__ = "signing_keys"

    kid: Mapped[str] = mapped_column(String(64), primary_key=True)
    public_jwk: Mapped[dict[str, Any]]
    private_jwk: Mapped[bytes] = sealed("signing_keys.private_jwk")
    created_at: Mapped[datetime]
    signs_from: Mapped[datetime] = mapped_column(index=True)
