"""HTTP of the export of one's licences."""

from typing import Annotated
from uuid import UUID

from fastapi import Response

from certificates_service.licences.routes import LICENCES_READ
from certificates_service.uses.export import export_licences
from certificates_service.uses.export_schemas import LicenceExport
from service_common.app import Now, Ring, api_router
from service_common.auth import Caller, require
from service_common.db import Session
from service_common.pages import Page, Paging

router = api_router("export", prefix="/certificates/v1/me")


@router.get("/export", summary="Export my data 导出个人数据")
async def export_my_data(
    *,
    session: Session,
    ring: Ring,
    now: Now,
    paging: Paging,
    response: Response,
    caller: Annotated[Caller, require(LICENCES_READ)],
) -> Page[LicenceExport]:
    """Licences that the caller holds, in clear, with who looked at them, newest first. Asks for a log-in of the last quarter of
    an hour; agents do not get it."""
    response.headers["Cache-Control"] = "no-store"
    after = paging.after(UUID)
    rows = await export_licences(
        session, ring, caller=caller, before=after[0] if after else None, limit=paging.limit + 1, now=now
    )
    return paging.page(rows, lambda one: (one.licence.id,), lambda one: LicenceExport.shown(one, now))
