"""Rows of tickets."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ForeignKey, Index, String, text
from sqlalchemy.orm import Mapped, mapped_column

from hotline_service.db import Base
from hotline_service.tickets.domain import Channel, Standing, Status, Urgency
from service_common.contracts.hotline import TicketKind
from service_common.db import Aggregate, new_id, sealed


class Ticket(Aggregate, Base):
    """An appeal of a citizen 工单. What is personal or free text is sealed with the column's key."""

    __tablename__ = "tickets"

    number: Mapped[str] = mapped_column(String(22), unique=True)
    kind: Mapped[TicketKind]
    urgency: Mapped[Urgency]
    status: Mapped[Status]
    channel: Mapped[Channel]
    division: Mapped[str] = mapped_column(String(12))
    person_id: Mapped[UUID | None]
    recorded_by: Mapped[str] = mapped_column(String(100))
    caller_name: Mapped[bytes | None] = sealed("tickets.caller_name")
    caller_phone: Mapped[bytes | None] = sealed("tickets.caller_phone")
    caller_phone_index: Mapped[bytes | None]
    caller_protected: Mapped[bool]
    content: Mapped[bytes] = sealed("tickets.content")
    case_id: Mapped[UUID | None]
    project_no: Mapped[str | None] = mapped_column(String(60))
    department_id: Mapped[UUID | None]
    contact_no: Mapped[int] = mapped_column(default=1)

    dispatched_at: Mapped[datetime | None]
    sign_due_at: Mapped[datetime | None]
    sign_due_date: Mapped[date | None]
    return_due_at: Mapped[datetime | None]
    handle_due_at: Mapped[datetime | None]
    handle_due_date: Mapped[date | None]
    clocks: Mapped[dict[str, Any] | None]
    calendar_version: Mapped[str | None] = mapped_column(String(20))
    provisional: Mapped[bool] = mapped_column(default=False)
    clock_resets: Mapped[int] = mapped_column(default=0)
    signed_at: Mapped[datetime | None]

    returns: Mapped[int] = mapped_column(default=0)
    return_basis: Mapped[bytes | None] = sealed("tickets.return_basis")
    binding: Mapped[bool] = mapped_column(default=False)
    answer: Mapped[bytes | None] = sealed("tickets.answer")
    answered_at: Mapped[datetime | None]
    answered_by: Mapped[str | None] = mapped_column(String(100))
    answered_directly: Mapped[bool] = mapped_column(default=False)
    closed_at: Mapped[datetime | None]

    call_attempts: Mapped[int] = mapped_column(default=0)
    called_back_at: Mapped[datetime | None]
    reached: Mapped[bool | None]
    solved: Mapped[bool | None]
    satisfied: Mapped[bool | None]
    redos: Mapped[int] = mapped_column(default=0)

    __table_args__ = (
        Index("ix_tickets_person_id_id", "person_id", "id", postgresql_where=text("person_id IS NOT NULL")),
        Index("ix_tickets_department_id_id", "department_id", "id"),
        Index("ix_tickets_division_id", "division", "id", postgresql_ops={"division": "text_pattern_ops"}),
        Index("ix_tickets_caller_phone_index", "caller_phone_index"),
        Index(
            "ix_tickets_under_clock",
            "calendar_version",
            "id",
            postgresql_where=text("status IN ('DISPATCHED', 'SIGNED', 'RETURNED', 'DISPUTED')"),
        ),
    )

    @property
    def standing(self) -> Standing:
        """What decides about the next step."""
        unsatisfied = self.solved is False or self.satisfied is False
        return Standing(self.status, self.returns, self.binding, self.redos, unsatisfied)


class Urge(Base):
    """A repeat call 催办: it hangs on the original and is no ticket of its own."""

    __tablename__ = "urges"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    ticket_id: Mapped[UUID] = mapped_column(ForeignKey("tickets.id"), index=True)
    at: Mapped[datetime]
    channel: Mapped[Channel]
    note: Mapped[bytes | None] = sealed("urges.note")
