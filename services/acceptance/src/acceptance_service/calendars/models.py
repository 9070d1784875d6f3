"""Rows of the work calendar."""

from datetime import datetime
from typing import Any

from sqlalchemy import String, func
from sqlalchemy.orm import Mapped, mapped_column

from acceptance_service.db import Base


class CalendarNotice(Base):
    """A holiday notice that an operator loaded. Never changed: an amendment is a row of its own."""

    __tablename__ = "calendar_notices"

    version: Mapped[str] = mapped_column(String(20), primary_key=True)
    year: Mapped[int]
    source: Mapped[str] = mapped_column(String(200))
    amends: Mapped[bool]
    days: Mapped[list[Any]]
    loaded_by: Mapped[str] = mapped_column(String(100))
    loaded_at: Mapped[datetime] = mapped_column(server_default=func.now())
