"""The app lets devices in: scan to log in 扫码登录."""

import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Path, Request, status

from identity_service.db import InTransactions, Transactions
from identity_service.edge import address_of
from identity_service.oidc import device_approval
from identity_service.oidc.device_approval import Approver
from identity_service.oidc.provider import Work
from identity_service.oidc.routes.work import Bench, CurrentBench
from identity_service.oidc.schemas import DeviceAuthorizationRead
from service_common.app import api_router
from service_common.auth import Caller, require, scope

router = api_router("devices", prefix="/identity/v1/me/device-authorizations")

DEVICES_APPROVE = scope(
    "identity:devices.approve",
    zh="扫码登录其他设备",
    en="Let other devices sign in as you",
    roles={"citizen", "company_agent", "clerk", "approver", "hotline_agent", "supervisor", "operator"},
)
UserCode = Annotated[str, Path(max_length=40, examples=["WDJB-MJHT"])]


@dataclass(frozen=True)
class Desk:
    """Where decisions about devices are made, for the person who calls."""

    bench: Bench
    transactions: Transactions
    caller: Caller
    address: str

    @contextlib.asynccontextmanager
    async def decision(self) -> AsyncIterator[tuple[Work, Approver]]:
        """What is decided about a code, in one transaction, after the attempt was counted in another.

        Raises: TooMany, NoSuchDevice.
        """
        bench = self.bench
        async with self.transactions() as session:
            approver = await device_approval.approver_of(bench.work(session), self.caller)
            await device_approval.admit_guess(
                session, bench.ring, subject_id=approver.subject_id, address=self.address, now=bench.now
            )
        async with self.transactions() as session:
            yield bench.work(session), approver


async def _desk(
    request: Request,
    bench: CurrentBench,
    transactions: InTransactions,
    caller: Annotated[Caller, require(DEVICES_APPROVE)],
) -> Desk:
    return Desk(bench, transactions, caller, address_of(request))


CurrentDesk = Annotated[Desk, Depends(_desk)]


@router.get(
    "/{user_code}",
    summary="Who asks to sign in 查看设备登录请求",
    description="What waits for this code: which application, for which permissions, from where and since when. "
    "Wrong codes are slowed down.",
)
async def show_device(user_code: UserCode, desk: CurrentDesk) -> DeviceAuthorizationRead:
    async with desk.decision() as (work, approver):
        waiting = await device_approval.find_waiting(work, approver, user_code, address=desk.address)
        return DeviceAuthorizationRead.of(waiting)


@router.post(
    "/{user_code}/approve",
    status_code=status.HTTP_204_NO_CONTENT,
    summary="Let a device in 同意设备登录",
    description="The device gets a session of its own. A code is decided about once; who has let it in may repeat it: no "
    "`Idempotency-Key`. A device that was itself let in by scanning lets nobody in (`let_in_by_scanning`).",
)
async def approve_device(user_code: UserCode, desk: CurrentDesk) -> None:
    async with desk.decision() as (work, approver):
        await device_approval.let_in(work, approver, user_code, address=desk.address)


@router.post(
    "/{user_code}/deny",
    status_code=status.HTTP_204_NO_CONTENT,
    summary="Send a device away 拒绝设备登录",
    description="The device is told `access_denied`. A code is decided about once: no `Idempotency-Key`.",
)
async def deny_device(user_code: UserCode, desk: CurrentDesk) -> None:
    async with desk.decision() as (work, approver):
        waiting = await device_approval.find_waiting(work, approver, user_code, address=desk.address)
        device_approval.deny(waiting)
