"""Use cases before acceptance: claim, return, receive, one-off notice, accept, not accept, resubmit, silence."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from acceptance_service.applications.handlers.drafts import is_applicants
from acceptance_service.cases.domain.deadlines import CaseClock, workdays_from
from acceptance_service.cases.domain.rules import (
    LONGEST_SUPPLEMENT_WORKDAYS,
    AcceptanceMode,
    DeemedByLaw,
    DocumentKind,
    NoSuchCase,
    need_first_correction,
    need_reasons,
)
from acceptance_service.cases.domain.states import UNANSWERED, Action, CaseStatus
from acceptance_service.cases.handlers.performing import (
    Act,
    hold_for_department,
    issue_document,
    perform,
    settle,
    start_intake,
)
from acceptance_service.cases.models import Case
from acceptance_service.cases.repository import Dossier, gaps_of_case, hold_dossier, promises_for
from acceptance_service.catalogue.domain import Limit, LimitUnit
from service_common import timeline
from service_common.auth import Caller
from service_common.contracts.acceptance import (
    CaseAccepted,
    CaseCorrectionRequested,
    CaseNotAccepted,
    CaseReceived,
    CaseReturned,
    CaseSubmitted,
)
from service_common.crypto import KeyRing
from service_common.timeline import SYSTEM
from service_common.work_calendar import current_calendar

# An applicant has this long to correct, in working days; no law sets it (configuration of the organ).
CORRECTION_WORKDAYS = 30


@dataclass(frozen=True)
class Missing:
    """One thing that the one-off notice asks for."""

    code: str
    reason: str


@dataclass(frozen=True)
class AcceptInput:
    """How a case is accepted; the supplement period is for tolerated gaps only."""

    mode: AcceptanceMode = AcceptanceMode.REGULAR
    supplement_workdays: int = LONGEST_SUPPLEMENT_WORKDAYS


@dataclass(frozen=True)
class Refusal:
    """Why something is refused, and how that can be challenged."""

    reasons: str
    remedies: str
    competent_organ: str = field(default="")


async def claim_case(session: AsyncSession, case_id: UUID, *, caller: Caller, now: datetime) -> Case:
    """Takes a case from the department's inbox for oneself. Raises: NoSuchCase, ClaimedByAnother."""
    dossier = await hold_for_department(session, case_id, caller)
    await session.flush()
    await timeline.append(session, case_id, "CLAIM", actor=caller.actor, at=now)
    return dossier.case


async def release_claim(session: AsyncSession, case_id: UUID, *, caller: Caller, now: datetime) -> Case:
    """Puts a case back for colleagues: by who claimed it, or by an approver when that person is away.

    Raises: NoSuchCase, ClaimedByAnother.
    """
    dossier = await hold_dossier(session, case_id)
    if "approver" in caller.roles and dossier.case.department_id == caller.department_id:
        dossier.case.claimed_by = None
    else:
        dossier = await hold_for_department(session, case_id, caller)
        dossier.case.claimed_by = None
    await session.flush()
    await timeline.append(session, case_id, "UNCLAIM", actor=caller.actor, at=now)
    return dossier.case


async def return_case(
    session: AsyncSession, ring: KeyRing, case_id: UUID, reasons: str, *, caller: Caller, now: datetime
) -> Case:
    """Sends a submission back in pre-check 退回修改. The five-day timer of Art. 32 goes on."""
    dossier = await _hold_in_time(session, case_id, caller, now)
    act = Act.of(caller, now, ring)
    await issue_document(session, dossier.case, DocumentKind.RETURN, {"reasons": reasons}, act)
    await perform(session, dossier, Action.RETURN, act, event=CaseReturned)
    await settle(session, dossier, act)
    return dossier.case


async def receive_case(
    session: AsyncSession, ring: KeyRing, case_id: UUID, *, caller: Caller, now: datetime
) -> Case:
    """Takes the materials and issues the receipt 收件凭证."""
    dossier = await _hold_in_time(session, case_id, caller, now)
    act = Act.of(caller, now, ring)
    dossier.case.received_at = now
    receipt = await issue_document(session, dossier.case, DocumentKind.RECEIPT, {}, act)
    await perform(
        session, dossier, Action.RECEIVE, act, event=CaseReceived, facts={"document": receipt.number}
    )
    return dossier.case


