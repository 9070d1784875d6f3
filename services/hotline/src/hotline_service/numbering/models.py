"""Rows from which ticket numbers are drawn."""

from sqlalchemy import String
from sqlalchemy.orm import Mapped, mapped_column

from hotline_service.db import Base


class TicketSerial(Base):
    """The last serial of one division on one local day."""

    __tablename__ = "ticket_serials"

    series: Mapped[str] = mapped_column(String(20), primary_key=True)
    last: Mapped[int]
