"""Use cases between acceptance and decision: review, special procedures, extension, termination, withdrawal."""

from collections.abc import Callable
from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from acceptance_service.applications.handlers.drafts import is_applicants
from acceptance_service.cases.domain.deadlines import CaseClock, workdays_from
from acceptance_service.cases.domain.rules import DocumentKind, NoSuchCase
from acceptance_service.cases.domain.states import Action, ActionNotPossible, next_status
from acceptance_service.cases.handlers.intake import set_deadlines
from acceptance_service.cases.handlers.performing import (
    Act,
    hold_for_department,
    issue_document,
    perform,
    settle,
)
from acceptance_service.cases.models import Case, Procedure
from acceptance_service.cases.repository import Dossier, hold_dossier, running_procedure
from acceptance_service.catalogue.domain import ProjectType
from gov_rules.licensing_law import SPECIAL_PROCEDURE_NAMES, SpecialProcedure
from service_common.auth import Caller
from service_common.contracts.acceptance import (
    CaseExtended,
    CaseResumed,
    CaseSuspended,
    CaseTerminated,
    CaseWithdrawn,
)
from service_common.crypto import KeyRing
from service_common.db import new_id
from service_common.work_calendar import current_calendar

PROCEDURE_COLUMN = "case_procedures.text"
EXTENSION = "EXTENSION"


async def begin_review(
    session: AsyncSession, ring: KeyRing, case_id: UUID, *, caller: Caller, now: datetime
) -> Case:
    """An accepted case goes into review 审查."""
    dossier = await hold_for_department(session, case_id, caller)
    await perform(session, dossier, Action.BEGIN_REVIEW, Act.of(caller, now, ring))
    return dossier.case


async def suspend_case(
    session: AsyncSession,
    ring: KeyRing,
    case_id: UUID,
    procedure: SpecialProcedure,
    *,
    reason: str,
    planned_workdays: int,
    caller: Caller,
    now: datetime,
) -> Case:
    """Stops the clock for a special procedure; the applicant is told in writing for how long (Art. 45)."""
    dossier = await hold_for_department(session, case_id, caller)
    case = dossier.case
    next_status(case.status, Action.SUSPEND)  # before anything is written
    act = Act.of(caller, now, ring)
    planned = workdays_from(now, planned_workdays, await current_calendar(session))
    before = str(case.promised_due_on)
    await set_deadlines(session, case, _clock(case).suspended(now))
    session.add(
        Procedure(
            id=new_id(),
            case_id=case.id,
            kind=procedure.value,
            reason=ring.encrypt(reason, column=PROCEDURE_COLUMN),
            started_at=now,
            planned_workdays=planned_workdays,
            planned_end_at=planned.due_at,
            approved_by=caller.subject_id,
        )
    )
    body = {
        "procedure": SPECIAL_PROCEDURE_NAMES[procedure],
        "reason": reason,
        "planned_workdays": planned_workdays,
        "planned_end_on": planned.due_date.isoformat(),
    }
    notice = await issue_document(session, case, DocumentKind.SPECIAL_PROCEDURE, body, act)
    await perform(
        session,
        dossier,
        Action.SUSPEND,
        act,
        event=CaseSuspended,
        facts={"procedure": procedure.value, "document": notice.number, "promised_due_on": before},
    )
    return case


async def resume_case(
    session: AsyncSession, ring: KeyRing, case_id: UUID, result: str, *, caller: Caller, now: datetime
) -> Case:
    """The result of the special procedure is in: the clock runs again (Art. 45)."""
    dossier = await hold_for_department(session, case_id, caller)
    case = dossier.case
    next_status(case.status, Action.RESUME)
    await set_deadlines(session, case, _clock(case).resumed(now))
    procedure = await running_procedure(session, case.id)
    if procedure is not None:
        procedure.ended_at = now
        procedure.result = ring.encrypt(result, column=PROCEDURE_COLUMN)
    await perform(
        session,
        dossier,
        Action.RESUME,
        Act.of(caller, now, ring),
        event=CaseResumed,
        facts={
            "promised_due_on": str(case.promised_due_on),
            "statutory_due_on": str(case.statutory_due_on),
        },
    )
    return case


