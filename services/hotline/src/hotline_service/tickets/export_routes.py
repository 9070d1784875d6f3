"""HTTP of the export of one's tickets."""

from typing import Annotated
from uuid import UUID

from fastapi import Response

from hotline_service.tickets.export_schemas import TicketExport
from hotline_service.tickets.handlers.export import export_tickets
from hotline_service.tickets.routes import READ
from service_common.app import Now, Ring, api_router
from service_common.auth import Caller, require
from service_common.db import Session
from service_common.pages import Page, Paging

router = api_router("export", prefix="/hotline/v1/me")


@router.get("/export", summary="Export my data 导出个人数据")
async def export_my_data(
    *,
    session: Session,
    ring: Ring,
    now: Now,
    paging: Paging,
    response: Response,
    caller: Annotated[Caller, require(READ)],
) -> Page[TicketExport]:
    """The tickets that the caller wrote, in clear, newest first. Asks for a log-in of the last quarter of an hour; agents do
    not get it."""
    response.headers["Cache-Control"] = "no-store"
    after = paging.after(UUID)
    rows = await export_tickets(
        session, ring, caller=caller, before=after[0] if after else None, limit=paging.limit + 1, now=now
    )
    return paging.page(rows, lambda one: (one.row.id,), TicketExport.of)
