"""Receivers, messages, and every message on its way to every receiver."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey, Index, String, Text, UniqueConstraint, func, text
from sqlalchemy.orm import Mapped, mapped_column

from gateway_service.db import Base
from gateway_service.webhooks.domain import DeliveryStatus, DisabledReason, EndpointStatus
from service_common.db import new_id, sealed


class WebhookEndpoint(Base):
    """A receiver of one department. Its secrets are sealed; the public key is for anybody."""

    __tablename__ = "webhook_endpoints"
    __table_args__ = (Index("ix_webhook_endpoints_department_id", "department_id", "id"),)

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    department_id: Mapped[UUID]
    created_by: Mapped[str] = mapped_column(String(100))
    url: Mapped[str] = mapped_column(Text)
    description: Mapped[str] = mapped_column(String(200))
    event_types: Mapped[list[str]]
    status: Mapped[EndpointStatus]
    disabled_reason: Mapped[DisabledReason | None]
    secret: Mapped[bytes] = sealed("webhook_endpoints.secret")
    previous_secret: Mapped[bytes | None] = sealed("webhook_endpoints.secret")
    previous_secret_until: Mapped[datetime | None]
    signing_key: Mapped[bytes] = sealed("webhook_endpoints.signing_key")
    public_key: Mapped[str] = mapped_column(String(80))
    challenge: Mapped[str] = mapped_column(String(80))
    verified_at: Mapped[datetime | None]
    last_success_at: Mapped[datetime | None]
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())


class WebhookMessage(Base):
    """What one department is told, byte for byte as it is signed. ``event_id`` is missing for a verification."""

    __tablename__ = "webhook_messages"
    __table_args__ = (
        UniqueConstraint("event_id"),
        Index("ix_webhook_messages_department_id_created_at", "department_id", "created_at"),
        Index("ix_webhook_messages_created_at", "created_at"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    event_id: Mapped[UUID | None]
    department_id: Mapped[UUID]
    event_type: Mapped[str] = mapped_column(String(60))
    body: Mapped[str] = mapped_column(Text)
    created_at: Mapped[datetime]


class WebhookDelivery(Base):
    """One message for one receiver, with the state of its tries."""

    __tablename__ = "webhook_deliveries"
    __table_args__ = (
        UniqueConstraint("endpoint_id", "message_id"),
        Index(
            "ix_webhook_deliveries_due",
            "endpoint_id",
            "next_try_at",
            postgresql_where=text("status = 'PENDING'"),
        ),
        Index("ix_webhook_deliveries_message_id", "message_id"),
        Index("ix_webhook_deliveries_endpoint_id_id", "endpoint_id", "id"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    endpoint_id: Mapped[UUID] = mapped_column(ForeignKey("webhook_endpoints.id", ondelete="CASCADE"))
    message_id: Mapped[UUID] = mapped_column(ForeignKey("webhook_messages.id", ondelete="CASCADE"))
    status: Mapped[DeliveryStatus]
    tries: Mapped[int] = mapped_column(default=0)
    next_try_at: Mapped[datetime | None]
    response_code: Mapped[int | None]
    error: Mapped[str | None] = mapped_column(String(200))
    delivered_at: Mapped[datetime | None]
    created_at: Mapped[datetime]
