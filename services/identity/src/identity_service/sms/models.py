"""Text messages on their way out."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import Integer, func
from sqlalchemy.orm import Mapped, mapped_column

from identity_service.db import Base
from service_common.db import new_id, sealed


class SmsMessage(Base):
    """One message. It is deleted when it has been sent: it may hold a code."""

    __tablename__ = "sms_messages"
    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    phone: Mapped[bytes] = sealed("sms_messages.phone")
    text: Mapped[bytes] = sealed("sms_messages.text")
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    due_at: Mapped[datetime] = mapped_column(index=True)
    expires_at: Mapped[datetime]
    tries: Mapped[int] = mapped_column(Integer, default=0)
