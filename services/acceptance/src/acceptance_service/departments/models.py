"""What acceptance knows of the departments that identity owns."""

from uuid import UUID

from sqlalchemy import Index, String
from sqlalchemy.orm import Mapped, mapped_column

from acceptance_service.db import Base


class Department(Base):
    """Projection of identity's department; ``revision`` is that of the last change applied."""

    __tablename__ = "departments"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    uscc: Mapped[str] = mapped_column(String(18))
    name: Mapped[str] = mapped_column(String(200))
    short_name: Mapped[str] = mapped_column(String(100))
    division: Mapped[str] = mapped_column(String(12))
    parent_id: Mapped[UUID | None]
    active: Mapped[bool]
    revision: Mapped[int]

    __table_args__ = (Index("ix_departments_uscc", "uscc"), Index("ix_departments_division", "division"))


class StaffMember(Base):
    """Projection of identity's staff: who is in which department, and still there. No name."""

    __tablename__ = "staff"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    department_id: Mapped[UUID]
    active: Mapped[bool]
    revision: Mapped[int]


class DepartmentCode(Base):
    """The catalogue's own short code of a department, e.g. ``HN-430300-SCJG``, and the USCC it stands for."""

    __tablename__ = "department_codes"

    code: Mapped[str] = mapped_column(String(40), primary_key=True)
    uscc: Mapped[str] = mapped_column(String(18))
    name: Mapped[str] = mapped_column(String(200))
    kind: Mapped[str | None] = mapped_column(String(8))
    division: Mapped[str] = mapped_column(String(12))
