"""HTTP of natural persons."""

from datetime import timedelta
from typing import Annotated
from uuid import UUID

from fastapi import Depends, Request, status

from identity_service.db import InTransactions
from identity_service.edge import CurrentAuthority, CurrentSettings, address_of, need_sms
from identity_service.people.handlers import (
    phone_codes,
    real_name,
    real_person,
    verifications,
)
from identity_service.people.handlers.sign_up import SignUp, sign_up
from identity_service.people.schemas import (
    FaceRequest,
    NetworkIdentityRequest,
    PersonCreate,
    PersonCreated,
    PhoneCodeRequest,
    RealNameRequest,
    RealNameResult,
    VerificationRead,
)
from service_common.app import Now, Ring, api_router
from service_common.auth import PUBLIC, Caller, require, scope
from service_common.db import Session
from service_common.pages import Page, Paging
from service_common.problem import language_of

router = api_router("people", prefix="/identity/v1")

ME_VERIFY = scope(
    "identity:me.verify", zh="办理实名认证", en="Verify your identity", roles={"citizen", "company_agent"}
)
Verifying = Annotated[Caller, require(ME_VERIFY)]


@router.post(
    "/phone-codes",
    status_code=status.HTTP_202_ACCEPTED,
    summary="Send a code 获取短信验证码",
    description="Sends a six-digit code, valid for five minutes, to sign up, to reset a password, or to the new number of who changes it. The answer is the same whether or not the phone has an "
    "account. At first one a minute per phone; no `Idempotency-Key`: a repeat within that time sends nothing.",
    dependencies=[PUBLIC, Depends(need_sms)],
)
async def send_code(
    body: PhoneCodeRequest, request: Request, session: Session, ring: Ring, now: Now
) -> dict[str, str]:
    await phone_codes.send_code(
        session,
        ring,
        phone=body.phone,
        purpose=body.purpose,
        address=address_of(request),
        language=language_of(request),
        now=now,
    )
    return {"status": "accepted"}


@router.post(
    "/persons",
    status_code=status.HTTP_201_CREATED,
    summary="Sign up 注册",
    description="Makes an account of trust level 1. The code from the text message works once, which makes a repeat "
    "harmless: no `Idempotency-Key`.",
    dependencies=[PUBLIC],
)
async def register_person(
    body: PersonCreate, request: Request, transactions: InTransactions, ring: Ring, now: Now
) -> PersonCreated:
    language = language_of(request)
    wish = SignUp(body.username, body.password.get_secret_value(), body.phone, body.code, language)
    person = await sign_up(transactions, ring, wish, now=now)
    return PersonCreated(person_id=person.id, trust_level=person.trust_level)


@router.post(
    "/me/real-name",
    summary="Verify your real name 实名认证",
    description="Name and identity number are checked against the authority's register and raise the trust level to 2. "
    "Repeating it changes nothing, so no `Idempotency-Key` is needed. Few wrong attempts a day.",
)
async def verify_real_name(
    *,
    body: RealNameRequest,
    transactions: InTransactions,
    ring: Ring,
    caller: Verifying,
    authority: CurrentAuthority,
    settings: CurrentSettings,
    now: Now,
) -> RealNameResult:
    claim = real_name.RealNameClaim(caller.person_id, body.name, body.document())
    person = await real_name.verify_real_name(
        transactions, ring, authority, claim, allow_fixtures=settings.allow_fixture_identities, now=now
    )
    return RealNameResult.of(person)


@router.post(
    "/me/face",
    summary="Verify your face 人脸核验",
    description="The authority compares the picture with the one on file; a match gives trust level 3 for a time. The picture "
    "is not kept. A repeat renews it, so no `Idempotency-Key` is needed.",
)
async def verify_face(
    *,
    body: FaceRequest,
    transactions: InTransactions,
    ring: Ring,
    caller: Verifying,
    authority: CurrentAuthority,
    settings: CurrentSettings,
    now: Now,
) -> RealNameResult:
    valid = timedelta(days=settings.face_days)
    person = await real_person.verify_face(
        transactions, ring, authority, caller.person_id, body.picture, valid=valid, now=now
    )
    return RealNameResult.of(person)


@router.post(
    "/me/network-identity",
    summary="Verify by network identity 网证核验",
    description="Trust level 3 for a time, by the national network identity service; voluntary, a face does as well. A repeat "
    "renews it, so no `Idempotency-Key` is needed.",
)
async def verify_network_identity(
    *,
    body: NetworkIdentityRequest,
    transactions: InTransactions,
    ring: Ring,
    caller: Verifying,
    authority: CurrentAuthority,
    settings: CurrentSettings,
    now: Now,
) -> RealNameResult:
    valid = timedelta(days=settings.network_identity_days)
    person = await real_person.verify_network_identity(
        transactions, ring, authority, caller.person_id, body.credential, valid=valid, now=now
    )
    return RealNameResult.of(person)


@router.get(
    "/me/verifications",
    summary="My verifications 核验记录",
    description="What raised the trust level, until when, and what failed; newest first.",
)
async def list_verifications(session: Session, caller: Verifying, paging: Paging) -> Page[VerificationRead]:
    before = paging.after(UUID)
    rows = await verifications.list_verifications(
        session, caller.person_id, before=before[0] if before else None, limit=paging.limit
    )
    return paging.page(rows, key=lambda row: (row.id,), show=VerificationRead.of)
