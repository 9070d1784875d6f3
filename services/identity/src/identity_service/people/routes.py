"""HTTP of natural persons."""

from typing import Annotated

from fastapi import Depends, Request, status

from identity_service.db import InTransactions
from identity_service.edge import CurrentAuthority, CurrentSettings, address_of, need_sms
from identity_service.people.domain import TRUST_LEVELS
from identity_service.people.handlers import phone_codes, real_name
from identity_service.people.handlers.sign_up import SignUp, sign_up
from identity_service.people.schemas import (
    PersonCreate,
    PersonCreated,
    PhoneCodeRequest,
    RealNameRequest,
    RealNameResult,
)
from service_common.app import Now, Ring, api_router
from service_common.auth import PUBLIC, Caller, require, scope
from service_common.db import Session
from service_common.problem import language_of

router = api_router("people", prefix="/identity/v1")

ME_VERIFY = scope(
    "identity:me.verify", zh="办理实名认证", en="Verify your identity", roles={"citizen", "company_agent"}
)


@router.post(
    "/phone-codes",
    status_code=status.HTTP_202_ACCEPTED,
    summary="Send a code 获取短信验证码",
    description="Sends a six-digit code, valid for five minutes, to sign up or to reset a password. The answer is the same whether or not the phone has an "
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
    body: PersonCreate, transactions: InTransactions, ring: Ring, now: Now
) -> PersonCreated:
    wish = SignUp(body.username, body.password.get_secret_value(), body.phone, body.code)
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
    caller: Annotated[Caller, require(ME_VERIFY)],
    authority: CurrentAuthority,
    settings: CurrentSettings,
    now: Now,
) -> RealNameResult:
    claim = real_name.RealNameClaim(caller.person_id, body.name, body.id_number)
    person = await real_name.verify_real_name(
        transactions, ring, authority, claim, allow_fixtures=settings.allow_fixture_identities, now=now
    )
    return RealNameResult(
        person_id=person.id,
        trust_level=person.trust_level,
        trust_level_label=TRUST_LEVELS[person.trust_level],
    )
