"""HTTP of the export of one's applications."""

from typing import Annotated
from uuid import UUID

from fastapi import Response

from acceptance_service.submissions.export_schemas import ApplicationExport
from acceptance_service.submissions.handlers.export import export_applications
from acceptance_service.submissions.scopes import APPLICATIONS_READ
from service_common.app import Now, Ring, api_router
from service_common.auth import Caller, require
from service_common.db import Session
from service_common.pages import Page, Paging

router = api_router("export", prefix="/acceptance/v1/me")


@router.get("/export", summary="Export my data 导出个人数据")
async def export_my_data(
    *,
    session: Session,
    ring: Ring,
    now: Now,
    paging: Paging,
    response: Response,
    caller: Annotated[Caller, require(APPLICATIONS_READ)],
) -> Page[ApplicationExport]:
    """The caller's own applications with form, materials, cases and who saw the data, in clear, newest first. Asks for a log-in
    of the last quarter of an hour; agents do not get it."""
    response.headers["Cache-Control"] = "no-store"
    after = paging.after(UUID)
    rows = await export_applications(
        session, ring, caller=caller, before=after[0] if after else None, limit=paging.limit + 1, now=now
    )
    return paging.page(rows, lambda one: (one.application.id,), ApplicationExport.of)
