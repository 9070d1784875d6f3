"""Rows of the search index: derived from what is published, written in the same transaction.

An entry is a title that can be found, once, however many divisions implement it; an offer is one implementation. So a search
grows with the number of different titles, not with the number of items.
"""

from uuid import UUID

from sqlalchemy import REAL, BigInteger, ForeignKey, Identity, Index, String, Text, UniqueConstraint
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from acceptance_service.db import Base
from acceptance_service.search.domain import EntryKind


class SearchEntry(Base):
    """A title that can be found; ``key`` is the code of a bundle or theme, the normalised title of items."""

    __tablename__ = "search_entries"

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    kind: Mapped[EntryKind]
    key: Mapped[str] = mapped_column(Text)
    title: Mapped[str] = mapped_column(Text)

    __table_args__ = (UniqueConstraint("kind", "key"),)


class SearchPosting(Base):
    """What a token is worth for an entry."""

    __tablename__ = "search_postings"

    token: Mapped[str] = mapped_column(String(130), primary_key=True)
    entry_id: Mapped[int] = mapped_column(
        BigInteger, ForeignKey("search_entries.id", ondelete="CASCADE"), primary_key=True
    )
    weight: Mapped[float] = mapped_column(REAL)

    __table_args__ = (Index("ix_search_postings_entry_id", "entry_id"),)


class SearchOffer(Base):
    """An entry as one division implements it. Empty ``applicant_kinds``: the catalogue does not say, so everybody."""

    __tablename__ = "search_offers"

    entry_id: Mapped[int] = mapped_column(
        BigInteger, ForeignKey("search_entries.id", ondelete="CASCADE"), primary_key=True
    )
    division: Mapped[str] = mapped_column(String(12), primary_key=True)
    code: Mapped[str] = mapped_column(String(64), primary_key=True)
    entry_version: Mapped[int | None]
    department_id: Mapped[UUID | None]
    applicant_kinds: Mapped[list[str]] = mapped_column(ARRAY(String(20)))
    has_guide: Mapped[bool]

    __table_args__ = (Index("ix_search_offers_code", "code"),)


class SearchSynonym(Base):
    """A word of the citizens, and what the catalogue calls it; the closest first."""

    __tablename__ = "search_synonyms"

    word: Mapped[str] = mapped_column(String(40), primary_key=True)
    means: Mapped[list[str]] = mapped_column(ARRAY(Text))
