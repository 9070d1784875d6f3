"""HTTP of profiles: one's own, and look-ups by services."""

from typing import Annotated
from uuid import UUID

from identity_service.accounts.handlers import find_account
from identity_service.people.handlers import lookup
from identity_service.people.schemas import PersonSelf
from identity_service.profiles import handlers
from identity_service.profiles.schemas import AccessRead, ProfileLookup, ProfileRead
from service_common.app import Now, Ring, api_router
from service_common.auth import Caller, require, scope
from service_common.db import Session
from service_common.pages import Page, Paging

router = api_router("profiles", prefix="/identity/v1")

ME_READ = scope(
    "identity:me.read",
    zh="查看本人资料",
    en="See your own profile",
    roles={"citizen", "company_agent"},
)
PROFILES_LOOKUP = scope(
    "identity:profiles.lookup", zh="查询已核验资料", en="Look up verified profiles", roles={"service"}
)
Myself = Annotated[Caller, require(ME_READ)]


@router.get(
    "/me", summary="My profile 我的资料", description="Masked: name, identity number and phone in part."
)
async def me(session: Session, ring: Ring, caller: Myself, now: Now) -> PersonSelf:
    profile = await lookup.profile_of(session, ring, caller.person_id, now=now)
    account = await find_account(session, caller.person_id)
    return PersonSelf.of(profile, account.username if account else "")


@router.get(
    "/me/access-log",
    summary="Who looked at my data 谁查看过我的信息",
    description="Every look at verified data of the caller, and of the legal persons that the caller represents, newest "
    "first, with department, purpose, legal basis and case.",
)
async def access_log(session: Session, caller: Myself, paging: Paging) -> Page[AccessRead]:
    before = paging.after(UUID)
    rows = await handlers.accesses_to(
        session, caller.person_id, before=before[0] if before else None, limit=paging.limit
    )
    return paging.page(rows, key=lambda look: (look.entry.id,), show=AccessRead.of)


@router.post(
    "/profiles/lookup",
    summary="Look up verified data 查询已核验资料",
    description="For our own services, with a purpose. Writes an entry that the person can read. Reads only: a repeat "
    "is a second look and is logged as such, so there is no `Idempotency-Key`.",
)
async def look_up(
    body: ProfileLookup,
    session: Session,
    ring: Ring,
    caller: Annotated[Caller, require(PROFILES_LOOKUP)],
    now: Now,
) -> ProfileRead:
    found = await handlers.look_up(session, ring, caller, body.wish(), now=now)
    return ProfileRead(person_id=body.person_id, legal_person_id=body.legal_person_id, attributes=found)
