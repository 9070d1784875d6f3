"""HTTP of legal persons and their agents."""

from typing import Annotated
from uuid import UUID

from fastapi import status

from identity_service.db import InTransactions
from identity_service.edge import CurrentAuthority, CurrentSettings
from identity_service.legal_persons import handlers
from identity_service.legal_persons.schemas import (
    AgentAppoint,
    AgentRead,
    LegalPersonCreate,
    LegalPersonRead,
    RepresentedList,
    RepresentedRead,
)
from identity_service.people.edge import Seeking
from service_common.app import Now, Ring, api_router
from service_common.auth import Caller, require, scope
from service_common.db import Session
from service_common.idempotency import Once
from service_common.pages import Page, Paging

router = api_router("legal-persons", prefix="/identity/v1")

LEGAL_PERSONS_READ = scope(
    "identity:legal-persons.read",
    zh="查看本人代表的企业和组织",
    en="See the legal persons you act for",
    roles={"citizen", "company_agent"},
)
LEGAL_PERSONS_MANAGE = scope(
    "identity:legal-persons.manage",
    zh="登记企业、管理经办人",
    en="Register legal persons and manage their agents",
    roles={"citizen", "company_agent"},
)
Reader = Annotated[Caller, require(LEGAL_PERSONS_READ)]
Manager = Annotated[Caller, require(LEGAL_PERSONS_MANAGE)]


@router.post(
    "/legal-persons",
    status_code=status.HTTP_201_CREATED,
    summary="Register a legal person 法人认证",
    description="Credit code, name and representative are checked against the authority's register; the representative "
    "is the caller, who takes over from an earlier one when the register says so. Repeating it gives the same legal person, so no `Idempotency-Key` is needed.",
)
async def register_legal_person(
    *,
    body: LegalPersonCreate,
    transactions: InTransactions,
    ring: Ring,
    caller: Manager,
    authority: CurrentAuthority,
    settings: CurrentSettings,
    now: Now,
) -> LegalPersonRead:
    legal_person = await handlers.register_legal_person(
        transactions,
        ring,
        authority,
        caller,
        uscc=body.uscc,
        name=body.name,
        level=settings.representative_least_level,
        now=now,
    )
    return LegalPersonRead.model_validate(legal_person)


@router.get(
    "/me/represented",
    summary="Whom I act for 我代表的企业和组织",
    description="As representative or as agent, now.",
)
async def list_represented(session: Session, caller: Reader, now: Now) -> RepresentedList:
    found = await handlers.represented_by(session, caller.person_id, now=now)
    return RepresentedList(items=[RepresentedRead.of(one) for one in found])


@router.post(
    "/legal-persons/{legal_person_id}/agents",
    status_code=status.HTTP_201_CREATED,
    summary="Appoint an agent 授权经办人",
    description="For everything, by the representative or an administrator; administrators by the representative alone. For named "
    "services, acts and uses make a delegation of the legal person instead. The agent must be a verified person.",
)
async def appoint_agent(
    *,
    legal_person_id: UUID,
    body: AgentAppoint,
    session: Session,
    ring: Ring,
    caller: Manager,
    _once: Once,
    _seeking: Seeking,
    now: Now,
) -> AgentRead:
    agent = await handlers.appoint_agent(
        session,
        ring,
        caller,
        legal_person_id,
        name=body.name,
        phone=body.phone,
        role=body.role,
        valid_until=body.valid_until,
        now=now,
    )
    return AgentRead.model_validate(agent)


@router.get(
    "/legal-persons/{legal_person_id}/agents",
    summary="List agents 经办人列表",
    description="All appointments, the ended ones too.",
)
async def list_agents(
    legal_person_id: UUID, session: Session, caller: Manager, paging: Paging, now: Now
) -> Page[AgentRead]:
    after = paging.after(UUID)
    rows = await handlers.list_agents(
        session, caller, legal_person_id, after=after[0] if after else None, limit=paging.limit, now=now
    )
    return paging.page(rows, key=lambda row: (row.id,), show=AgentRead.model_validate)


@router.post(
    "/legal-persons/{legal_person_id}/agents/{agent_id}/revoke",
    summary="Revoke an agent 撤销经办人",
    description="By the representative or by the agent. Tokens say so from the next refresh on, within five minutes.",
)
async def revoke_agent(
    legal_person_id: UUID, agent_id: UUID, session: Session, caller: Manager, _once: Once, now: Now
) -> AgentRead:
    agent = await handlers.revoke_agent(session, caller, legal_person_id, agent_id, now=now)
    return AgentRead.model_validate(agent)


@router.post(
    "/legal-persons/{legal_person_id}/agents/{agent_id}/confirm",
    summary="Confirm a suspended agent 确认暂停的授权",
    description="By a new representative, who lets an appointment of the former one go on.",
)
async def confirm_agent(
    legal_person_id: UUID, agent_id: UUID, session: Session, caller: Manager, _once: Once, now: Now
) -> AgentRead:
    agent = await handlers.confirm_agent(session, caller, legal_person_id, agent_id, now=now)
    return AgentRead.model_validate(agent)
