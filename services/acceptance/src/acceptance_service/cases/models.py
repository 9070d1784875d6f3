"""Rows of the departments' work."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ForeignKey, Index, String, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from acceptance_service.cases.domain.rules import DocumentKind, TaskKind, TaskStatus
from acceptance_service.cases.domain.states import CaseStatus
from acceptance_service.catalogue.domain import ProjectType
from acceptance_service.db import Base
from service_common.contracts.acceptance import HolderKind, Outcome
from service_common.db import Aggregate, new_id, sealed


class Case(Aggregate, Base):
    """One item at one department 办件: own number, state, clocks, decision. The word alone is reserved in SQL."""

    __tablename__ = "service_cases"

    application_id: Mapped[UUID] = mapped_column(ForeignKey("applications.id"))
    project_no: Mapped[str] = mapped_column(String(50), unique=True)
    item_code: Mapped[str] = mapped_column(String(80))
    item_version: Mapped[int]
    item_name: Mapped[str] = mapped_column(String(300))
    project_type: Mapped[ProjectType]
    department_id: Mapped[UUID]
    division: Mapped[str] = mapped_column(String(12))
    applicant_kind: Mapped[HolderKind]
    applicant_id: Mapped[UUID]
    applicant_masked: Mapped[str | None] = mapped_column(String(60))
    submitted_by: Mapped[UUID]

    status: Mapped[CaseStatus]
    waits_for: Mapped[list[str]]
    waits_for_any: Mapped[bool]
    form_revision: Mapped[int]
    contact_no: Mapped[int]
    claimed_by: Mapped[str | None] = mapped_column(String(100))

    submitted_at: Mapped[datetime | None]
    intake_received_at: Mapped[datetime | None]
    intake_due_on: Mapped[date | None]
    intake_due_at: Mapped[datetime | None]
    received_at: Mapped[datetime | None]
    correction_noticed: Mapped[bool] = mapped_column(default=False)
    correction_due_at: Mapped[datetime | None]
    supplement_due_at: Mapped[datetime | None]
    supplement_workdays: Mapped[int | None]

    accepted_at: Mapped[datetime | None]
    deemed_accepted: Mapped[bool] = mapped_column(default=False)
    tolerance: Mapped[bool] = mapped_column(default=False)
    promise: Mapped[bool] = mapped_column(default=False)
    limits: Mapped[dict[str, Any]]
    clock: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
    statutory_due_on: Mapped[date | None]
    statutory_due_at: Mapped[datetime | None]
    promised_due_on: Mapped[date | None]
    promised_due_at: Mapped[datetime | None]
    calendar_version: Mapped[str | None] = mapped_column(String(20))
    due_provisional: Mapped[bool] = mapped_column(default=False)

    notify_promise: Mapped[bool]
    four_eyes: Mapped[bool] = mapped_column(default=False)
    instant_rule: Mapped[str | None] = mapped_column(String(60))
    licence_type_code: Mapped[str | None] = mapped_column(String(21))
    result_name: Mapped[str | None] = mapped_column(String(200))
    first_opinion: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
    outcome: Mapped[Outcome | None]
    decided_at: Mapped[datetime | None]
    decided_by: Mapped[str | None] = mapped_column(String(100))
    instant: Mapped[bool] = mapped_column(default=False)
    delivery_due_at: Mapped[datetime | None]
    licence_id: Mapped[UUID | None]
    licence_identifier: Mapped[str | None] = mapped_column(String(120))
    ended_at: Mapped[datetime | None]

    sweep_at: Mapped[datetime | None]

    __table_args__ = (
        Index("ix_service_cases_application", "application_id", "id"),
        Index(
            "ix_service_cases_inbox",
            "department_id",
            "submitted_at",
            "id",
            postgresql_where=text("ended_at IS NULL AND status <> 'WAITING'"),
        ),
        Index("ix_service_cases_inbox_status", "department_id", "status", "submitted_at", "id"),
        Index("ix_service_cases_sweep", "sweep_at", "id", postgresql_where=text("sweep_at IS NOT NULL")),
        Index("ix_service_cases_calendar", "calendar_version", postgresql_where=text("ended_at IS NULL")),
    )


class Task(Base):
    """A step, a consultation or a site check within a case."""

    __tablename__ = "case_tasks"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    case_id: Mapped[UUID] = mapped_column(ForeignKey("service_cases.id"))
    kind: Mapped[TaskKind]
    title: Mapped[str] = mapped_column(String(200))
    status: Mapped[TaskStatus]
    department_id: Mapped[UUID]
    staff_ids: Mapped[list[str]]
    opened_by: Mapped[str] = mapped_column(String(100))
    opened_at: Mapped[datetime]
    limit_workdays: Mapped[int | None]
    due_at: Mapped[datetime | None]
    result: Mapped[bytes | None] = sealed("case_tasks.result")
    done_by: Mapped[str | None] = mapped_column(String(100))
    done_at: Mapped[datetime | None]

    __table_args__ = (
        Index("ix_case_tasks_case", "case_id", "id"),
        Index("ix_case_tasks_open", "department_id", "id", postgresql_where=text("status = 'OPEN'")),
    )


class Document(Base):
    """A written act of a case with its number 文书; the body is sealed, for reasons may name people."""

    __tablename__ = "case_documents"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    case_id: Mapped[UUID] = mapped_column(ForeignKey("service_cases.id"))
    kind: Mapped[DocumentKind]
    department_id: Mapped[UUID]
    number: Mapped[str] = mapped_column(String(120))
    body: Mapped[bytes] = sealed("case_documents.body")
    issued_at: Mapped[datetime]
    issued_by: Mapped[str] = mapped_column(String(100))

    __table_args__ = (
        # Short names of departments may repeat across divisions, so a number is unique within its department.
        UniqueConstraint("department_id", "number"),
        Index("ix_case_documents_case", "case_id", "issued_at"),
        Index(
            "uq_case_documents_one_correction",
            "case_id",
            unique=True,
            postgresql_where=text(f"kind = '{DocumentKind.CORRECTION.value}'"),
        ),
    )


class Procedure(Base):
    """A special procedure or an extension 特别程序, as GB/T 39046 table 7 records it."""

    __tablename__ = "case_procedures"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    case_id: Mapped[UUID] = mapped_column(ForeignKey("service_cases.id"))
    kind: Mapped[str] = mapped_column(String(20))
    reason: Mapped[bytes] = sealed("case_procedures.text")
    started_at: Mapped[datetime]
    planned_workdays: Mapped[int]
    planned_end_at: Mapped[datetime | None]
    approved_by: Mapped[str] = mapped_column(String(100))
    ended_at: Mapped[datetime | None]
    result: Mapped[bytes | None] = sealed("case_procedures.text")

    __table_args__ = (
        UniqueConstraint("case_id", "started_at"),
        Index(
            "uq_case_procedures_one_extension",
            "case_id",
            unique=True,
            postgresql_where=text("kind = 'EXTENSION'"),
        ),
    )
