"""HTTP of staff."""

from typing import Annotated
from uuid import UUID

import pyotp
from fastapi import Query, Response, status

from identity_service.accounts.handlers import prepare_password
from identity_service.edge import CurrentSettings
from identity_service.organisation.domain import ISSUER_NAME, set_apart
from identity_service.organisation.handlers import credentials, role_requests
from identity_service.organisation.handlers import staff as handlers
from identity_service.organisation.schemas import (
    CredentialReset,
    CredentialResetDone,
    NewCredentials,
    StaffChange,
    StaffCreate,
    StaffCreated,
    StaffRead,
    StaffTimeline,
)
from service_common import timeline
from service_common.app import Now, Ring, api_router
from service_common.auth import Caller, require, scope
from service_common.db import Session
from service_common.etag import ExpectedVersion, set_etag
from service_common.idempotency import Once
from service_common.pages import Page, Paging

router = api_router("staff", prefix="/identity/v1/staff")

STAFF_MANAGE = scope("identity:staff.manage", zh="管理工作人员", en="Manage staff", roles={"operator"})
STAFF_READ = scope("identity:staff.read", zh="查看工作人员", en="See staff", roles={"operator", "supervisor"})
CREDENTIALS_RESET = scope(
    "identity:staff.reset-credentials",
    zh="重置工作人员登录凭据",
    en="Reset the credentials of staff",
    roles={"operator", "supervisor"},
)
Manager = Annotated[Caller, require(STAFF_MANAGE)]
Reader = Annotated[Caller, require(STAFF_READ)]


@router.post(
    "",
    status_code=status.HTTP_201_CREATED,
    summary="Add a staff member 新增工作人员",
    description="Opens an account with a password and a second factor. Both are shown in this answer alone; a "
    "password that was made up is changed at the first log-in. High roles wait for "
    "a second operator: see `role_request_id`.",
)
async def add_staff(
    *,
    body: StaffCreate,
    session: Session,
    ring: Ring,
    caller: Manager,
    _once: Once,
    settings: CurrentSettings,
    now: Now,
    response: Response,
) -> StaffCreated:
    at_once, waiting = set_apart(body.roles, held=(), high=settings.four_eyes_roles)
    password = body.password or handlers.new_password()
    secret = body.totp_secret or handlers.new_totp_secret()
    new = handlers.NewStaff(
        username=body.username,
        password_hash=await prepare_password(password, username=body.username),
        totp_secret=secret,
        name=body.name,
        department_id=body.department_id,
        position=body.position,
        roles=at_once,
        must_change_password=body.password is None,
    )
    staff = await handlers.add_staff(session, ring, new, now=now)
    request = await role_requests.ask_for(session, caller, staff, waiting, now=now)
    set_etag(response, staff.version)
    return StaffCreated(
        **StaffRead.of(staff, ring, request).model_dump(),
        username=body.username,
        password=password,
        totp_secret=secret,
        totp_uri=pyotp.TOTP(secret).provisioning_uri(name=body.username, issuer_name=ISSUER_NAME),
    )


@router.get(
    "",
    summary="List staff 工作人员列表",
    description="Operators see everybody, supervisors their own department. Names are masked.",
)
async def list_staff(
    session: Session,
    ring: Ring,
    caller: Reader,
    paging: Paging,
    department_id: Annotated[UUID | None, Query(description="Only of this department.")] = None,
) -> Page[StaffRead]:
    after = paging.after(UUID)
    rows = await handlers.list_staff(
        session,
        caller,
        department_id=department_id,
        after=after[0] if after else None,
        limit=paging.limit,
    )
    return paging.page(rows, key=lambda row: (row.id,), show=lambda row: StaffRead.of(row, ring))


@router.get("/{staff_id}", summary="Get a staff member 工作人员详情", description="The name is masked.")
async def get_staff(
    staff_id: UUID, session: Session, ring: Ring, caller: Reader, response: Response
) -> StaffRead:
    staff = await handlers.get_staff(session, staff_id, caller)
    set_etag(response, staff.version)
    return StaffRead.of(staff, ring)


@router.put(
    "/{staff_id}",
    summary="Move a staff member 工作人员调动",
    description="Sets department, position, roles and office anew; the sessions of that person end at once. Who moves keeps no "
    "role of the old department; high roles that are new wait for a second operator.",
)
async def reassign_staff(
    *,
    staff_id: UUID,
    body: StaffChange,
    session: Session,
    ring: Ring,
    caller: Manager,
    expected_version: ExpectedVersion,
    settings: CurrentSettings,
    now: Now,
    response: Response,
) -> StaffRead:
    held = await handlers.held_there(session, staff_id, body.department_id)
    at_once, waiting = set_apart(body.roles, held=held, high=settings.four_eyes_roles)
    staff = await handlers.reassign_staff(
        session,
        staff_id,
        department_id=body.department_id,
        roles=at_once,
        position=body.position,
        is_active=body.is_active,
        expected_version=expected_version,
        now=now,
    )
    request = await role_requests.ask_for(session, caller, staff, waiting if body.is_active else (), now=now)
    set_etag(response, staff.version)
    return StaffRead.of(staff, ring, request)


@router.post(
    "/{staff_id}/credential-resets",
    summary="Reset somebody's credentials 重置登录凭据",
    description="A new password, to be changed at the next log-in, and second factor, shown in this answer alone; passkeys are removed, every session ends, the "
    "person is told. Supervisors reset in their own department. Who holds a high role waits for a second operator: see "
    "`role_request_id`.",
)
async def reset_credentials(
    *,
    staff_id: UUID,
    body: CredentialReset,
    session: Session,
    ring: Ring,
    caller: Annotated[Caller, require(CREDENTIALS_RESET)],
    _once: Once,
    settings: CurrentSettings,
    now: Now,
) -> CredentialResetDone:
    fresh = await credentials.new_credentials()
    staff = await handlers.get_staff(session, staff_id, caller, for_update=True)
    request = await credentials.reset_credentials(
        session,
        ring,
        caller,
        staff,
        fresh,
        reason=body.reason,
        high=settings.four_eyes_roles,
        now=now,
    )
    shown = None if request else NewCredentials.of(fresh, await handlers.username_of(session, staff_id))
    return CredentialResetDone(
        staff_id=staff_id, credentials=shown, role_request_id=request.id if request else None
    )


@router.get(
    "/{staff_id}/timeline",
    summary="History of somebody's credentials 凭据重置记录",
    description="Who reset them, when and why. Operators see everybody's, supervisors those of their own department.",
)
async def read_timeline(staff_id: UUID, session: Session, caller: Reader) -> StaffTimeline:
    staff = await handlers.get_staff(session, staff_id, caller)
    return StaffTimeline.of(await timeline.read(session, staff.id))
