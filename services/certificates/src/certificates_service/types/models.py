"""Rows of licence types."""

from datetime import datetime
from typing import Any

from sqlalchemy import String, func, text
from sqlalchemy.orm import Mapped, mapped_column

from certificates_service.db import Base
from certificates_service.types.domain import Category, CodeKnown, HolderScope


class LicenceType(Base):
    """A type as last imported. A licence keeps its own surface: a later import changes no issued licence."""

    __tablename__ = "licence_types"

    code: Mapped[str] = mapped_column(String(21), primary_key=True)
    name: Mapped[str] = mapped_column(String(200))
    aliases: Mapped[list[str]]
    is_official: Mapped[bool]
    code_known: Mapped[CodeKnown]
    category: Mapped[Category]
    authority: Mapped[str] = mapped_column(String(40))
    holder_kind: Mapped[HolderScope]
    validity: Mapped[dict[str, Any]]
    qr_lifetime_seconds: Mapped[int]
    surface_fields: Mapped[list[Any]]
    # A type that was loaded before issuers were named has none: nobody issues it until the file is loaded again.
    issuers: Mapped[list[Any]] = mapped_column(server_default=text("'[]'::jsonb"))
    origin: Mapped[dict[str, Any]]
    imported_at: Mapped[datetime] = mapped_column(server_default=func.now())


class IssuerKind(Base):
    """Of which kind a department is, as the catalogue says; departments themselves are identity's."""

    __tablename__ = "issuer_kinds"

    uscc: Mapped[str] = mapped_column(String(18), primary_key=True)
    kind: Mapped[str] = mapped_column(String(20))
