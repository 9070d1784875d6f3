"""HTTP of passwords."""

from typing import Annotated

from fastapi import status

from identity_service.credentials import handlers, phone_change
from identity_service.credentials.schemas import PasswordChange, PasswordReset, PhoneChange
from identity_service.db import InTransactions
from identity_service.sessions.routes import ME_SECURITY
from identity_service.space.routes import Manager
from service_common.app import Now, Ring, api_router
from service_common.auth import PUBLIC, Caller, require

router = api_router("credentials", prefix="/identity/v1")


@router.post(
    "/me/password",
    status_code=status.HTTP_204_NO_CONTENT,
    summary="Change the password 修改密码",
    description="Needs the current one. Every other session and app is logged out. A repeat fails on the old password, "
    "so no `Idempotency-Key` is needed.",
)
async def change_password(
    body: PasswordChange,
    transactions: InTransactions,
    ring: Ring,
    caller: Annotated[Caller, require(ME_SECURITY)],
    now: Now,
) -> None:
    await handlers.change_password(
        transactions,
        ring,
        await handlers.place_of(transactions, caller),
        current=body.current_password.get_secret_value(),
        new=body.new_password.get_secret_value(),
        now=now,
    )


@router.post(
    "/me/phone",
    status_code=status.HTTP_204_NO_CONTENT,
    summary="Change the phone number 更换手机号",
    description="With a code from `POST /phone-codes` of purpose `PHONE_CHANGE` to the new number, and the password. The old "
    "number is told by text message. A repeat is refused for its code, which works once: no `Idempotency-Key`.",
)
async def change_phone(
    body: PhoneChange,
    transactions: InTransactions,
    ring: Ring,
    caller: Manager,
    now: Now,
) -> None:
    await phone_change.change_phone(transactions, ring, caller.person_id, body.wish(), now=now)


@router.post(
    "/password-resets",
    status_code=status.HTTP_204_NO_CONTENT,
    summary="Reset a forgotten password 重置密码",
    description="With a code from `POST /phone-codes` of purpose `PASSWORD_RESET`; all sessions end. One refusal for "
    "everything that may be wrong. The code works once, so no `Idempotency-Key` is needed.",
    dependencies=[PUBLIC],
)
async def reset_password(body: PasswordReset, transactions: InTransactions, ring: Ring, now: Now) -> None:
    await handlers.reset_password(transactions, ring, body.wish(), now=now)
