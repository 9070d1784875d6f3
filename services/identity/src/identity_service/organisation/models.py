"""Rows of the organisation: where, which organ, who works there."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey, Index, SmallInteger, String, UniqueConstraint, func
from sqlalchemy.orm import Mapped, mapped_column

from gov_rules.divisions import DivisionKind
from identity_service.db import Base
from identity_service.organisation.domain import Decision, RequestKind, ResetReason
from service_common.db import Aggregate, new_id, sealed


class Division(Base):
    """An administrative division. Cities without counties have two rows with one code."""

    __tablename__ = "divisions"
    __table_args__ = (Index("ix_divisions_parent_code_code", "parent_code", "code"),)

    code: Mapped[str] = mapped_column(String(12), primary_key=True)
    level: Mapped[int] = mapped_column(SmallInteger, primary_key=True)
    name: Mapped[str] = mapped_column(String(100))
    kind: Mapped[DivisionKind]
    parent_code: Mapped[str] = mapped_column(String(12))
    loaded_at: Mapped[datetime] = mapped_column(server_default=func.now())


class Department(Aggregate, Base):
    """An organ, or with a ``unit_suffix`` a unit inside one that has no credit code of its own."""

    __tablename__ = "departments"
    __table_args__ = (UniqueConstraint("uscc", "unit_suffix"),)

    uscc: Mapped[str] = mapped_column(String(18))
    unit_suffix: Mapped[str] = mapped_column(String(4), default="")
    name: Mapped[str] = mapped_column(String(100))
    short_name: Mapped[str] = mapped_column(String(40))
    division: Mapped[str] = mapped_column(String(12), index=True)
    parent_id: Mapped[UUID | None] = mapped_column(ForeignKey("departments.id"), index=True)
    is_active: Mapped[bool] = mapped_column(default=True)


class Staff(Aggregate, Base):
    """A person in office. The account of the same id is how it logs in."""

    __tablename__ = "staff"

    name: Mapped[bytes] = sealed("staff.name")
    department_id: Mapped[UUID] = mapped_column(ForeignKey("departments.id"), index=True)
    position: Mapped[str | None] = mapped_column(String(60))
    roles: Mapped[list[str]]
    is_active: Mapped[bool] = mapped_column(default=True)


class RoleRequest(Base):
    """What one asks for and another operator grants: high roles, or new credentials of who holds one.

    It is about one department: who moves, loses it. ``reason`` is that of new credentials.
    """

    __tablename__ = "role_requests"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    staff_id: Mapped[UUID] = mapped_column(ForeignKey("staff.id"), index=True)
    department_id: Mapped[UUID] = mapped_column(ForeignKey("departments.id"))
    roles: Mapped[list[str]]
    requested_by: Mapped[UUID]
    requested_at: Mapped[datetime]
    kind: Mapped[RequestKind] = mapped_column(default=RequestKind.ROLES, server_default=RequestKind.ROLES)
    reason: Mapped[ResetReason | None]
    decision: Mapped[Decision] = mapped_column(default=Decision.PENDING)
    decided_by: Mapped[UUID | None]
    decided_at: Mapped[datetime | None]
