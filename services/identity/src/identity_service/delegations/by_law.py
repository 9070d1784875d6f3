"""What a guardian may do for a child follows from the law, not from an agreement: nobody has to grant or accept it."""

from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from identity_service.delegations.domain import SERVICE_LABELS, Standing, text_hash
from identity_service.delegations.models import Delegation
from identity_service.sessions import handlers as sessions
from service_common import outbox
from service_common.contracts.acceptance import HolderKind
from service_common.contracts.identity import (
    AgentKind,
    DelegationAccepted,
    DelegationGranted,
    DelegationRevoked,
    SessionEndReason,
)
from service_common.crypto import KeyRing
from service_common.db import new_id
from service_common.delegation import ALL_MATTERS, Act

_TEXT_COLUMN = "delegations.text"
_TEXT = (
    "法定代理\n依据《中华人民共和国民法典》第十九条、第二十条、第二十三条、第三十四条，"
    "监护人（{guardian_id}）代理未成年人（{child_id}）办理政务服务事项，至其年满十八周岁止。"
)


async def entrust_guardian(
    session: AsyncSession, ring: KeyRing, *, guardian_id: UUID, child_id: UUID, until: datetime, now: datetime
) -> UUID:
    """Lets a guardian get tokens to act for a child, in everything that agents can do, until the child is of age."""
    text = _TEXT.format(guardian_id=guardian_id, child_id=child_id)
    delegation = Delegation(
        id=new_id(),
        principal_kind=HolderKind.NATURAL_PERSON,
        principal_id=child_id,
        granted_by=guardian_id,
        agent_kind=AgentKind.PERSON,
        agent_id=guardian_id,
        acts=sorted(Act),
        matters=sorted(f"{service}:{ALL_MATTERS}" for service in SERVICE_LABELS),
        valid_until=until,
        uses=0,
        text=ring.encrypt(text, column=_TEXT_COLUMN),
        text_hash=text_hash(text),
        accepted_at=now,
    )
    session.add(delegation)
    parties = _parties(delegation)
    granted = DelegationGranted(
        **parties, acts=delegation.acts, matters=delegation.matters, valid_from=None, valid_until=until
    )
    await outbox.add(session, delegation, granted, DelegationAccepted(**parties), now=now)
    await session.flush()
    return delegation.id


async def stands(session: AsyncSession, delegation_id: UUID | None, *, now: datetime) -> bool:
    """Whether it can still be used."""
    found = await session.get(Delegation, delegation_id) if delegation_id else None
    return found is not None and found.standing(now) is Standing.ACTIVE


async def dismiss_guardian(session: AsyncSession, delegation_id: UUID, *, by: UUID, now: datetime) -> None:
    """Ends it, with every token that was got by it."""
    delegation = await session.get_one(Delegation, delegation_id, with_for_update=True)
    if delegation.revoked_at is not None:
        return
    delegation.revoked_at = now
    delegation.revoked_by = by
    await sessions.end_grants_of_delegation(session, delegation.id, reason=SessionEndReason.CLOSED, now=now)
    ended = DelegationRevoked(**_parties(delegation), by_principal=False)
    await outbox.add(session, delegation, ended, now=now)
    await session.flush()


def _parties(delegation: Delegation) -> dict[str, object]:
    return {
        "delegation_id": delegation.id,
        "principal_kind": delegation.principal_kind,
        "principal_id": delegation.principal_id,
        "agent_kind": delegation.agent_kind,
        "agent_id": delegation.agent_id,
    }
