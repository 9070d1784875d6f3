"""HTTP of identity codes."""

from typing import Annotated
from uuid import UUID

from identity_service.identity_codes import handlers
from identity_service.identity_codes.schemas import BearerRead, CodeRead, CodeVerify
from identity_service.oidc.routes.work import CurrentWork
from identity_service.profiles.domain import Attribute
from service_common.app import api_router
from service_common.auth import Caller, require, scope

router = api_router("identity-codes", prefix="/identity/v1")

CODES_SHOW = scope(
    "identity:codes.show", zh="出示身份码和企业码", en="Show your codes", roles={"citizen", "company_agent"}
)
CODES_VERIFY = scope(
    "identity:codes.verify", zh="核验身份码和企业码", en="Verify identity codes", roles={"partner"}
)
# What a terminal learns beyond "this is somebody of that level" is granted one by one.
ATTRIBUTE_SCOPES = {
    Attribute.NAME: scope(
        "identity:codes.verify.name", zh="核验时取得姓名", en="Get the name with a code", roles={"partner"}
    ),
    Attribute.ID_NUMBER: scope(
        "identity:codes.verify.id-number",
        zh="核验时取得证件号码",
        en="Get the identity number with a code",
        roles={"partner"},
    ),
    Attribute.PHONE: scope(
        "identity:codes.verify.phone",
        zh="核验时取得手机号码",
        en="Get the phone with a code",
        roles={"partner"},
    ),
}
Bearer = Annotated[Caller, require(CODES_SHOW)]


@router.post(
    "/me/identity-code",
    summary="Show my identity code 身份码",
    description="A fresh code for one use within one minute; it holds nothing of the person. Each is new, so there is no "
    "`Idempotency-Key`.",
)
async def show_identity_code(caller: Bearer, work: CurrentWork) -> CodeRead:
    return CodeRead.of(await handlers.show_code(work, caller, None))


@router.post(
    "/legal-persons/{legal_person_id}/enterprise-code",
    summary="Show an enterprise code 企业码",
    description="Of a legal person that the caller acts for; it tells in which capacity. Each is new, so there is no "
    "`Idempotency-Key`.",
)
async def show_enterprise_code(legal_person_id: UUID, caller: Bearer, work: CurrentWork) -> CodeRead:
    return CodeRead.of(await handlers.show_code(work, caller, legal_person_id))


@router.post(
    "/identity-code-verifications",
    summary="Verify a code 核验身份码",
    description="By a terminal with a client of its own. The code is used up; name, number and phone come only with their own "
    "scopes; the person reads in the own log who looked. A repeat is refused, so there is no `Idempotency-Key`.",
)
async def verify_code(
    body: CodeVerify, caller: Annotated[Caller, require(CODES_VERIFY)], work: CurrentWork
) -> BearerRead:
    allowed = frozenset(one for one, needed in ATTRIBUTE_SCOPES.items() if needed.name in caller.scopes)
    return BearerRead.of(await handlers.verify_code(work, caller, body.code, allowed, body.reference))
