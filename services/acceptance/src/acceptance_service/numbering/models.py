"""Rows from which numbers are drawn."""

from sqlalchemy import String
from sqlalchemy.orm import Mapped, mapped_column

from acceptance_service.db import Base


class Counter(Base):
    """The last serial of a series, e.g. one item's cases of one day."""

    __tablename__ = "counters"

    series: Mapped[str] = mapped_column(String(200), primary_key=True)
    last: Mapped[int]


class QueryNumber(Base):
    """A query number that is taken: the primary key makes two equal draws impossible."""

    __tablename__ = "query_numbers"

    number: Mapped[str] = mapped_column(String(13), primary_key=True)
