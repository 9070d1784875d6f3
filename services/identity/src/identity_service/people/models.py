"""Rows of natural persons."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey, Index, Integer, SmallInteger, String, func, text
from sqlalchemy.orm import Mapped, mapped_column

from identity_service.db import Base
from identity_service.people.domain import DocumentKind, VerificationMethod
from service_common.db import Aggregate, new_id, sealed


class Person(Aggregate, Base):
    """A natural person. Personal values are sealed; the indexes find them again.

    A child whom a guardian registered has neither phone nor account. ``trust_level`` is the last one that was told in an
    event; what counts is the evidence that has not expired (``verifications.level_of``).
    """

    __tablename__ = "persons"

    phone: Mapped[bytes | None] = sealed("persons.phone")
    phone_index: Mapped[bytes | None] = mapped_column(unique=True)
    trust_level: Mapped[int] = mapped_column(SmallInteger, default=1)
    name: Mapped[bytes | None] = sealed("persons.name")
    id_number: Mapped[bytes | None] = sealed("persons.id_number")
    id_number_index: Mapped[bytes | None] = mapped_column(unique=True)
    id_kind: Mapped[DocumentKind | None]
    id_country: Mapped[str | None] = mapped_column(String(3))
    birth_date: Mapped[bytes | None] = sealed("persons.birth_date")
    is_active: Mapped[bool] = mapped_column(default=True)
    language: Mapped[str] = mapped_column(String(2), default="zh", server_default="zh")


class Verification(Base):
    """Evidence of one verification: what was asked, what the register said, when. Kept; that its expiry was dealt with is noted."""

    __tablename__ = "verifications"
    __table_args__ = (
        Index(
            "ix_verifications_expires_at",
            "expires_at",
            postgresql_where=text("expires_at IS NOT NULL AND expiry_seen_at IS NULL"),
        ),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    person_id: Mapped[UUID] = mapped_column(ForeignKey("persons.id"), index=True)
    method: Mapped[VerificationMethod]
    level: Mapped[int | None] = mapped_column(SmallInteger)
    result: Mapped[str]
    evidence: Mapped[bytes] = sealed("verifications.evidence")
    reference: Mapped[str | None] = mapped_column(String(200))
    checked_at: Mapped[datetime]
    expires_at: Mapped[datetime | None]
    expiry_seen_at: Mapped[datetime | None]
    staff_id: Mapped[UUID | None]
    department_id: Mapped[UUID | None]


class Guardianship(Base):
    """Who acts for a child, on whose word, until when. ``verified_by`` is a staff member, or nobody: then the register."""

    __tablename__ = "guardianships"
    __table_args__ = (
        Index(
            "uq_guardianships_running",
            "guardian_id",
            "child_id",
            unique=True,
            postgresql_where=text("ended_at IS NULL"),
        ),
        Index("ix_guardianships_child_id", "child_id"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    guardian_id: Mapped[UUID] = mapped_column(ForeignKey("persons.id"))
    child_id: Mapped[UUID] = mapped_column(ForeignKey("persons.id"))
    reference: Mapped[str | None] = mapped_column(String(200))
    staff_id: Mapped[UUID | None]
    department_id: Mapped[UUID | None]
    since: Mapped[datetime]
    until: Mapped[datetime]
    delegation_id: Mapped[UUID | None]
    ended_at: Mapped[datetime | None]


class PhoneCode(Base):
    """A code that was sent to a phone. One per phone and purpose: a new one replaces it."""

    __tablename__ = "phone_codes"

    phone_index: Mapped[bytes] = mapped_column(primary_key=True)
    code_hash: Mapped[bytes]
    expires_at: Mapped[datetime] = mapped_column(index=True)
    tries: Mapped[int] = mapped_column(Integer, default=0)
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