async def request_correction(
    session: AsyncSession,
    ring: KeyRing,
    case_id: UUID,
    missing: Sequence[Missing],
    *,
    caller: Caller,
    now: datetime,
) -> Case:
    """Tells everything that is missing, at once and once (Art. 32 (4)).

    Raises: SecondCorrection, CorrectionEmpty, DeemedByLaw, and as every action on a case.
    """
    dossier = await _hold_in_time(session, case_id, caller, now)
    case = dossier.case
    need_first_correction(case.correction_noticed, [f"{one.code}{one.reason}" for one in missing])
    act = Act.of(caller, now, ring)
    due = workdays_from(now, CORRECTION_WORKDAYS, await current_calendar(session))
    case.correction_noticed = True
    case.correction_due_at = due.due_at
    body = {
        "missing": [{"code": one.code, "reason": one.reason} for one in missing],
        "due_on": due.due_date.isoformat(),
    }
    notice = await issue_document(session, case, DocumentKind.CORRECTION, body, act)
    await perform(
        session,
        dossier,
        Action.REQUEST_CORRECTION,
        act,
        event=CaseCorrectionRequested,
        facts={"document": notice.number, "due_on": due.due_date.isoformat()},
    )
    await settle(session, dossier, act)
    return case


async def accept_case(
    session: AsyncSession,
    ring: KeyRing,
    case_id: UUID,
    given: AcceptInput,
    *,
    caller: Caller,
    now: datetime,
) -> Case:
    """Accepts 受理: complete, with tolerated gaps 容缺受理, or on the applicant's promise 告知承诺. The clocks start.

    Raises: MaterialsMissing, NotTolerated, ToleranceNotPromised, NoticeAndPromiseNotOffered, DeemedByLaw.
    """
    dossier = await _hold_in_time(session, case_id, caller, now)
    gaps = await gaps_of_case(session, dossier.application, dossier.case)
    gaps.need_acceptable(
        given.mode,
        notify_promise=dossier.case.notify_promise,
        promises=await promises_for(session, dossier.application, dossier.case),
    )
    act = Act.of(caller, now, ring)
    case = dossier.case
    if given.mode is AcceptanceMode.TOLERANCE and gaps.missing:
        case.tolerance = True
        calendar = await current_calendar(session)
        case.supplement_workdays = given.supplement_workdays
        case.supplement_due_at = workdays_from(now, given.supplement_workdays, calendar).due_at
    case.promise = given.mode is AcceptanceMode.PROMISE
    await start_clock(session, dossier, act, accepted_at=now, action=Action.ACCEPT)
    return case


async def start_clock(
    session: AsyncSession, dossier: Dossier, act: Act, *, accepted_at: datetime, action: Action
) -> None:
    """Acceptance itself, by a person, by silence or by rule: deadlines, the written notice, the event."""
    case = dossier.case
    case.accepted_at = accepted_at
    case.deemed_accepted = action is Action.DEEM_ACCEPTED
    clock = CaseClock.start(
        accepted_at,
        statutory=_limit(case.limits["statutory"]),
        promised=_limit(case.limits["promised"]),
        project_type=case.project_type,
    )
    await set_deadlines(session, case, clock)
    body = {
        "accepted_at": accepted_at.isoformat(),
        "promised_due_on": str(case.promised_due_on),
        "statutory_due_on": str(case.statutory_due_on),
        "tolerance": case.tolerance,
        "promise": case.promise,
        "deemed": case.deemed_accepted,
    }
    notice = await issue_document(session, case, DocumentKind.ACCEPTANCE, body, act)
    await perform(
        session,
        dossier,
        action,
        act,
        event=CaseAccepted,
        deemed=case.deemed_accepted,
        facts={
            "document": notice.number,
            "promised_due_on": str(case.promised_due_on),
            "statutory_due_on": str(case.statutory_due_on),
            "calendar": case.calendar_version,
        },
    )
    await settle(session, dossier, act)


async def set_deadlines(session: AsyncSession, case: Case, clock: CaseClock) -> None:
    """Counts both deadlines and keeps what they follow from; while suspended there are none."""
    calendar = await current_calendar(session)
    due = clock.due(calendar)
    case.clock = clock.dump()
    case.calendar_version = calendar.version
    case.statutory_due_on = due.statutory.due_date if due else None
    case.statutory_due_at = due.statutory.due_at if due else None
    case.promised_due_on = due.promised.due_date if due else None
    case.promised_due_at = due.promised.due_at if due else None
    case.due_provisional = due.provisional if due else False


