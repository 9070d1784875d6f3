"""HTTP for the platform's own services."""

from typing import Annotated
from uuid import UUID

from fastapi import Query

from certificates_service.licences.schemas import LicenceRead
from certificates_service.sharing import handlers
from certificates_service.sharing.schemas import FetchedRead, FetchRequest
from service_common.app import Now, Ring, api_router
from service_common.auth import Caller, require, scope
from service_common.db import Session
from service_common.idempotency import Once
from service_common.pages import Page, Paging

LICENCES_SHARE = scope(
    "certificates:licences.share",
    zh="为办件查询、调用持证主体的电子证照",
    en="Find and fetch a holder's licences for a case",
    roles={"service"},
)

router = api_router("sharing", prefix="/certificates/v1")


@router.get("/holders/{holder_id}/licences", summary="The licences of a holder, without surface")
async def licences_of_holder(
    *,
    _caller: Annotated[Caller, require(LICENCES_SHARE)],
    session: Session,
    now: Now,
    paging: Paging,
    holder_id: UUID,
    type_code: Annotated[list[str] | None, Query(max_length=50, description="Any of these types.")] = None,
) -> Page[LicenceRead]:
    """Newest first. Tells whether a material can be waived; looking at this is no use of a licence."""
    after = paging.after(UUID)
    rows = await handlers.licences_of_holder(
        session,
        holder_id,
        type_codes=type_code or [],
        after=after[0] if after else None,
        limit=paging.limit + 1,
    )
    return paging.page(rows, lambda row: (row.id,), lambda row: LicenceRead.of(row, now))


@router.post("/licences/{licence_id}/fetch", summary="Fetch surface data for a case")
async def fetch_surface(
    *,
    caller: Annotated[Caller, require(LICENCES_SHARE)],
    _once: Once,
    session: Session,
    now: Now,
    ring: Ring,
    licence_id: UUID,
    body: FetchRequest,
) -> FetchedRead:
    """Only the fields asked for, only of a licence that holds, only for a case or application of the holder. The holder sees it."""
    fetched = await handlers.fetch_surface(
        session,
        ring,
        licence_id,
        purpose=body.purpose_code,
        about_id=body.case_or_application_id,
        fields=body.fields,
        caller=caller,
        now=now,
    )
    return FetchedRead.of(fetched, now)
