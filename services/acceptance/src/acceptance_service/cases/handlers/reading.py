"""What is shown of cases, and to whom."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, select
from sqlalchemy.ext.asyncio import AsyncSession

from acceptance_service.applications.handlers.drafts import is_applicants
from acceptance_service.applications.handlers.progress import record_access
from acceptance_service.applications.models import Application, Material
from acceptance_service.applications.repository import PROFILE_COLUMN, lapsed_waivers, read_form
from acceptance_service.applications.verified_values import unverified_fields
from acceptance_service.cases.domain.rules import FormClosed, NoSuchCase
from acceptance_service.cases.domain.states import ENDED, CaseStatus
from acceptance_service.cases.handlers.performing import (
    DOCUMENT_COLUMN,
    need_department,
    served_prefix,
    supervises,
)
from acceptance_service.cases.handlers.review import PROCEDURE_COLUMN
from acceptance_service.cases.handlers.tasks import RESULT_COLUMN
from acceptance_service.cases.models import Case, Document, Procedure, Task
from acceptance_service.cases.repository import concerns, documents_of, inbox
from acceptance_service.files.domain import NoSuchFile
from acceptance_service.files.handlers import FileFacts, files_of
from service_common import timeline
from service_common.auth import Caller
from service_common.contracts.certificates import LicenceStatus
from service_common.crypto import KeyRing


async def department_inbox(
    session: AsyncSession,
    *,
    caller: Caller,
    status: CaseStatus | None,
    after: tuple[datetime, UUID] | None,
    limit: int,
) -> Sequence[Case]:
    """A page of the caller's department and division. Raises: NoSuchCase for a caller of no department."""
    if caller.department_id is None:
        raise NoSuchCase
    return await inbox(
        session,
        department_id=caller.department_id,
        division_prefix=served_prefix(caller),
        status=status,
        after=after,
        limit=limit,
    )


async def visible_case(session: AsyncSession, case_id: UUID, caller: Caller) -> Case:
    """A case of the caller's department, or of the applicant, or for supervision. Raises: NoSuchCase."""
    case = await session.get(Case, case_id)
    if case is None:
        raise NoSuchCase
    if caller.may_act_for(case.applicant_id):
        if caller.delegation is not None:
            await _need_entrusted(session, case, caller)
        return case
    if supervises(caller, case.division):
        return case
    need_department(case, caller)
    return case


async def _need_entrusted(session: AsyncSession, case: Case, caller: Caller) -> None:
    """Raises: NoSuchCase, to an agent whose authorization is about other matters."""
    application = await session.get_one(Application, case.application_id)
    if not is_applicants(application, caller):
        raise NoSuchCase


@dataclass(frozen=True)
class DocumentView:
    """A written act, opened."""

    kind: str
    number: str
    issued_at: datetime
    body: dict[str, Any]


@dataclass(frozen=True)
class CaseView:
    """A case with what belongs to it; nothing of the form."""

    case: Case
    inside: bool
    documents: list[DocumentView]
    tasks: Sequence[Task]
    procedures: Sequence[Procedure]
    materials: Sequence[Material]
    lapsed: Mapping[str, LicenceStatus]
    files: Mapping[str, list[FileFacts]]


async def read_case(session: AsyncSession, ring: KeyRing, case_id: UUID, *, caller: Caller) -> CaseView:
    """One case as its department or applicant sees it; the applicant does not see who works on it and with whom."""
    case = await visible_case(session, case_id, caller)
    inside = not caller.may_act_for(case.applicant_id)
    tasks: Sequence[Task] = []
    if inside:
        tasks = (await session.scalars(select(Task).where(Task.case_id == case.id).order_by(Task.id))).all()
    procedures = (
        await session.scalars(
            select(Procedure).where(Procedure.case_id == case.id).order_by(Procedure.started_at)
        )
    ).all()
    application = await session.get_one(Application, case.application_id)
    rows = await session.scalars(
        select(Material).where(Material.application_id == case.application_id).order_by(Material.code)
    )
    materials = [row for row in rows if concerns(row, application, case)]
    undecided = materials if case.decided_at is None and case.ended_at is None else []
    return CaseView(
        case=case,
        inside=inside,
        documents=[open_document(one, ring) for one in await documents_of(session, [case.id])],
        tasks=tasks,
        procedures=procedures,
        materials=materials,
        lapsed=await lapsed_waivers(session, application.applicant_id, undecided),
        files=await files_of(session, case.application_id, ring),
    )


