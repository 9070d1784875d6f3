"""What an applicant sees of an application, and taking it back."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, select
from sqlalchemy.ext.asyncio import AsyncSession

from acceptance_service.applications.domain import (
    MATTERS,
    AlreadyDiscarded,
    ApplicationStatus,
    NoSuchApplication,
)
from acceptance_service.applications.handlers.drafts import discard_draft, own_application
from acceptance_service.applications.models import AccessRecord, Application, Material
from acceptance_service.applications.repository import (
    find_application,
    lapsed_waivers,
    read_form,
    read_materials,
)
from acceptance_service.cases.handlers.performing import Act, supervises
from acceptance_service.cases.handlers.review import withdraw_all
from acceptance_service.cases.models import Case
from acceptance_service.cases.repository import Dossier, cases_of
from acceptance_service.departments.handlers import department_names
from acceptance_service.files.domain import NoSuchFile
from acceptance_service.files.handlers import FileFacts, files_of
from service_common import timeline
from service_common.auth import Caller
from service_common.contracts.certificates import LicenceStatus
from service_common.crypto import KeyRing
from service_common.delegation import ALL_MATTERS


@dataclass(frozen=True)
class ApplicationView:
    """An application with its cases and materials, as the applicant sees it."""

    application: Application
    cases: Sequence[Case]
    form: dict[str, Any]
    materials: Mapping[str, Material]
    lapsed: Mapping[str, LicenceStatus]
    files: Mapping[str, list[FileFacts]]
    departments: Mapping[UUID | None, str]


async def list_applications(
    session: AsyncSession, *, caller: Caller, after: UUID | None, limit: int
) -> Sequence[Application]:
    """A page of the applications of the caller and of whom they act for, newest first; an agent sees what was entrusted."""
    statement = select(Application).where(Application.applicant_id.in_(sorted(caller.holders)))
    if caller.delegation is not None and not caller.may_handle(MATTERS, ALL_MATTERS):
        entrusted = [one.removeprefix(f"{MATTERS}:") for one in caller.delegation.matters]
        statement = statement.where(Application.subject_code.in_(sorted(entrusted)))
    if after is not None:
        statement = statement.where(Application.id < after)
    return (await session.scalars(statement.order_by(Application.id.desc()).limit(limit + 1))).all()


async def read_application(
    session: AsyncSession, ring: KeyRing, application_id: UUID, *, caller: Caller
) -> ApplicationView:
    """One application with everything that was entered. Raises: NoSuchApplication."""
    application = await own_application(session, application_id, caller)
    cases = await cases_of(session, application.id)
    materials = await read_materials(session, application.id)
    undecided = materials.values() if application.closed_at is None else ()
    return ApplicationView(
        application=application,
        cases=cases,
        form=await read_form(session, ring, application.id, application.form_revision),
        materials=materials,
        lapsed=await lapsed_waivers(session, application.applicant_id, undecided),
        files=await files_of(session, application.id, ring),
        departments=await department_names(session, [one.department_id for one in cases]),
    )


async def withdraw_application(
    session: AsyncSession, ring: KeyRing, application_id: UUID, *, caller: Caller, now: datetime
) -> Application:
    """Takes back every case that is not decided; a draft is discarded.

    Raises: NoSuchApplication, AlreadyDiscarded, ActionNotPossible when all is decided.
    """
    application = await own_application(session, application_id, caller, lock=True)
    if application.status is ApplicationStatus.DISCARDED:
        raise AlreadyDiscarded
    if application.status is ApplicationStatus.DRAFT:
        return await discard_draft(session, application_id, caller=caller, now=now)
    cases = await cases_of(session, application.id, refresh=True)
    dossier = Dossier(application, cases[0], cases)
    await withdraw_all(session, dossier, Act.of(caller, now, ring))
    return application


async def own_file(
    session: AsyncSession, ring: KeyRing, application_id: UUID, file_id: UUID, *, caller: Caller
) -> UUID:
    """A file of an own application. Raises: NoSuchApplication, NoSuchFile."""
    application = await own_application(session, application_id, caller)
    files = await files_of(session, application.id, ring)
    if not any(one.id == file_id for held in files.values() for one in held):
        raise NoSuchFile
    return file_id


async def read_history(session: AsyncSession, application_id: UUID, *, caller: Caller) -> Sequence[Row[Any]]:
    """The whole history of an application, oldest first; for supervision of its division too.

    Raises: NoSuchApplication.
    """
    if "supervisor" in caller.roles:
        application = await find_application(session, application_id, lock=False)
        if application is None or not supervises(caller, application.division):
            raise NoSuchApplication
    else:
        await own_application(session, application_id, caller)
    return await timeline.read(session, application_id)


async def read_accesses(
    session: AsyncSession, application_id: UUID, *, caller: Caller, after: UUID | None, limit: int
) -> Sequence[AccessRecord]:
    """Who saw the applicant's data in full, newest first. Raises: NoSuchApplication."""
    await own_application(session, application_id, caller)
    statement = select(AccessRecord).where(AccessRecord.application_id == application_id)
    if after is not None:
        statement = statement.where(AccessRecord.id < after)
    return (await session.scalars(statement.order_by(AccessRecord.id.desc()).limit(limit + 1))).all()
