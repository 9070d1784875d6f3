"""Rows of licences."""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import Index, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from certificates_service.db import Base
from service_common.contracts.acceptance import HolderKind
from service_common.contracts.certificates import LicenceStatus
from service_common.db import Aggregate, sealed

_LIVING = text("status IN ('NORMAL', 'SUSPENDED')")


class Licence(Aggregate, Base):
    """One version of a licence. ``version`` is the row's (the ETag), ``licence_version`` the one in its identifier.

    Surface and document are sealed; ``order_index`` and ``number_index`` are blind indexes that find the same order
    and the same printed number again.
    """

    __tablename__ = "licences"

    identifier: Mapped[str] = mapped_column(String(140), unique=True)
    serial: Mapped[str] = mapped_column(String(64))
    licence_version: Mapped[int]
    type_code: Mapped[str] = mapped_column(String(21))
    type_name: Mapped[str] = mapped_column(String(200))
    holder_kind: Mapped[HolderKind]
    holder_id: Mapped[UUID]
    issuer_department_id: Mapped[UUID]
    issuer_uscc: Mapped[str] = mapped_column(String(18))
    issuer_name: Mapped[str] = mapped_column(String(200))
    division: Mapped[str] = mapped_column(String(12))
    case_id: Mapped[UUID | None]
    project_no: Mapped[str | None] = mapped_column(String(50))
    status: Mapped[LicenceStatus]
    valid_from: Mapped[date]
    valid_until: Mapped[date | None]
    issued_at: Mapped[datetime]
    predecessor_identifier: Mapped[str | None] = mapped_column(String(140))
    successor_identifier: Mapped[str | None] = mapped_column(String(140))
    surface: Mapped[bytes] = sealed("licences.surface")
    document: Mapped[bytes] = sealed("licences.document")
    signing_key_id: Mapped[str] = mapped_column(String(64))
    order_index: Mapped[bytes]
    number_index: Mapped[bytes | None]

    __table_args__ = (
        # With its issuer: a department that names another one's case keeps nothing from it.
        UniqueConstraint("issuer_department_id", "case_id"),
        Index("ix_licences_holder", "holder_id", "id"),
        Index("ix_licences_valid_until", "valid_until", postgresql_where=_LIVING),
        Index(
            "uq_licences_living_number",
            "type_code",
            "issuer_department_id",
            "number_index",
            unique=True,
            postgresql_where=_LIVING,
        ),
    )
