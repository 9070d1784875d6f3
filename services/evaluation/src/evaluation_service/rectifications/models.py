"""Rows of rectifications."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ForeignKey, Index, String
from sqlalchemy import text as sql
from sqlalchemy.orm import Mapped, mapped_column

from evaluation_service.db import Base
from evaluation_service.rectifications.domain import Outcome, Stage
from service_common.contracts.evaluation import Grade
from service_common.db import Aggregate, sealed


class Rectification(Aggregate, Base):
    """What a department does about one bad review. Nothing here says whose review it was,
    and its text was screened before it came here."""

    __tablename__ = "rectifications"

    review_id: Mapped[UUID] = mapped_column(ForeignKey("reviews.id"), unique=True)
    invitation_id: Mapped[UUID]
    department_id: Mapped[UUID]
    division: Mapped[str] = mapped_column(String(12))
    item_code: Mapped[str | None] = mapped_column(String(60))
    grade: Mapped[Grade]
    reasons: Mapped[list[str]]
    text: Mapped[bytes | None] = sealed("rectifications.text")
    stage: Mapped[Stage]
    opened_at: Mapped[datetime]
    limit_workdays: Mapped[list[Any]]
    assign_due_at: Mapped[datetime]
    assign_due_date: Mapped[date]
    contact_due_at: Mapped[datetime]
    contact_due_date: Mapped[date]
    rectify_due_at: Mapped[datetime]
    rectify_due_date: Mapped[date]
    calendar_version: Mapped[str] = mapped_column(String(20))
    provisional: Mapped[bool]
    overdue: Mapped[bool] = mapped_column(default=False)
    overdue_stage: Mapped[Stage | None]

    assignee: Mapped[str | None] = mapped_column(String(100))
    assigned_at: Mapped[datetime | None]
    message: Mapped[bytes | None] = sealed("rectifications.message")
    contacted_at: Mapped[datetime | None]
    answer: Mapped[bytes | None] = sealed("rectifications.answer")
    answered_at: Mapped[datetime | None]
    re_review_satisfied: Mapped[bool | None]
    outcome: Mapped[Outcome | None]
    closed_at: Mapped[datetime | None]

    __table_args__ = (
        Index("ix_rectifications_department_id_id", "department_id", "id"),
        Index(
            "ix_rectifications_division_id", "division", "id", postgresql_ops={"division": "text_pattern_ops"}
        ),
        Index(
            "ix_rectifications_running",
            "stage",
            "rectify_due_at",
            postgresql_where=sql("stage IN ('OPENED', 'ASSIGNED', 'CONTACTED')"),
        ),
    )

    @property
    def is_on_time(self) -> bool:
        """Whether the answer that counts came within the limit."""
        return self.answered_at is not None and self.answered_at < self.rectify_due_at