async def refuse_acceptance(
    session: AsyncSession, ring: KeyRing, case_id: UUID, refusal: Refusal, *, caller: Caller, now: datetime
) -> Case:
    """Decides not to accept 不予受理, in writing with reasons and remedies (Art. 32, 38). The case ends."""
    need_reasons(refusal.reasons, refusal.remedies)
    dossier = await _hold_in_time(session, case_id, caller, now)
    await not_accept(session, dossier, refusal, Act.of(caller, now, ring))
    return dossier.case


async def not_accept(
    session: AsyncSession,
    dossier: Dossier,
    refusal: Refusal,
    act: Act,
    facts: dict[str, Any] | None = None,
) -> None:
    """The written decision not to accept."""
    body = {
        "reasons": refusal.reasons,
        "remedies": refusal.remedies,
        "competent_organ": refusal.competent_organ,
    }
    decision = await issue_document(session, dossier.case, DocumentKind.NOT_ACCEPTED, body, act)
    await perform(
        session,
        dossier,
        Action.NOT_ACCEPT,
        act,
        event=CaseNotAccepted,
        facts={"document": decision.number, **(facts or {})},
    )
    await settle(session, dossier, act)


async def resubmit_case(
    session: AsyncSession, ring: KeyRing, case_id: UUID, *, caller: Caller, now: datetime
) -> Case:
    """The applicant sends a returned or corrected case again, with the newest form.

    After a return the five-day timer goes on; after a correction it starts anew, for the materials are others.
    Raises: NoSuchCase, ActionNotPossible.
    """
    dossier = await hold_dossier(session, case_id)
    case = dossier.case
    if not is_applicants(dossier.application, caller):
        raise NoSuchCase
    act = Act.of(caller, now, ring)
    corrected = case.status is CaseStatus.CORRECTION
    case.form_revision = dossier.application.form_revision
    case.contact_no += 1
    if corrected:
        first = case.submitted_at
        start_intake(case, await current_calendar(session), now)
        case.submitted_at = first
        case.correction_due_at = None
    await perform(
        session,
        dossier,
        Action.RESUBMIT,
        act,
        event=CaseReceived if corrected else CaseSubmitted,
        facts={"form_revision": case.form_revision},
    )
    await settle(session, dossier, act)
    return case


async def deem_accepted(session: AsyncSession, ring: KeyRing, dossier: Dossier, *, now: datetime) -> bool:
    """Silence of five working days accepts the case from the day of receipt (Art. 32 (4)). Returns whether it did."""
    case = dossier.case
    if not _silent_too_long(case, now):
        return False
    assert case.intake_received_at is not None
    act = Act.by_system(now, ring)
    await start_clock(session, dossier, act, accepted_at=case.intake_received_at, action=Action.DEEM_ACCEPTED)
    return True


async def close_uncorrected(session: AsyncSession, ring: KeyRing, dossier: Dossier, *, now: datetime) -> bool:
    """A correction that never came: not accepted 逾期不补. Returns whether it was closed."""
    case = dossier.case
    if (
        case.status is not CaseStatus.CORRECTION
        or case.correction_due_at is None
        or now < case.correction_due_at
    ):
        return False
    refusal = Refusal(
        reasons="申请人在一次性告知书载明的期限内未补正申请材料。",
        remedies="可自收到本决定之日起六十日内申请行政复议，或者六个月内提起行政诉讼。",
    )
    await not_accept(session, dossier, refusal, Act(SYSTEM, now, ring), {"because": "correction_overdue"})
    return True


def _silent_too_long(case: Case, now: datetime) -> bool:
    return case.status in UNANSWERED and case.intake_due_at is not None and now >= case.intake_due_at


async def _hold_in_time(session: AsyncSession, case_id: UUID, caller: Caller, now: datetime) -> Dossier:
    """For the department's answers: after the five days the law has answered. Raises: DeemedByLaw."""
    dossier = await hold_for_department(session, case_id, caller)
    if _silent_too_long(dossier.case, now):
        raise DeemedByLaw
    return dossier


def _limit(stored: list[Any] | None) -> Limit | None:
    return Limit(stored[0], LimitUnit(stored[1])) if stored else None
