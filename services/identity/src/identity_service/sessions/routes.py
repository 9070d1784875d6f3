"""HTTP of one's own sessions."""

from typing import Annotated
from uuid import UUID

from fastapi import status

from identity_service.edge import CurrentSettings, session_limits
from identity_service.relying_parties.handlers import client_names
from identity_service.scopes import EVERYBODY
from identity_service.sessions import handlers
from identity_service.sessions.schemas import SessionList, SessionRead
from service_common.app import Now, api_router
from service_common.auth import Caller, require, scope
from service_common.contracts.identity import SessionEndReason
from service_common.db import Session

router = api_router("sessions", prefix="/identity/v1/me/sessions")

ME_SECURITY = scope(
    "identity:me.security",
    zh="管理密码、登录设备和通行密钥",
    en="Manage password, devices and passkeys",
    roles=EVERYBODY,
)
Myself = Annotated[Caller, require(ME_SECURITY)]


@router.get(
    "",
    summary="Where I am logged in 登录设备",
    description="Browsers and the apps that were opened from them, the latest first.",
)
async def list_sessions(session: Session, caller: Myself, settings: CurrentSettings, now: Now) -> SessionList:
    places = await handlers.list_sessions(session, caller, limits=session_limits(settings), now=now)
    names = await client_names(session, (grant.client_id for place in places for grant in place.grants))
    return SessionList(items=[SessionRead.of(place, names) for place in places])


@router.post(
    "/{session_id}/end",
    status_code=status.HTTP_204_NO_CONTENT,
    summary="Log a device out 退出某设备",
    description="The browser and every app opened from it; their tokens are refused within a second. Repeating it changes "
    "nothing, so no `Idempotency-Key` is needed.",
)
async def end_session(session_id: UUID, session: Session, caller: Myself, now: Now) -> None:
    await handlers.end_own_session(session, caller, session_id, now=now)


@router.post(
    "/end-others",
    status_code=status.HTTP_204_NO_CONTENT,
    summary="Log all other devices out 退出其他设备",
    description="Everything but the session that is calling. Repeating it changes nothing, so no `Idempotency-Key` is needed.",
)
async def end_others(session: Session, caller: Myself, now: Now) -> None:
    await handlers.end_others(session, caller, reason=SessionEndReason.LOGOUT, now=now)
