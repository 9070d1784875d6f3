"""Rows of the inbox."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from identity_service.db import Base
from identity_service.inbox.domain import Template
from service_common.db import new_id


class InboxMessage(Base):
    """A message to one person about one event. The words are in the template, here are numbers and names of things.

    ``text_due_at`` is set until an urgent one has been handed to the text messages.
    """

    __tablename__ = "inbox_messages"
    __table_args__ = (
        UniqueConstraint("event_id", "person_id"),
        Index("ix_inbox_messages_person_id_id", "person_id", "id"),
        Index("ix_inbox_messages_text_due", "text_due_at", postgresql_where=text("text_due_at IS NOT NULL")),
        Index("ix_inbox_messages_unread", "person_id", "id", postgresql_where=text("read_at IS NULL")),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    person_id: Mapped[UUID]
    event_id: Mapped[UUID]
    template: Mapped[Template]
    facts: Mapped[dict[str, Any]]
    about_kind: Mapped[str]
    about_id: Mapped[UUID]
    created_at: Mapped[datetime]
    read_at: Mapped[datetime | None]
    text_due_at: Mapped[datetime | None]
