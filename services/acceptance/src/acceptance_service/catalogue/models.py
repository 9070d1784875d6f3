"""Rows of the catalogue. A version never changes once published: a changed definition is a new row."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, Text, UniqueConstraint, func, text, true
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, declared_attr, mapped_column

from acceptance_service.catalogue.domain import Action, EntryKind, EntryState, ImportKind
from acceptance_service.db import Base
from service_common.db import Aggregate, new_id


class CatalogueImport(Base):
    """One file brought in, whole or not at all."""

    __tablename__ = "catalogue_imports"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    kind: Mapped[ImportKind]
    content_hash: Mapped[bytes]
    imported_by: Mapped[str] = mapped_column(String(120))
    imported_at: Mapped[datetime]
    rows_total: Mapped[int]
    rows_new: Mapped[int]

    __table_args__ = (Index("ix_catalogue_imports_kind_content_hash", "kind", "content_hash"),)


class CatalogueEntry(Aggregate, Base):
    """What items, bundles and lists have in common as versions of documents."""

    __abstract__ = True

    code: Mapped[str] = mapped_column(String(64))
    entry_version: Mapped[int]
    state: Mapped[EntryState]
    definition: Mapped[dict[str, Any]]
    content_hash: Mapped[bytes]
    compiled_elements: Mapped[list[str]]
    line: Mapped[int]
    brought_in_by: Mapped[str] = mapped_column(String(120))
    submitted_by: Mapped[str | None] = mapped_column(String(120))
    published_at: Mapped[datetime | None]
    retired_at: Mapped[datetime | None]

    @declared_attr
    def import_id(cls) -> Mapped[UUID]:  # noqa: N805
        return mapped_column(ForeignKey("catalogue_imports.id"), index=True)


def _versions(table: str) -> tuple[Any, ...]:
    """One row per version, and at most one published version of a code."""
    return (
        UniqueConstraint("code", "entry_version"),
        Index(
            f"ix_{table}_published_code", "code", unique=True, postgresql_where=text("state = 'PUBLISHED'")
        ),
    )


class ServiceItem(CatalogueEntry):
    """A version of a service item 事项."""

    __tablename__ = "service_items"

    name: Mapped[str] = mapped_column(Text)
    item_type: Mapped[str | None] = mapped_column(String(2))
    department: Mapped[str] = mapped_column(String(40))
    department_id: Mapped[UUID | None]
    division: Mapped[str] = mapped_column(String(12))
    applicant_kinds: Mapped[list[str]] = mapped_column(ARRAY(String(20)))
    completeness: Mapped[str] = mapped_column(String(20))

    __table_args__ = (
        *_versions("service_items"),
        # What the public lists: by division, or by department, in the order of codes.
        Index(
            "ix_service_items_published_division",
            "division",
            "code",
            postgresql_where=text("state = 'PUBLISHED'"),
        ),
        Index(
            "ix_service_items_published_department_id",
            "department_id",
            "code",
            postgresql_where=text("state = 'PUBLISHED'"),
        ),
    )


class Bundle(CatalogueEntry):
    """A version of a bundle 一件事."""

    __tablename__ = "bundles"

    title: Mapped[str] = mapped_column(Text)
    division: Mapped[str] = mapped_column(String(12))
    lead_department: Mapped[str] = mapped_column(String(40))
    lead_department_id: Mapped[UUID | None]
    item_codes: Mapped[list[str]] = mapped_column(ARRAY(String(64)))
    offered_in: Mapped[list[str]] = mapped_column(ARRAY(String(12)))

    __table_args__ = (
        *_versions("bundles"),
        Index("ix_bundles_item_codes", "item_codes", postgresql_using="gin"),
    )


class ReferenceList(CatalogueEntry):
    """A version of a list that items, bundles and search rest on; ``code`` is its name."""

    __tablename__ = "reference_lists"

    __table_args__ = _versions("reference_lists")


class CatalogueEdition(Base):
    """One row at most: which edition of the catalogue is in force. The database draws another with every change of what plans rest on.

    Random, not counted: no two databases, and no rolled-back change, ever share one.
    """

    __tablename__ = "catalogue_edition"

    singleton: Mapped[bool] = mapped_column(primary_key=True, server_default=true())
    edition: Mapped[UUID] = mapped_column(server_default=func.gen_random_uuid())

    __table_args__ = (CheckConstraint("singleton", name="one_row"),)


class Theme(Base):
    """A theme 一件事主题 of the published list; ``has_guide`` says whether the source's guide was read."""

    __tablename__ = "themes"

    code: Mapped[str] = mapped_column(String(20), primary_key=True)
    title: Mapped[str] = mapped_column(Text)
    region_guides: Mapped[int]
    distinct_versions: Mapped[int]
    has_guide: Mapped[bool]


class CatalogueReview(Base):
    """Who reviewed which version, with the compiled elements that they answered for. Never changed."""

    __tablename__ = "catalogue_reviews"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    kind: Mapped[EntryKind]
    entry_id: Mapped[UUID]
    code: Mapped[str] = mapped_column(String(64))
    entry_version: Mapped[int]
    action: Mapped[Action]
    reviewed_by: Mapped[str] = mapped_column(String(120))
    reviewed_at: Mapped[datetime]
    note: Mapped[str | None] = mapped_column(Text)
    compiled_elements: Mapped[list[str]]

    __table_args__ = (Index("ix_catalogue_reviews_kind_code", "kind", "code", "entry_version"),)
