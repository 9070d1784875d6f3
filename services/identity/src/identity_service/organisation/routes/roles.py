"""HTTP of roles, and of the requests for high ones."""

from typing import Annotated
from uuid import UUID

from fastapi import Query

from identity_service.edge import Catalogue, CurrentSettings
from identity_service.organisation.domain import ROLE_LABELS, RequestKind, Role
from identity_service.organisation.handlers import credentials, role_requests
from identity_service.organisation.handlers.staff import username_of
from identity_service.organisation.routes.staff import STAFF_MANAGE, STAFF_READ
from identity_service.organisation.schemas import (
    NewCredentials,
    Permission,
    RoleDecision,
    RoleList,
    RoleRead,
    RoleRequestRead,
)
from service_common.app import Now, Ring, api_router
from service_common.auth import Caller, require
from service_common.db import Session
from service_common.idempotency import Once
from service_common.pages import Page, Paging

router = api_router("roles", prefix="/identity/v1")

Manager = Annotated[Caller, require(STAFF_MANAGE)]


@router.get(
    "/roles",
    summary="List roles 角色与权限",
    description="What each role permits, always within the department and division of who holds it.",
)
async def list_roles(
    _caller: Annotated[Caller, require(STAFF_READ)], catalogue: Catalogue, settings: CurrentSettings
) -> RoleList:
    return RoleList(
        items=[
            RoleRead(
                role=role,
                label=ROLE_LABELS[role],
                needs_two_operators=role in settings.four_eyes_roles,
                permissions=[
                    Permission(scope=one.name, zh=one.zh, en=one.en)
                    for one in catalogue.entries.values()
                    if role in one.roles
                ],
            )
            for role in Role
        ]
    )


@router.get(
    "/role-requests",
    summary="List requests for high roles and their credentials 高权限申请",
    description="Newest first; by default those that wait for a second operator.",
)
async def list_role_requests(
    session: Session,
    _caller: Manager,
    paging: Paging,
    pending: Annotated[bool, Query(description="Only those not decided yet.")] = True,
) -> Page[RoleRequestRead]:
    before = paging.after(UUID)
    rows = await role_requests.list_requests(
        session, pending_only=pending, before=before[0] if before else None, limit=paging.limit
    )
    return paging.page(rows, key=lambda row: (row.id,), show=RoleRequestRead.of)


@router.post(
    "/role-requests/{request_id}/decide",
    summary="Decide on a request 复核高权限申请",
    description="By another operator than the one who asked, and never about oneself. A grant ends the person's "
    "sessions; new credentials are shown in this answer alone.",
)
async def decide_role_request(
    *,
    request_id: UUID,
    body: RoleDecision,
    session: Session,
    ring: Ring,
    caller: Manager,
    _once: Once,
    now: Now,
) -> RoleRequestRead:
    fresh = await credentials.new_credentials() if body.approve else None
    row = await role_requests.decide(session, caller, request_id, approve=body.approve, now=now)
    if row.kind is RequestKind.ROLES:
        return RoleRequestRead.of(row)
    await credentials.decide(session, ring, caller, row, fresh, now=now)
    username = await username_of(session, row.staff_id)
    return RoleRequestRead.of(row, NewCredentials.of(fresh, username) if fresh else None)
