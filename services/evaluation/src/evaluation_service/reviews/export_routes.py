"""HTTP of the export of one's contacts and reviews."""

from uuid import UUID

from fastapi import Response

from evaluation_service.reviews.export import export_contacts
from evaluation_service.reviews.export_schemas import ContactExport
from evaluation_service.reviews.routes import Author
from service_common.app import Now, Ring, api_router
from service_common.db import Session
from service_common.pages import Page, Paging

router = api_router("export", prefix="/evaluation/v1/me")


@router.get("/export", summary="Export my data 导出个人数据")
async def export_my_data(
    *, session: Session, ring: Ring, now: Now, paging: Paging, response: Response, caller: Author
) -> Page[ContactExport]:
    """Service contacts that the caller could review, with the reviews in full, newest first. Asks for a log-in of the last
    quarter of an hour; agents do not get it."""
    response.headers["Cache-Control"] = "no-store"
    after = paging.after(UUID)
    rows = await export_contacts(
        session, ring, caller=caller, before=after[0] if after else None, limit=paging.limit + 1, now=now
    )
    return paging.page(rows, lambda one: (one.invitation.id,), lambda one: ContactExport.shown(one, now))
