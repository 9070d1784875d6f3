"""What clients were told of logouts, for those who look after a client that does not forget its users."""

from uuid import UUID

from identity_service.oidc import backchannel
from identity_service.oidc.schemas import LogoutNoticeRead
from identity_service.relying_parties.routes import Manager
from service_common.app import api_router
from service_common.db import Session
from service_common.pages import Page, Paging

router = api_router("clients", prefix="/identity/v1/clients")


@router.get(
    "/{client_id}/logout-notices",
    summary="Logouts a client was told of 退出通知记录",
    description="Newest first, with tries and the last answer (Back-Channel Logout 1.0). Kept for 30 days.",
)
async def list_logout_notices(
    client_id: str, session: Session, caller: Manager, paging: Paging
) -> Page[LogoutNoticeRead]:
    after = paging.after(UUID)
    rows = await backchannel.list_notices(
        session, caller, client_id, before=after[0] if after else None, limit=paging.limit
    )
    return paging.page(rows, key=lambda row: (row.id,), show=LogoutNoticeRead.model_validate)
