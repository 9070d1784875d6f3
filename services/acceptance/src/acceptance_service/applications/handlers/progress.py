"""What the cases tell their application, and what the licence library tells us."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from acceptance_service.applications.domain import CaseStanding, derive_status
from acceptance_service.applications.models import AccessRecord, Application, HeldLicence
from acceptance_service.departments.models import Department, DepartmentCode
from service_common import outbox, timeline
from service_common.auth import Caller
from service_common.contracts.acceptance import ApplicationFinished
from service_common.contracts.certificates import LicenceFacts, LicenceStatus
from service_common.db import new_id
from service_common.timeline import SYSTEM


async def note_progress(
    session: AsyncSession,
    application: Application,
    cases: Sequence[CaseStanding],
    case_ids: Sequence[UUID],
    *,
    now: datetime,
) -> None:
    """Derives the state of the whole; when every case has ended, the application has, once."""
    application.status = derive_status(cases)
    application.items_with_applicant = [one.item_code for one in cases if one.with_applicant]
    if application.closed_at is None and all(one.ended for one in cases):
        application.closed_at = now
        event = ApplicationFinished(
            **application_facts(application, [one.item_code for one in cases], case_ids)
        )
        await outbox.add(session, application, event, now=now)
        await timeline.append(
            session,
            application.id,
            "FINISHED",
            actor=SYSTEM,
            at=now,
            facts={"status": application.status.value},
        )
    await session.flush()


def application_facts(
    application: Application, item_codes: Sequence[str], case_ids: Sequence[UUID]
) -> dict[str, Any]:
    """What every event about an application says."""
    return {
        "application_id": application.id,
        "number": application.number,
        "applicant_kind": application.applicant_kind,
        "applicant_id": application.applicant_id,
        "submitted_by": application.submitted_by,
        "bundle_code": application.bundle_code,
        "item_codes": list(item_codes),
        "case_ids": list(case_ids),
        "division": application.division,
        "channel": application.channel,
        "taken_in_by": application.taken_in_by,
        "window_department_id": application.window_department_id,
    }


async def record_access(
    session: AsyncSession,
    *,
    application_id: UUID,
    case_id: UUID | None,
    what: str,
    caller: Caller,
    now: datetime,
) -> None:
    """Notes that somebody saw personal data in full; the applicant can read it (个人信息保护法 Art. 45)."""
    session.add(
        AccessRecord(
            id=new_id(),
            application_id=application_id,
            case_id=case_id,
            at=now,
            actor_kind=caller.subject_type,
            actor_id=caller.subject_id,
            department_id=caller.department_id,
            what=what,
        )
    )
    await session.flush()


async def note_licence(
    session: AsyncSession, facts: LicenceFacts, *, status: LicenceStatus, revision: int
) -> None:
    """Keeps the projection of held licences; two event types in any order, the newest revision wins."""
    values = {
        "identifier": facts.identifier,
        "type_code": facts.type_code,
        "type_name": facts.type_name,
        "holder_id": facts.holder_id,
        "issuer_department_id": facts.issuer_department_id,
        "status": status.value,
        "revision": revision,
    }
    await session.execute(
        insert(HeldLicence)
        .values(licence_id=facts.licence_id, **values)
        .on_conflict_do_update(
            index_elements=["licence_id"], set_=values, where=HeldLicence.revision < revision
        )
    )


async def holds_valid_licence(
    session: AsyncSession, holder_id: UUID, type_code: str, *, issuer_kind: str
) -> HeldLicence | None:
    """A valid licence of this type that the holder has from a department of this kind, or None."""
    return await session.scalar(
        select(HeldLicence)
        .join(Department, Department.id == HeldLicence.issuer_department_id)
        .join(DepartmentCode, DepartmentCode.uscc == Department.uscc)
        .where(
            HeldLicence.holder_id == holder_id,
            HeldLicence.type_code == type_code,
            DepartmentCode.kind == issuer_kind,
            HeldLicence.status == LicenceStatus.NORMAL.value,
        )
        .order_by(HeldLicence.licence_id)
        .limit(1)
    )
