"""What every change of a licence leaves behind: an event, and an entry of its history."""

from datetime import datetime
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from certificates_service.licences.domain import Action, next_status
from certificates_service.licences.models import Licence
from service_common import outbox, timeline
from service_common.contracts.certificates import LicenceStatusChanged
from service_common.timeline import Actor


def facts_of(licence: Licence) -> dict[str, Any]:
    """What all events about a licence say."""
    return {
        "licence_id": licence.id,
        "identifier": licence.identifier,
        "type_code": licence.type_code,
        "type_name": licence.type_name,
        "holder_kind": licence.holder_kind,
        "holder_id": licence.holder_id,
        "case_id": licence.case_id,
        "issuer_department_id": licence.issuer_department_id,
        "licence_version": licence.licence_version,
    }


async def move(
    session: AsyncSession,
    licence: Licence,
    action: Action,
    *,
    actor: Actor,
    now: datetime,
    facts: dict[str, Any] | None = None,
) -> None:
    """Takes a locked licence along one edge of its states. Raises: ActionNotPossible."""
    before = licence.status
    licence.status = next_status(before, action)
    await outbox.add(
        session, licence, LicenceStatusChanged(**facts_of(licence), status=licence.status), now=now
    )
    await timeline.append(
        session,
        licence.id,
        action.value.lower(),
        actor=actor,
        at=now,
        facts={"from": before.value, "to": licence.status.value, **(facts or {})},
    )
    await session.flush()
