"""Rows of uploaded files."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey, Index, LargeBinary, String, UniqueConstraint, func, text
from sqlalchemy.orm import Mapped, mapped_column

from acceptance_service.db import Base
from service_common.db import new_id, sealed


class Blob(Base):
    """Content, kept once however often it is sent. ``address`` is a keyed hash: it does not tell what lies there."""

    __tablename__ = "blobs"

    address: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    object_key: Mapped[str] = mapped_column(String(60), unique=True)
    sealed_key: Mapped[bytes] = sealed("blobs.sealed_key")
    size: Mapped[int]
    media_type: Mapped[str] = mapped_column(String(100))
    scan: Mapped[str] = mapped_column(String(20))
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())


class File(Base):
    """One upload of somebody. Without an application it is an orphan, swept after a day."""

    __tablename__ = "files"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    address: Mapped[bytes] = mapped_column(ForeignKey("blobs.address"))
    sha256: Mapped[bytes]
    name: Mapped[bytes] = sealed("files.name")
    uploaded_by: Mapped[str] = mapped_column(String(100))
    upload_key: Mapped[str] = mapped_column(String(200))
    application_id: Mapped[UUID | None]
    material_code: Mapped[str | None] = mapped_column(String(60))
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())

    __table_args__ = (
        UniqueConstraint("uploaded_by", "upload_key"),
        Index(
            "ix_files_application_id", "application_id", postgresql_where=text("application_id IS NOT NULL")
        ),
        Index("ix_files_orphans", "created_at", postgresql_where=text("application_id IS NULL")),
        Index("ix_files_address", "address"),
    )
