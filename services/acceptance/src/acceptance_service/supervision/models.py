"""Rows of electronic supervision."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from acceptance_service.db import Base
from acceptance_service.supervision.domain import CardStatus
from service_common.contracts.acceptance import CardLevel
from service_common.db import Aggregate, sealed


class Card(Aggregate, Base):
    """A warning, yellow or red card 监察牌: once per case, rule and level, never deleted."""

    __tablename__ = "cards"

    case_id: Mapped[UUID] = mapped_column(ForeignKey("service_cases.id"))
    project_no: Mapped[str] = mapped_column(String(50))
    item_name: Mapped[str] = mapped_column(String(300))
    department_id: Mapped[UUID]
    division: Mapped[str] = mapped_column(String(12))
    rule: Mapped[str] = mapped_column(String(40))
    level: Mapped[CardLevel]
    status: Mapped[CardStatus]
    reached_at: Mapped[datetime]
    issued_at: Mapped[datetime]
    evidence: Mapped[dict[str, Any]]
    explanation: Mapped[bytes | None] = sealed("cards.explanation")
    verdict: Mapped[bytes | None] = sealed("cards.verdict")
    verified_by: Mapped[str | None] = mapped_column(String(100))

    __table_args__ = (
        UniqueConstraint("case_id", "rule", "level"),
        Index("ix_cards_department", "department_id", "id"),
        Index("ix_cards_division", "division", "id"),
    )
