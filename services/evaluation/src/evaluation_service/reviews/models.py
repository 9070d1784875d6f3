"""Rows of reviews."""

from uuid import UUID

from sqlalchemy import ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from evaluation_service.db import Base
from service_common.contracts.evaluation import ContactKind, Grade
from service_common.db import Aggregate, sealed


class Review(Aggregate, Base):
    """One review of one contact by one person, whom this row knows as a keyed hash and sealed only."""

    __tablename__ = "reviews"

    invitation_id: Mapped[UUID] = mapped_column(ForeignKey("invitations.id"), unique=True)
    contact_kind: Mapped[ContactKind]
    contact_id: Mapped[UUID]
    contact_no: Mapped[int]
    department_id: Mapped[UUID]
    division: Mapped[str] = mapped_column(String(12))
    item_code: Mapped[str | None] = mapped_column(String(60))
    item_name: Mapped[str | None] = mapped_column(String(300))
    period: Mapped[str] = mapped_column(String(7))
    grade: Mapped[Grade]
    reasons: Mapped[list[str]]
    text: Mapped[bytes | None] = sealed("reviews.text")
    reviewer_index: Mapped[bytes]
    reviewer_sealed: Mapped[bytes] = sealed("reviews.reviewer_sealed")

    __table_args__ = (
        # Nobody stacks reviews, whatever becomes of invitations.
        UniqueConstraint("contact_kind", "contact_id", "contact_no", "reviewer_index"),
        Index("ix_reviews_reviewer_index_id", "reviewer_index", "id"),
        Index("ix_reviews_department_id_id", "department_id", "id"),
    )
