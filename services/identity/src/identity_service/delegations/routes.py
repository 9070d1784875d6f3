"""HTTP of delegations."""

from typing import Annotated
from uuid import UUID

from fastapi import Response, status

from identity_service.delegations import handlers
from identity_service.delegations.schemas import (
    DelegationAccept,
    DelegationDetail,
    DelegationGrant,
    DelegationRead,
    DelegationTerms,
    DelegationText,
)
from identity_service.edge import CurrentSettings
from identity_service.people.edge import Seeking
from service_common.app import Now, Ring, api_router
from service_common.auth import Caller, require, scope
from service_common.db import Session
from service_common.idempotency import Once
from service_common.pages import Page, Paging

router = api_router("delegations", prefix="/identity/v1/delegations")

DELEGATIONS_READ = scope(
    "identity:delegations.read",
    zh="查看代办授权",
    en="See delegations given and received",
    roles={"citizen", "clerk"},
)
DELEGATIONS_MANAGE = scope(
    "identity:delegations.manage",
    zh="授予、接受和解除代办授权",
    en="Give, accept and end delegations",
    roles={"citizen", "clerk"},
)
Reader = Annotated[Caller, require(DELEGATIONS_READ)]
Manager = Annotated[Caller, require(DELEGATIONS_MANAGE)]


@router.post(
    "/text",
    summary="Read the text to agree to 授权书",
    description="Writes nothing. The same terms give the same text; its hash is sent when agreeing. Looking for people by trying "
    "is slowed down.",
)
async def draft_text(
    *,
    body: DelegationTerms,
    session: Session,
    ring: Ring,
    caller: Manager,
    _seeking: Seeking,
    settings: CurrentSettings,
    now: Now,
    response: Response,
) -> DelegationText:
    response.headers["Cache-Control"] = "no-store"
    level = settings.delegation_least_level
    return DelegationText.of(
        await handlers.draft_text(session, ring, caller, body.offer, level=level, now=now)
    )


@router.post(
    "",
    status_code=status.HTTP_201_CREATED,
    summary="Let somebody act for me 授权代办",
    description="By the principal, or by the representative of a legal person. The agent accepts it before it can be used.",
)
async def grant(
    *,
    body: DelegationGrant,
    session: Session,
    ring: Ring,
    caller: Manager,
    settings: CurrentSettings,
    _once: Once,
    _seeking: Seeking,
    now: Now,
    response: Response,
) -> DelegationRead:
    row = await handlers.grant_delegation(
        session,
        ring,
        caller,
        body.offer,
        agreed_hash=bytes.fromhex(body.agreed_sha256),
        level=settings.delegation_least_level,
        now=now,
    )
    response.headers["Location"] = f"/identity/v1/delegations/{row.id}"
    return DelegationRead.of(row, now)


@router.get("", summary="My delegations", description="Given and received, newest first, the ended ones too.")
async def list_delegations(
    session: Session, caller: Reader, paging: Paging, now: Now
) -> Page[DelegationRead]:
    after = paging.after(UUID)
    rows = await handlers.list_delegations(
        session, caller, before=after[0] if after else None, limit=paging.limit
    )
    return paging.page(rows, key=lambda row: (row.id,), show=lambda row: DelegationRead.of(row, now))


@router.get(
    "/{delegation_id}", summary="A delegation", description="With the agreed text, for its two sides."
)
async def read(
    *, delegation_id: UUID, session: Session, ring: Ring, caller: Reader, now: Now, response: Response
) -> DelegationDetail:
    row, text = await handlers.read_delegation(session, ring, caller, delegation_id)
    response.headers["Cache-Control"] = "no-store"
    return DelegationDetail.opened(row, text, now)


@router.post(
    "/{delegation_id}/accept",
    summary="Accept 接受委托",
    description="By the agent, once. Tokens are then got by token exchange (RFC 8693) at the token endpoint.",
)
async def accept(
    *,
    delegation_id: UUID,
    body: DelegationAccept,
    session: Session,
    caller: Manager,
    settings: CurrentSettings,
    _once: Once,
    now: Now,
) -> DelegationRead:
    row = await handlers.accept_delegation(
        session,
        caller,
        delegation_id,
        agreed_hash=bytes.fromhex(body.agreed_sha256),
        level=settings.delegation_least_level,
        now=now,
    )
    return DelegationRead.of(row, now)


@router.post(
    "/{delegation_id}/revoke",
    summary="End it 解除委托",
    description="By either side; the agent declines an offer so, too. Its access tokens are refused within a second.",
)
async def revoke(
    *, delegation_id: UUID, session: Session, caller: Manager, _once: Once, now: Now
) -> DelegationRead:
    return DelegationRead.of(await handlers.revoke_delegation(session, caller, delegation_id, now=now), now)