def open_document(document: Document, ring: KeyRing) -> DocumentView:
    """Unseals the body of a written act."""
    body = ring.decrypt_json(document.body, column=DOCUMENT_COLUMN)
    return DocumentView(document.kind.name, document.number, document.issued_at, body)


def task_result(task: Task, ring: KeyRing) -> str | None:
    """Unseals a task's result."""
    return ring.decrypt(task.result, column=RESULT_COLUMN) if task.result else None


def procedure_texts(procedure: Procedure, ring: KeyRing) -> tuple[str, str | None]:
    """Unseals reason and result of a special procedure."""
    result = ring.decrypt(procedure.result, column=PROCEDURE_COLUMN) if procedure.result else None
    return ring.decrypt(procedure.reason, column=PROCEDURE_COLUMN), result


@dataclass(frozen=True)
class FullForm:
    """Everything the applicant wrote for this case, and who they are."""

    form: dict[str, Any]
    applicant: dict[str, Any] | None
    unverified: list[str]
    answers: dict[str, Any]


async def read_full_form(
    session: AsyncSession, ring: KeyRing, case_id: UUID, *, caller: Caller, now: datetime
) -> FullForm:
    """The form in full: for the case's own department while the case is open; each look is recorded.

    Raises: NoSuchCase, FormClosed.
    """
    case = await session.get(Case, case_id)
    if case is None:
        raise NoSuchCase
    need_department(case, caller)
    if case.status in ENDED:
        raise FormClosed
    application = await session.get_one(Application, case.application_id)
    await record_access(
        session, application_id=application.id, case_id=case.id, what="FORM", caller=caller, now=now
    )
    profile = application.applicant_profile
    form = fields_for(await read_form(session, ring, application.id, case.form_revision), application, case)
    return FullForm(
        form=form,
        unverified=unverified_fields(application.form_schema or {}, form, application.verified_values),
        applicant=ring.decrypt_json(profile, column=PROFILE_COLUMN) if profile else None,
        answers=application.answers,
    )


def fields_for(form: Mapping[str, Any], application: Application, case: Case) -> dict[str, Any]:
    """The fields that this case's item needs: another department's stay unseen (个人信息保护法 Art. 6)."""
    properties: dict[str, Any] = (application.form_schema or {}).get("properties", {})
    lead = case.department_id == application.lead_department_id
    shown = {}
    for name, value in form.items():
        items = properties.get(name, {}).get("x-items", ["*"])
        if "*" in items or case.item_code in items or (lead and not items):
            shown[name] = value
    return shown


async def case_file(
    session: AsyncSession, ring: KeyRing, case_id: UUID, file_id: UUID, *, caller: Caller, now: datetime
) -> UUID:
    """A file of a material that this case needs, for its department while it is open; recorded.

    Raises: NoSuchCase, NoSuchFile, FormClosed.
    """
    case = await session.get(Case, case_id)
    if case is None:
        raise NoSuchCase
    need_department(case, caller)
    if case.status in ENDED:
        raise FormClosed
    application = await session.get_one(Application, case.application_id)
    files = await files_of(session, application.id, ring)
    rows = await session.scalars(select(Material).where(Material.application_id == application.id))
    mine = {row.code for row in rows if concerns(row, application, case)}
    if not any(one.id == file_id for code, held in files.items() if code in mine for one in held):
        raise NoSuchFile
    await record_access(
        session,
        application_id=application.id,
        case_id=case.id,
        what=f"FILE {file_id}"[:40],
        caller=caller,
        now=now,
    )
    return file_id


async def read_timeline(session: AsyncSession, case_id: UUID, *, caller: Caller) -> Sequence[Row[Any]]:
    """The whole history of a case, oldest first."""
    await visible_case(session, case_id, caller)
    return await timeline.read(session, case_id)
