"""Rows that bound guessing."""

from datetime import datetime

from sqlalchemy import Index, LargeBinary
from sqlalchemy.orm import Mapped, mapped_column

from acceptance_service.db import Base


class LookupFailures(Base):
    """Failed look-ups with one query number, by a keyed hash of it, within a window."""

    __tablename__ = "lookup_failures"

    number_hash: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    failures: Mapped[int]
    window_started_at: Mapped[datetime]

    __table_args__ = (Index("ix_lookup_failures_window_started_at", "window_started_at"),)
