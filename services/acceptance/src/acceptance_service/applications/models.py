"""Rows of what citizens send."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ForeignKey, Index, String, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from acceptance_service.applications.domain import ApplicationStatus, Delivery, Provision
from acceptance_service.db import Base
from service_common.contracts.acceptance import Channel, HolderKind
from service_common.db import Aggregate, sealed


class Application(Aggregate, Base):
    """One form, one set of materials, one number, one or more cases."""

    __tablename__ = "applications"

    status: Mapped[ApplicationStatus]
    subject_code: Mapped[str] = mapped_column(String(80))
    bundle_code: Mapped[str | None] = mapped_column(String(80))
    bundle_version: Mapped[int | None]
    title: Mapped[str] = mapped_column(String(300))
    division: Mapped[str] = mapped_column(String(12))
    lead_department_id: Mapped[UUID]
    answers: Mapped[dict[str, Any]]
    promises: Mapped[list[str]]
    tolerance_promised: Mapped[bool] = mapped_column(default=False)
    delivery: Mapped[Delivery]
    in_addition: Mapped[bool] = mapped_column(default=False)

    applicant_kind: Mapped[HolderKind]
    applicant_id: Mapped[UUID]
    submitted_by: Mapped[UUID]
    channel: Mapped[Channel] = mapped_column(default=Channel.ONLINE, server_default=Channel.ONLINE)
    taken_in_by: Mapped[UUID | None]
    window_department_id: Mapped[UUID | None]
    applicant_profile: Mapped[bytes | None] = sealed("applications.applicant_profile")
    applicant_masked: Mapped[str | None] = mapped_column(String(60))

    number: Mapped[str | None] = mapped_column(String(50), unique=True)
    query_number: Mapped[str | None] = mapped_column(String(13), unique=True)
    query_password_hash: Mapped[bytes | None]
    form_revision: Mapped[int] = mapped_column(default=0)
    items_with_applicant: Mapped[list[str]]
    # Keyed digests of what identity had verified when it was last asked: see `verified_values`.
    verified_values: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
    form_schema: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
    submitted_at: Mapped[datetime | None]
    promised_due_on: Mapped[date | None]
    closed_at: Mapped[datetime | None]

    __table_args__ = (
        Index(
            "uq_applications_one_open",
            "applicant_id",
            "subject_code",
            "division",
            unique=True,
            postgresql_where=text("closed_at IS NULL AND NOT in_addition"),
        ),
        Index("ix_applications_applicant", "applicant_id", "id"),
    )


class Form(Base):
    """One version of the form of an application, sealed. A case keeps the version it was submitted with."""

    __tablename__ = "application_forms"

    application_id: Mapped[UUID] = mapped_column(ForeignKey("applications.id"), primary_key=True)
    revision: Mapped[int] = mapped_column(primary_key=True)
    body: Mapped[bytes] = sealed("application_forms.body")
    digest: Mapped[bytes]
    saved_at: Mapped[datetime]
    saved_by: Mapped[UUID]


class Material(Base):
    """How one material of an application is provided. ``items`` empty: it is the application's own."""

    __tablename__ = "application_materials"

    application_id: Mapped[UUID] = mapped_column(ForeignKey("applications.id"), primary_key=True)
    code: Mapped[str] = mapped_column(String(60), primary_key=True)
    title: Mapped[str] = mapped_column(String(300))
    required: Mapped[bool]
    items: Mapped[list[str]]
    tolerated_in: Mapped[list[str]]
    ways: Mapped[list[Any]]
    formats: Mapped[list[str]]
    provision: Mapped[Provision]
    licence_id: Mapped[UUID | None]
    facts: Mapped[dict[str, Any]]
    provided_at: Mapped[datetime | None]


class HeldLicence(Base):
    """Projection of the licence library: who holds what, and whether it is valid. ``revision`` is the event's."""

    __tablename__ = "held_licences"

    licence_id: Mapped[UUID] = mapped_column(primary_key=True)
    identifier: Mapped[str] = mapped_column(String(120))
    type_code: Mapped[str] = mapped_column(String(21))
    type_name: Mapped[str] = mapped_column(String(120))
    holder_id: Mapped[UUID]
    # None: noted before issuers were kept. Nothing is granted by rule on such a one.
    issuer_department_id: Mapped[UUID | None]
    status: Mapped[str] = mapped_column(String(20))
    revision: Mapped[int]

    __table_args__ = (Index("ix_held_licences_holder", "holder_id", "type_code"),)


class AccessRecord(Base):
    """Who looked at the full form or a file, when and why: the applicant may read it. At a window there may be no case yet."""

    __tablename__ = "access_records"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    application_id: Mapped[UUID] = mapped_column(ForeignKey("applications.id"))
    case_id: Mapped[UUID | None]
    at: Mapped[datetime]
    actor_kind: Mapped[str] = mapped_column(String(20))
    actor_id: Mapped[str] = mapped_column(String(100))
    department_id: Mapped[UUID | None]
    what: Mapped[str] = mapped_column(String(40))

    __table_args__ = (Index("ix_access_records_application", "application_id", "id"),)
