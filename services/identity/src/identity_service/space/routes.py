"""HTTP of the personal space."""

from typing import Annotated

from fastapi import Request, status
from fastapi.encoders import jsonable_encoder
from fastapi.responses import JSONResponse

from identity_service.db import InTransactions
from identity_service.people.handlers.preferences import set_language
from identity_service.profiles.routes import Myself
from identity_service.sessions import handlers as sessions
from identity_service.space.handlers import closing, consents, export, profile
from identity_service.space.schemas import (
    Closing,
    ConsentList,
    ConsentRead,
    FactRead,
    Preferences,
    ProfileFacts,
)
from service_common.app import Now, Ring, api_router
from service_common.auth import Caller, require, scope
from service_common.db import Session
from service_common.problem import language_of

router = api_router("space", prefix="/identity/v1/me")

ME_MANAGE = scope(
    "identity:me.manage",
    zh="管理授权、导出个人数据、注销账号",
    en="Manage consents, export your data, close the account",
    roles={"citizen", "company_agent"},
)
Manager = Annotated[Caller, require(ME_MANAGE)]


@router.get(
    "/profile",
    summary="My profile with its sources 我的档案",
    description="Each attribute masked, with who vouches for it, since when and until when.",
)
async def my_profile(session: Session, ring: Ring, caller: Myself, now: Now) -> ProfileFacts:
    facts = await profile.profile_facts(session, ring, caller.person_id, now=now)
    return ProfileFacts(items=[FactRead.of(fact) for fact in facts])


@router.put(
    "/preferences",
    status_code=status.HTTP_204_NO_CONTENT,
    summary="Choose the language of messages 消息语言",
    description="Of text messages; pages and the API follow `Accept-Language`.",
)
async def set_preferences(body: Preferences, session: Session, caller: Manager) -> None:
    await set_language(session, caller.person_id, body.language)


@router.get(
    "/consents",
    summary="What I have allowed 我的授权",
    description="To which application of which department, the latest first.",
)
async def list_consents(session: Session, caller: Manager) -> ConsentList:
    given = await consents.list_consents(session, caller.person_id)
    return ConsentList(items=[ConsentRead.of(one) for one in given])


@router.post(
    "/consents/{client_id}/withdraw",
    status_code=status.HTTP_204_NO_CONTENT,
    summary="Withdraw a consent 撤回授权",
    description="The application's tokens are refused within a second. Once withdrawn it is unknown, so no `Idempotency-Key` is "
    "needed.",
)
async def withdraw_consent(client_id: str, session: Session, caller: Manager, now: Now) -> None:
    await consents.withdraw_consent(session, caller.person_id, client_id, now=now)


@router.get(
    "/export",
    summary="Export my data 导出个人数据",
    description="What identity knows of the caller, in clear, at most a thousand rows of each list; other services export theirs. "
    "Asks for a log-in of the last quarter of an hour.",
    response_class=JSONResponse,
)
async def export_data(
    request: Request, session: Session, ring: Ring, caller: Manager, now: Now
) -> JSONResponse:
    await sessions.check_fresh_caller(session, caller, now=now)
    data = await export.export_data(session, ring, caller, language=language_of(request), now=now)
    headers = {
        "Content-Disposition": 'attachment; filename="lianban-identity.json"',
        "Cache-Control": "no-store",
    }
    return JSONResponse(jsonable_encoder(data), headers=headers)


@router.post(
    "/closing",
    status_code=status.HTTP_204_NO_CONTENT,
    summary="Close the account 注销账号",
    description="With the password. Sessions, consents, appointments and delegations end at once; what was done stays on record. "
    "There is no second time, so no `Idempotency-Key` is needed.",
)
async def close_account(
    body: Closing, transactions: InTransactions, ring: Ring, caller: Manager, now: Now
) -> None:
    await closing.close_account(transactions, ring, caller, body.password.get_secret_value(), now=now)
