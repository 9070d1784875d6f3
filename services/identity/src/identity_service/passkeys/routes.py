"""HTTP of one's own passkeys, for apps; the browser's pages are in ``pages``."""

from typing import Annotated
from uuid import UUID

from fastapi import status

from identity_service.passkeys import handlers
from identity_service.passkeys.edge import Us
from identity_service.passkeys.schemas import PasskeyList, PasskeyOptions, PasskeyRead, PasskeyRegister
from identity_service.sessions import handlers as sessions
from identity_service.sessions.routes import ME_SECURITY
from service_common.app import Now, api_router
from service_common.auth import Caller, require
from service_common.db import Session

router = api_router("passkeys", prefix="/identity/v1/me/passkeys")

Myself = Annotated[Caller, require(ME_SECURITY)]


@router.get("", summary="My passkeys 通行密钥", description="The oldest first.")
async def list_passkeys(session: Session, caller: Myself) -> PasskeyList:
    rows = await handlers.list_passkeys(session, sessions.account_of(caller))
    return PasskeyList(items=[PasskeyRead.model_validate(row) for row in rows])


@router.post(
    "/options",
    summary="Begin to add a passkey 添加通行密钥（第一步）",
    description="Asks for a log-in of the last quarter of an hour. Each challenge is new and works once, so there is no "
    "`Idempotency-Key`.",
)
async def begin(session: Session, caller: Myself, us: Us, now: Now) -> PasskeyOptions:
    account_id = sessions.account_of(caller)
    await sessions.check_fresh_caller(session, caller, now=now)
    asked = await handlers.begin_registration(session, us, account_id, now=now)
    return PasskeyOptions(challenge_id=asked.challenge_id, options=asked.options)


@router.post(
    "",
    status_code=status.HTTP_201_CREATED,
    summary="Add a passkey 添加通行密钥（第二步）",
    description="With what the authenticator has answered. The challenge works once, so no `Idempotency-Key` is needed.",
)
async def register(body: PasskeyRegister, session: Session, caller: Myself, us: Us, now: Now) -> PasskeyRead:
    row = await handlers.finish_registration(
        session,
        us,
        sessions.account_of(caller),
        handlers.Signed(body.challenge_id, body.credential),
        name=body.name,
        now=now,
    )
    return PasskeyRead.model_validate(row)


@router.delete(
    "/{passkey_id}",
    status_code=status.HTTP_204_NO_CONTENT,
    summary="Remove a passkey 移除通行密钥",
    description="Nobody enters with it any more; sessions that began with it go on until they are ended.",
)
async def remove(passkey_id: UUID, session: Session, caller: Myself) -> None:
    await handlers.remove_passkey(session, sessions.account_of(caller), passkey_id)