async def extend_case(
    session: AsyncSession,
    ring: KeyRing,
    case_id: UUID,
    workdays: int,
    reasons: str,
    *,
    caller: Caller,
    now: datetime,
) -> Case:
    """Lengthens the limits once, by at most 10 working days, 15 joint; the applicant is told why (Art. 42).

    A promise that is broken already stays broken.
    """
    dossier = await hold_for_department(session, case_id, caller)
    case = dossier.case
    next_status(case.status, Action.EXTEND)
    act = Act.of(caller, now, ring)
    before = str(case.promised_due_on)
    clock = _clock(case).extended(
        workdays,
        now,
        await current_calendar(session),
        joint=case.project_type is ProjectType.JOINT,
    )
    await set_deadlines(session, case, clock)
    session.add(
        Procedure(
            id=new_id(),
            case_id=case.id,
            kind=EXTENSION,
            reason=ring.encrypt(reasons, column=PROCEDURE_COLUMN),
            started_at=now,
            planned_workdays=workdays,
            planned_end_at=None,
            approved_by=caller.subject_id,
            ended_at=now,
        )
    )
    body = {"reasons": reasons, "workdays": workdays, "promised_due_on": str(case.promised_due_on)}
    notice = await issue_document(session, case, DocumentKind.EXTENSION, body, act)
    await perform(
        session,
        dossier,
        Action.EXTEND,
        act,
        event=CaseExtended,
        facts={
            "workdays": workdays,
            "document": notice.number,
            "promised_due_on": {"old": before, "new": str(case.promised_due_on)},
        },
    )
    return case


async def terminate_case(
    session: AsyncSession, ring: KeyRing, case_id: UUID, reasons: str, *, caller: Caller, now: datetime
) -> Case:
    """Ends a case whose object is gone: eligibility lost, applicant died."""
    dossier = await hold_for_department(session, case_id, caller)
    next_status(dossier.case.status, Action.TERMINATE)
    act = Act.of(caller, now, ring)
    notice = await issue_document(session, dossier.case, DocumentKind.TERMINATION, {"reasons": reasons}, act)
    await perform(
        session,
        dossier,
        Action.TERMINATE,
        act,
        event=CaseTerminated,
        facts={"document": notice.number},
    )
    await settle(session, dossier, act)
    return dossier.case


async def withdraw_case(
    session: AsyncSession, ring: KeyRing, case_id: UUID, *, caller: Caller, now: datetime
) -> Case:
    """The applicant takes back what is not decided. Raises: NoSuchCase, ActionNotPossible."""
    dossier = await hold_dossier(session, case_id)
    if not is_applicants(dossier.application, caller):
        raise NoSuchCase
    await _withdraw(session, dossier, Act.of(caller, now, ring), lambda case: case.id == case_id)
    return dossier.case


async def withdraw_all(session: AsyncSession, dossier: Dossier, act: Act) -> None:
    """The applicant takes the whole application back: every case that is not decided yet.

    Raises: ActionNotPossible when none is left that could be withdrawn.
    """
    await _withdraw(session, dossier, act, lambda _case: True)


async def _withdraw(
    session: AsyncSession, dossier: Dossier, act: Act, chosen: Callable[[Case], bool]
) -> None:
    withdrawable = [case for case in dossier.cases if chosen(case) and _can_withdraw(case)]
    if not withdrawable:
        next_status(dossier.case.status, Action.WITHDRAW)
    for case in withdrawable:
        await perform(session, dossier, Action.WITHDRAW, act, case=case, event=CaseWithdrawn)
    await settle(session, dossier, act)


def _can_withdraw(case: Case) -> bool:
    try:
        next_status(case.status, Action.WITHDRAW)
    except ActionNotPossible:
        return False
    return True


def _clock(case: Case) -> CaseClock:
    assert case.clock is not None, "an accepted case has a clock"
    return CaseClock.load(case.clock)
