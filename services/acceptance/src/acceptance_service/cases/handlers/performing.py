"""What every action on a case does: change the state, tell others, write history, settle the application."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from acceptance_service.applications.domain import CaseStanding
from acceptance_service.applications.handlers.progress import note_progress
from acceptance_service.cases.domain.deadlines import intake_timer, missed
from acceptance_service.cases.domain.rules import (
    ClaimedByAnother,
    DocumentKind,
    NoSuchCase,
    Readiness,
    readiness,
)
from acceptance_service.cases.domain.states import ENDED, WITH_APPLICANT, Action, CaseStatus, next_status
from acceptance_service.cases.models import Case, Document
from acceptance_service.cases.repository import Dossier, department_short_name, hold_dossier
from acceptance_service.numbering.handlers import draw_document_number
from gov_rules.calendars import WorkCalendar
from gov_rules.divisions import code_prefix, is_within, parse_area_code
from service_common import outbox, timeline
from service_common.auth import Caller
from service_common.contracts.acceptance import CaseFacts, CaseSubmitted, CaseTerminated, Outcome
from service_common.crypto import KeyRing
from service_common.db import new_id
from service_common.timeline import SYSTEM, Actor
from service_common.work_calendar import current_calendar

DOCUMENT_COLUMN = "case_documents.body"


@dataclass(frozen=True)
class Act:
    """Who acts on a case, when, and with which keys sealed texts are written."""

    actor: Actor
    now: datetime
    ring: KeyRing

    @classmethod
    def of(cls, caller: Caller, now: datetime, ring: KeyRing) -> "Act":
        """By the caller of a route."""
        return cls(caller.actor, now, ring)

    @classmethod
    def by_system(cls, now: datetime, ring: KeyRing) -> "Act":
        """By a rule, a timer or an event."""
        return cls(SYSTEM, now, ring)


async def hold_for_department(session: AsyncSession, case_id: UUID, caller: Caller) -> Dossier:
    """A case of the caller's department, claimed by nobody else. Acting on it claims it.

    Raises: NoSuchCase, ClaimedByAnother.
    """
    dossier = await hold_dossier(session, case_id)
    need_department(dossier.case, caller)
    claim(dossier.case, caller)
    return dossier


def need_department(case: Case, caller: Caller) -> None:
    """The case is in the inbox of the caller's department and division. Raises: NoSuchCase."""
    own = caller.department_id is not None and caller.department_id == case.department_id
    inside = case.division.startswith(served_prefix(caller))
    if not (own and inside) or case.submitted_at is None:  # it waits, or waited, for another item
        raise NoSuchCase


def supervises(caller: Caller, division: str) -> bool:
    """Whether a supervisor's division holds this one; of no division, a supervisor supervises nothing.

    Of an own level 本级 (…999000) that level alone, here as at the hotline and in evaluation.
    """
    supervisor = "supervisor" in caller.roles
    return supervisor and caller.division is not None and is_within(division, caller.division)


def served_prefix(caller: Caller) -> str:
    """What the codes of all divisions begin with whose applicants a department's staff serves; empty: every division.

    An office of the own level serves its whole division: whoever applies there names the division, not the level.
    """
    if caller.division is None:
        return ""
    area = parse_area_code(caller.division)
    return code_prefix(area.division if area.is_own_level else area.value)


def claim(case: Case, caller: Caller) -> None:
    """Raises: ClaimedByAnother."""
    if case.claimed_by not in (None, caller.subject_id):
        raise ClaimedByAnother
    case.claimed_by = caller.subject_id


async def perform(
    session: AsyncSession,
    dossier: Dossier,
    action: Action,
    act: Act,
    *,
    event: type[CaseFacts] | None = None,
    facts: dict[str, Any] | None = None,
    case: Case | None = None,
    **event_facts: Any,
) -> None:
    """One transition: state, event, timeline. The caller has set the other fields before. Raises: ActionNotPossible."""
    moved = case or dossier.case
    before = moved.status
    moved.status = next_status(before, action)
    moved.sweep_at = act.now
    if moved.status in ENDED:
        moved.ended_at = act.now
        moved.sweep_at = act.now if _ended_late(moved) else None
    if event is not None:
        await outbox.add(session, moved, event(**facts_of(moved), **event_facts), now=act.now)
    await session.flush()
    await timeline.append(
        session,
        moved.id,
        action.value,
        actor=act.actor,
        at=act.now,
        facts={"from": before.value, "to": moved.status.value, **(facts or {})},
    )


