"""Rows of indicators."""

from sqlalchemy import Index, String
from sqlalchemy.orm import Mapped, mapped_column

from evaluation_service.db import Base
from evaluation_service.indicators.domain import Dimension


class IndicatorCount(Base):
    """Counts of one division, department or item in one month, moved in the transaction of what they count."""

    __tablename__ = "indicator_counts"

    dimension: Mapped[Dimension] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(String(60), primary_key=True)
    period: Mapped[str] = mapped_column(String(7), primary_key=True)
    contacts: Mapped[int] = mapped_column(default=0)
    uninvited: Mapped[int] = mapped_column(default=0, server_default="0")
    defaults: Mapped[int] = mapped_column(default=0)
    very_satisfied: Mapped[int] = mapped_column(default=0)
    satisfied: Mapped[int] = mapped_column(default=0)
    basically_satisfied: Mapped[int] = mapped_column(default=0)
    dissatisfied: Mapped[int] = mapped_column(default=0)
    very_dissatisfied: Mapped[int] = mapped_column(default=0)
    rectifications: Mapped[int] = mapped_column(default=0)
    rectified: Mapped[int] = mapped_column(default=0)
    rectified_on_time: Mapped[int] = mapped_column(default=0)

    __table_args__ = (Index("ix_indicator_counts_dimension_period", "dimension", "period"),)
