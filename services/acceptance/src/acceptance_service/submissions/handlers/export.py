"""A person's own applications with everything in them, in clear, for the person alone."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from acceptance_service.applications.models import AccessRecord, Application, Form, Material
from acceptance_service.applications.repository import FORM_COLUMN, PROFILE_COLUMN
from acceptance_service.cases.handlers.reading import DocumentView, open_document
from acceptance_service.cases.models import Case
from acceptance_service.cases.repository import documents_of
from acceptance_service.departments.handlers import department_names
from acceptance_service.files.handlers import FileFacts, files_of_all
from service_common.auth import Caller
from service_common.crypto import KeyRing
from service_common.exports import check_exporter

_Row = TypeVar("_Row")

MOST_ACCESSES = 100
"""Of each application in an export; the application's own list has all."""


@dataclass(frozen=True)
class ExportedApplication:
    """An application with its newest form, its materials, its cases with their written acts, and who saw the data."""

    application: Application
    profile: dict[str, Any] | None
    form: dict[str, Any]
    materials: Sequence[tuple[Material, Sequence[FileFacts]]]
    cases: Sequence[tuple[Case, Sequence[DocumentView]]]
    accesses: Sequence[AccessRecord]
    departments: Mapping[UUID | None, str]


async def export_applications(
    session: AsyncSession, ring: KeyRing, *, caller: Caller, before: UUID | None, limit: int, now: datetime
) -> Sequence[ExportedApplication]:
    """A page of the person's own applications, newest first; those of represented legal persons are not personal data.

    As many statements for a page as for one application. Raises: NotAPerson, LoginTooOld.
    """
    query = select(Application).where(Application.applicant_id == check_exporter(caller, now=now))
    if before is not None:
        query = query.where(Application.id < before)
    rows = (await session.scalars(query.order_by(Application.id.desc()).limit(limit))).all()
    ids = [one.id for one in rows]
    forms = await _forms_of(session, ring, ids)
    materials = _grouped(
        await session.scalars(
            select(Material).where(Material.application_id.in_(ids)).order_by(Material.code)
        ),
        lambda row: row.application_id,
    )
    files = await files_of_all(session, ids, ring)
    cases = _grouped(
        await session.scalars(select(Case).where(Case.application_id.in_(ids)).order_by(Case.id)),
        lambda row: row.application_id,
    )
    acts = await _acts_of(session, ring, [case.id for found in cases.values() for case in found])
    accesses = await _accesses_of(session, ids)
    departments = await department_names(
        session,
        [
            *(case.department_id for found in cases.values() for case in found),
            *(one.department_id for found in accesses.values() for one in found),
        ],
    )
    return [
        ExportedApplication(
            application=one,
            profile=ring.decrypt_json(one.applicant_profile, column=PROFILE_COLUMN)
            if one.applicant_profile
            else None,
            form=forms.get(one.id, {}),
            materials=[(row, files.get((one.id, row.code), [])) for row in materials[one.id]],
            cases=[(case, acts[case.id]) for case in cases[one.id]],
            accesses=accesses[one.id],
            departments=departments,
        )
        for one in rows
    ]


async def _forms_of(
    session: AsyncSession, ring: KeyRing, ids: Sequence[UUID]
) -> Mapping[UUID, dict[str, Any]]:
    found = await session.execute(
        select(Form.application_id, Form.body)
        .join(Application, Application.id == Form.application_id)
        .where(Form.application_id.in_(ids), Form.revision == Application.form_revision)
    )
    return {row.application_id: ring.decrypt_json(row.body, column=FORM_COLUMN) for row in found}


def _grouped(rows: Iterable[_Row], key: Callable[[_Row], UUID]) -> Mapping[UUID, list[_Row]]:
    found: dict[UUID, list[_Row]] = defaultdict(list)
    for row in rows:
        found[key(row)].append(row)
    return found


async def _acts_of(
    session: AsyncSession, ring: KeyRing, case_ids: Sequence[UUID]
) -> Mapping[UUID, list[DocumentView]]:
    documents = _grouped(await documents_of(session, case_ids), lambda one: one.case_id)
    return defaultdict(
        list, {case_id: [open_document(one, ring) for one in found] for case_id, found in documents.items()}
    )


async def _accesses_of(session: AsyncSession, ids: Sequence[UUID]) -> Mapping[UUID, list[AccessRecord]]:
    place = func.row_number().over(partition_by=AccessRecord.application_id, order_by=AccessRecord.id.desc())
    newest = (
        select(AccessRecord.id, place.label("place")).where(AccessRecord.application_id.in_(ids)).subquery()
    )
    query = (
        select(AccessRecord)
        .join(newest, newest.c.id == AccessRecord.id)
        .where(newest.c.place <= MOST_ACCESSES)
        .order_by(AccessRecord.id.desc())
    )
    return _grouped(await session.scalars(query), lambda one: one.application_id)
