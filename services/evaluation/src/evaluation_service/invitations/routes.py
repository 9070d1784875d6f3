"""HTTP of invitations."""

from typing import Annotated
from uuid import UUID

from fastapi import Query

from evaluation_service.invitations import handlers
from evaluation_service.invitations.schemas import InvitationRead
from evaluation_service.scopes import REVIEWS_WRITE
from service_common.app import Now, Ring, api_router
from service_common.auth import Caller, require
from service_common.db import Session
from service_common.pages import Page, Paging

router = api_router("invitations", prefix="/evaluation/v1/invitations")


@router.get("", summary="What you may review")
async def list_invitations(
    *,
    session: Session,
    ring: Ring,
    now: Now,
    paging: Paging,
    caller: Annotated[Caller, require(REVIEWS_WRITE)],
    open_only: Annotated[bool, Query(description="Only what can still be reviewed.")] = False,
) -> Page[InvitationRead]:
    """One for each service contact, newest first."""
    after = paging.after(UUID)
    rows = await handlers.list_invitations(
        session,
        ring,
        person_id=caller.person_id,
        open_at=now if open_only else None,
        before=after[0] if after else None,
        limit=paging.limit + 1,
    )
    return paging.page(rows, lambda row: (row.id,), lambda row: InvitationRead.of(row, now))
