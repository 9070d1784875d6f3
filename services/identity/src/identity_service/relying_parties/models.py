"""Rows of clients."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ForeignKey, String, Text, false, func
from sqlalchemy.orm import Mapped, mapped_column

from identity_service.db import Base
from identity_service.relying_parties.domain import Authentication, Environment, SecurityProfile
from identity_service.signing.domain import ALGORITHM
from service_common.db import Aggregate, new_id


class Client(Aggregate, Base):
    """A client of the OpenID provider that a person registered. Our own services are not here: see the clients file."""

    __tablename__ = "clients"

    client_id: Mapped[str] = mapped_column(String(100), unique=True)
    name: Mapped[str] = mapped_column(String(100))
    authentication: Mapped[Authentication]
    jwks: Mapped[dict[str, Any] | None]
    redirect_uris: Mapped[list[str]]
    post_logout_redirect_uris: Mapped[list[str]]
    grant_types: Mapped[list[str]]
    scopes: Mapped[list[str]]
    department_id: Mapped[UUID | None] = mapped_column(ForeignKey("departments.id"), index=True)
    is_first_party: Mapped[bool] = mapped_column(default=False)
    is_active: Mapped[bool] = mapped_column(default=True)
    registered_by: Mapped[UUID]
    environment: Mapped[Environment] = mapped_column(
        default=Environment.PRODUCTION, server_default=Environment.PRODUCTION
    )
    asked_scopes: Mapped[list[str]] = mapped_column(default=list, server_default="[]")
    require_pushed_authorization_requests: Mapped[bool] = mapped_column(default=False, server_default=false())
    backchannel_logout_uri: Mapped[str | None] = mapped_column(Text)
    backchannel_logout_session_required: Mapped[bool] = mapped_column(default=False, server_default=false())
    frontchannel_logout_uri: Mapped[str | None] = mapped_column(Text)
    frontchannel_logout_session_required: Mapped[bool] = mapped_column(default=False, server_default=false())
    dpop_bound_access_tokens: Mapped[bool] = mapped_column(default=False, server_default=false())
    security_profile: Mapped[SecurityProfile] = mapped_column(
        default=SecurityProfile.DEFAULT, server_default=SecurityProfile.DEFAULT
    )
    id_token_signed_response_alg: Mapped[str] = mapped_column(
        String(10), default=ALGORITHM, server_default=ALGORITHM
    )


class ClientSecret(Base):
    """A secret of a client: 256 random bits, so a fast keyed hash is enough. Several at once, to replace one in peace."""

    __tablename__ = "client_secrets"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    client_id: Mapped[UUID] = mapped_column(ForeignKey("clients.id"), index=True)
    secret_hash: Mapped[bytes]
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    expires_at: Mapped[datetime | None]
