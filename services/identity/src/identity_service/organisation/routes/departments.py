"""HTTP of departments."""

from typing import Annotated
from uuid import UUID

from fastapi import Query, Response, status

from identity_service.organisation.domain import normal_area_code
from identity_service.organisation.handlers import departments as handlers
from identity_service.organisation.schemas import DepartmentRead, DepartmentWrite
from service_common.app import Now, api_router
from service_common.auth import PUBLIC, Caller, require, scope
from service_common.db import Session
from service_common.etag import ExpectedVersion, set_etag
from service_common.idempotency import Once
from service_common.pages import Page, Paging

router = api_router("departments", prefix="/identity/v1/departments")

DEPARTMENTS_MANAGE = scope(
    "identity:departments.manage", zh="管理部门", en="Manage departments", roles={"operator"}
)
Manager = Annotated[Caller, require(DEPARTMENTS_MANAGE)]


@router.post(
    "",
    status_code=status.HTTP_201_CREATED,
    summary="Add a department 新增部门",
    description="An organ by its credit code, or with `unit_suffix` a unit inside one.",
)
async def add_department(
    body: DepartmentWrite, session: Session, _caller: Manager, _once: Once, now: Now, response: Response
) -> DepartmentRead:
    department = await handlers.add_department(session, body.facts(), now=now)
    set_etag(response, department.version)
    return DepartmentRead.of(department)


@router.get(
    "", summary="List departments 部门列表", description="By division; public.", dependencies=[PUBLIC]
)
async def list_departments(
    session: Session,
    paging: Paging,
    uscc: Annotated[str | None, Query(max_length=18, description="Only of this credit code.")] = None,
    division: Annotated[
        str | None, Query(pattern=r"^\d{6}(\d{3}){0,2}$", description="Only of exactly this division.")
    ] = None,
) -> Page[DepartmentRead]:
    rows = await handlers.list_departments(
        session,
        uscc=uscc,
        division=normal_area_code(division, pointer="query:division") if division else None,
        after=_after(paging),
        limit=paging.limit,
    )
    return paging.page(rows, key=lambda row: (row.division, row.id), show=DepartmentRead.of)


def _after(paging: Paging) -> tuple[str, UUID] | None:
    position = paging.after(str, UUID)
    return (position[0], position[1]) if position else None


@router.get(
    "/{department_id}", summary="Get a department 部门详情", description="Public.", dependencies=[PUBLIC]
)
async def get_department(department_id: UUID, session: Session, response: Response) -> DepartmentRead:
    department = await handlers.get_department(session, department_id)
    set_etag(response, department.version)
    return DepartmentRead.of(department)


@router.put(
    "/{department_id}",
    summary="Change a department 变更部门",
    description="Replaces what is known of it; with `is_active: false` it is closed.",
)
async def change_department(
    *,
    department_id: UUID,
    body: DepartmentWrite,
    session: Session,
    _caller: Manager,
    expected_version: ExpectedVersion,
    now: Now,
    response: Response,
) -> DepartmentRead:
    department = await handlers.change_department(
        session, department_id, body.facts(), expected_version=expected_version, now=now
    )
    set_etag(response, department.version)
    return DepartmentRead.of(department)
