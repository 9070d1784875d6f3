"""Queries on cases that are used twice or longer than a line."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import and_, bindparam, select, tuple_
from sqlalchemy.ext.asyncio import AsyncSession

from acceptance_service.applications.domain import Provision
from acceptance_service.applications.models import Application, Material
from acceptance_service.applications.repository import lapsed_waivers, read_materials
from acceptance_service.cases.domain.rules import DocumentKind, Gaps, NoSuchCase, TaskStatus
from acceptance_service.cases.domain.states import CaseStatus
from acceptance_service.cases.models import Case, Document, Procedure, Task
from acceptance_service.departments.models import Department
from service_common.db import transaction_memory

# Made once: every act on a case sends them.
_of_case = select(Case.application_id).where(Case.id == bindparam("case_id")).scalar_subquery()
_LOCKED_APPLICATION = (
    select(Application)
    .where(Application.id == _of_case)
    .with_for_update(of=Application)
    .execution_options(populate_existing=True)
)
_CASES = select(Case).where(Case.application_id == bindparam("application_id")).order_by(Case.id)
_CASES_AFRESH = _CASES.execution_options(populate_existing=True)
_SHORT_NAME = select(Department.short_name).where(Department.id == bindparam("department_id"))


@dataclass
class Dossier:
    """A case with its application and its sister cases, all held by the application's row lock."""

    application: Application
    case: Case
    cases: Sequence[Case]


async def hold_dossier(session: AsyncSession, case_id: UUID) -> Dossier:
    """Locks the application first and reads its cases then: two clerks at two sister cases never wait crosswise.

    Raises: NoSuchCase.
    """
    application = await session.scalar(_LOCKED_APPLICATION, {"case_id": case_id})
    if application is None:
        raise NoSuchCase
    cases = await cases_of(session, application.id, refresh=True)
    return Dossier(application, next(one for one in cases if one.id == case_id), cases)


async def cases_of(session: AsyncSession, application_id: UUID, *, refresh: bool = False) -> Sequence[Case]:
    """The cases of an application in the order of its plan."""
    statement = _CASES_AFRESH if refresh else _CASES
    return (await session.scalars(statement, {"application_id": application_id})).all()


async def gaps_of_case(session: AsyncSession, application: Application, case: Case) -> Gaps:
    """Which required materials of this case are missing now; a licence that fell leaves its material missing."""
    rows = await session.scalars(
        select(Material).where(
            Material.application_id == application.id,
            Material.required,
            Material.provision.in_((Provision.MISSING, Provision.LICENCE)),
        )
    )
    needed = [row for row in rows if concerns(row, application, case)]
    lapsed = await lapsed_waivers(session, application.applicant_id, needed)
    mine = [row for row in needed if row.provision is Provision.MISSING or row.code in lapsed]
    return Gaps(
        lapsed=lapsed,
        missing=frozenset(row.code for row in mine),
        tolerated=frozenset(row.code for row in mine if case.item_code in row.tolerated_in),
        promised=application.tolerance_promised,
    )


async def promises_for(session: AsyncSession, application: Application, case: Case) -> frozenset[str]:
    """What the applicant has promised to this case's department: another item's promise is made to another one."""
    materials = (await read_materials(session, application.id)).values()
    mine = [one for one in materials if concerns(one, application, case)]
    return frozenset(application.promises) & {way.get("promise") for one in mine for way in one.ways}


def concerns(material: Material, application: Application, case: Case) -> bool:
    """Whether a department needs a material: its item's, or the application's own at the lead department."""
    if material.items:
        return case.item_code in material.items
    return case.department_id == application.lead_department_id


async def inbox(
    session: AsyncSession,
    *,
    department_id: UUID,
    division_prefix: str,
    status: CaseStatus | None,
    after: tuple[datetime, UUID] | None,
    limit: int,
) -> Sequence[Case]:
    """A page of a department's cases, oldest submission first; open ones unless a status is asked for.

    What waits for another item, or waited until it was given up, was in no inbox.
    """
    statement = select(Case).where(
        Case.department_id == department_id, Case.division.startswith(division_prefix, autoescape=True)
    )
    if status is None:
        statement = statement.where(Case.ended_at.is_(None), Case.status != CaseStatus.WAITING)
    else:
        statement = statement.where(Case.status == status, Case.submitted_at.is_not(None))
    if after is not None:
        statement = statement.where(tuple_(Case.submitted_at, Case.id) > after)
    statement = statement.order_by(Case.submitted_at, Case.id).limit(limit + 1)
    return (await session.scalars(statement)).all()


async def open_tasks(session: AsyncSession, case_id: UUID) -> Sequence[Task]:
    """Tasks of a case that are not done."""
    return (
        await session.scalars(
            select(Task)
            .where(and_(Task.case_id == case_id, Task.status == TaskStatus.OPEN))
            .order_by(Task.id)
        )
    ).all()


async def running_procedure(session: AsyncSession, case_id: UUID) -> Procedure | None:
    """The special procedure that stops the clock now."""
    return await session.scalar(
        select(Procedure).where(Procedure.case_id == case_id, Procedure.ended_at.is_(None))
    )


async def tasks_closed_late(session: AsyncSession, case_id: UUID) -> Sequence[Task]:
    """Tasks of a case that were done, or cancelled, after their time."""
    return (
        await session.scalars(
            select(Task).where(Task.case_id == case_id, Task.done_at >= Task.due_at).order_by(Task.id)
        )
    ).all()


async def procedures_ended_late(session: AsyncSession, case_id: UUID) -> Sequence[Procedure]:
    """Special procedures of a case that took longer than the applicant was told."""
    late = Procedure.ended_at >= Procedure.planned_end_at
    return (
        await session.scalars(
            select(Procedure).where(Procedure.case_id == case_id, late).order_by(Procedure.started_at)
        )
    ).all()


async def correction_noticed_at(session: AsyncSession, case_id: UUID) -> datetime:
    """When the one-off notice of a case was given; there is exactly one."""
    issued = select(Document.issued_at).where(
        Document.case_id == case_id, Document.kind == DocumentKind.CORRECTION
    )
    return (await session.scalars(issued)).one()


async def documents_of(session: AsyncSession, case_ids: Sequence[UUID]) -> Sequence[Document]:
    """Written acts, oldest first."""
    return (
        await session.scalars(
            select(Document).where(Document.case_id.in_(case_ids)).order_by(Document.issued_at, Document.id)
        )
    ).all()


async def department_short_name(session: AsyncSession, department_id: UUID) -> str:
    """For document numbers; a department that identity has not told us of yet is named by its id's beginning."""
    known: dict[UUID, str] = transaction_memory(session).setdefault("short_names", {})
    if department_id not in known:
        name = await session.scalar(_SHORT_NAME, {"department_id": department_id})
        known[department_id] = (name or f"部门{department_id.hex[:8]}").replace(" ", "")
    return known[department_id]
