"""HTTP of uses."""

from typing import Annotated
from uuid import UUID

from certificates_service.licences.routes import LICENCES_READ
from certificates_service.uses import handlers
from certificates_service.uses.schemas import UseRead
from service_common.app import api_router
from service_common.auth import Caller, require
from service_common.db import Session
from service_common.delegation import Act
from service_common.pages import Page, Paging

router = api_router("uses", prefix="/certificates/v1/licences")


@router.get("/{licence_id}/uses", summary="Who looked at my licence")
async def list_uses(
    caller: Annotated[Caller, require(LICENCES_READ, act=Act.VIEW)],
    session: Session,
    paging: Paging,
    licence_id: UUID,
) -> Page[UseRead]:
    """For the holder: every presentation, verification and fetch, newest first, with its purpose and ground."""
    after = paging.after(UUID)
    rows = await handlers.list_uses(
        session, licence_id, caller=caller, after=after[0] if after else None, limit=paging.limit + 1
    )
    return paging.page(rows, lambda row: (row.use.id,), UseRead.of)
