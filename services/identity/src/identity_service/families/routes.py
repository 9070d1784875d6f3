"""HTTP of children and guardians."""

from typing import Annotated
from uuid import UUID

from fastapi import status

from identity_service.db import InTransactions
from identity_service.edge import CurrentAuthority, CurrentSettings
from identity_service.families import handlers
from identity_service.families.schemas import ChildRegister, GuardianshipList, GuardianshipRead
from identity_service.people.handlers import guardians
from identity_service.people.routes import ME_VERIFY
from service_common.app import Now, Ring, api_router
from service_common.auth import Caller, require
from service_common.db import Session

router = api_router("families", prefix="/identity/v1")

Guardian = Annotated[Caller, require(ME_VERIFY)]


@router.post(
    "/me/children",
    status_code=status.HTTP_201_CREATED,
    summary="Register a child 登记未成年子女",
    description="By the guardian whom the register names; the child needs no phone and no account. Repeating it gives the same "
    "guardianship, so no `Idempotency-Key` is needed.",
)
async def register_child(
    *,
    body: ChildRegister,
    transactions: InTransactions,
    ring: Ring,
    caller: Guardian,
    authority: CurrentAuthority,
    settings: CurrentSettings,
    now: Now,
) -> GuardianshipRead:
    row = await guardians.register_child(
        transactions,
        ring,
        authority,
        caller.person_id,
        guardians.ChildClaim(body.name, body.document()),
        allow_fixtures=settings.allow_fixture_identities,
        now=now,
    )
    async with transactions() as session:
        return GuardianshipRead.of(await handlers.empower(session, ring, row.id, now=now))


@router.get(
    "/me/guardianships",
    summary="Guardianships 监护关系",
    description="For whom the caller acts as guardian, and who acts for the caller.",
)
async def list_guardianships(session: Session, caller: Guardian, now: Now) -> GuardianshipList:
    rows = await guardians.guardianships_of(session, caller.person_id, now=now)
    return GuardianshipList(items=[GuardianshipRead.of(row) for row in rows])


@router.post(
    "/me/guardianships/{guardianship_id}/end",
    status_code=status.HTTP_204_NO_CONTENT,
    summary="End a guardianship 解除监护关系",
    description="By the guardian. Once ended it is unknown, so no `Idempotency-Key` is needed.",
)
async def end_guardianship(guardianship_id: UUID, session: Session, caller: Guardian, now: Now) -> None:
    await handlers.end_guardianship(session, caller.person_id, guardianship_id, now=now)