def _ended_late(case: Case) -> bool:
    """Whether the timer has to look at it once more: it may not have seen what was missed."""
    promise_kept = not missed(case.promised_due_at, case.decided_at or case.ended_at)
    return not promise_kept or missed(case.delivery_due_at, case.ended_at)


async def settle(session: AsyncSession, dossier: Dossier, act: Act) -> None:
    """After a change: release or end the cases that waited for it, and bring the application up to date."""
    while moved := _next_to_move(dossier):
        case, ready = moved
        if ready is Readiness.READY:
            start_intake(case, await current_calendar(session), act.now)
            await perform(session, dossier, Action.RELEASE, _system(act), case=case, event=CaseSubmitted)
        else:
            await perform(
                session,
                dossier,
                Action.TERMINATE,
                _system(act),
                case=case,
                event=CaseTerminated,
                facts={"because": "predecessor_not_granted"},
            )
    await note_progress(
        session,
        dossier.application,
        [standing_of(one) for one in dossier.cases],
        [one.id for one in dossier.cases],
        now=act.now,
    )


def start_intake(case: Case, calendar: WorkCalendar, now: datetime) -> None:
    """The case is in its department's inbox: the five working days of Art. 32 run from the first such moment."""
    timer = intake_timer(now, calendar)
    case.submitted_at = now
    case.intake_received_at = timer.received_at
    case.intake_due_on = timer.deadline.due_date
    case.intake_due_at = timer.deadline.due_at
    case.calendar_version = calendar.version
    case.due_provisional = timer.deadline.provisional


def standing_of(case: Case) -> CaseStanding:
    """What the application needs to know of a case."""
    return CaseStanding(
        item_code=case.item_code,
        ended=case.status in ENDED,
        withdrawn=case.status is CaseStatus.WITHDRAWN,
        with_applicant=case.status in WITH_APPLICANT,
    )


def facts_of(case: Case) -> dict[str, Any]:
    """What every event about a case says."""
    return {
        "case_id": case.id,
        "application_id": case.application_id,
        "project_no": case.project_no,
        "item_code": case.item_code,
        "item_name": case.item_name,
        "department_id": case.department_id,
        "division": case.division,
        "applicant_kind": case.applicant_kind,
        "applicant_id": case.applicant_id,
        "submitted_by": case.submitted_by,
        "contact_no": case.contact_no,
    }


async def issue_document(
    session: AsyncSession, case: Case, kind: DocumentKind, body: dict[str, Any], act: Act
) -> Document:
    """A written act with the next number of its department, kind and year; the body is sealed."""
    with session.no_autoflush:  # the case is written once, with its new state
        number = await draw_document_number(
            session,
            department_id=case.department_id,
            short_name=await department_short_name(session, case.department_id),
            kind=kind.value,
            now=act.now,
        )
    document = Document(
        id=new_id(),
        case_id=case.id,
        kind=kind,
        department_id=case.department_id,
        number=number,
        body=act.ring.encrypt_json(body, column=DOCUMENT_COLUMN),
        issued_at=act.now,
        issued_by=act.actor.id,
    )
    session.add(document)  # written with the case by the transition that follows
    return document


def _system(act: Act) -> Act:
    return Act(SYSTEM, act.now, act.ring)


def _next_to_move(dossier: Dossier) -> tuple[Case, Readiness] | None:
    statuses = {one.item_code: one.status for one in dossier.cases}
    granted = {
        one.item_code
        for one in dossier.cases
        if one.status is CaseStatus.FINISHED and one.outcome is Outcome.APPROVED
    }
    for case in dossier.cases:
        if case.status is CaseStatus.WAITING:
            ready = readiness(case.waits_for, statuses, granted, any_=case.waits_for_any)
            if ready is not Readiness.WAITS:
                return case, ready
    return None
