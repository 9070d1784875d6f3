"""Use cases of electronic supervision: look at a case whose time has come, issue cards, explain, verify."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from acceptance_service.cases.domain.deadlines import (
    CaseClock,
    delivery_due,
    missed,
    recount_intake,
    workdays_from,
)
from acceptance_service.cases.domain.states import DECIDED, UNANSWERED, CaseStatus
from acceptance_service.cases.handlers.intake import (
    CORRECTION_WORKDAYS,
    close_uncorrected,
    deem_accepted,
    set_deadlines,
)
from acceptance_service.cases.handlers.performing import supervises
from acceptance_service.cases.models import Case
from acceptance_service.cases.repository import (
    correction_noticed_at,
    hold_dossier,
    open_tasks,
    procedures_ended_late,
    running_procedure,
    tasks_closed_late,
)
from acceptance_service.supervision.domain import (
    CardStatus,
    NoSuchCard,
    Period,
    PeriodKind,
    Trigger,
    need_open,
    supervision_rules,
    triggers,
)
from acceptance_service.supervision.models import Card
from gov_rules.calendars import WorkCalendar
from gov_rules.divisions import code_prefix
from gov_rules.office_hours import local_date
from service_common import outbox, timeline
from service_common.auth import Caller
from service_common.contracts.acceptance import CardCancelled, CardIssued
from service_common.crypto import KeyRing
from service_common.db import new_id
from service_common.timeline import SYSTEM
from service_common.work_calendar import current_calendar

_EXPLANATION = "cards.explanation"
_VERDICT = "cards.verdict"
_BATCH = 200
_IN_REVIEW = frozenset({CaseStatus.ACCEPTED, CaseStatus.REVIEWING})
_AFTER_DECISION = DECIDED | {CaseStatus.CERTIFYING, CaseStatus.DELIVERING}
# A case that could not be looked at is left alone this long, so that it does not hold up the others.
_LEASE = timedelta(minutes=5)


async def cases_to_look_at(session: AsyncSession, *, now: datetime) -> Sequence[UUID]:
    """Cases whose next moment has come, taken out of the queue for a while; nothing else about them is touched."""
    due = select(Case.id).where(Case.sweep_at <= now).order_by(Case.sweep_at, Case.id).limit(_BATCH)
    taken = await session.scalars(
        update(Case)
        .where(Case.id.in_(due.with_for_update(skip_locked=True)))
        .values(sweep_at=now + _LEASE, updated_at=Case.updated_at)
        .returning(Case.id)
    )
    return taken.all()


async def look_at_case(session: AsyncSession, ring: KeyRing, case_id: UUID, *, now: datetime) -> None:
    """Issues the cards that are due, then lets the law act: silence accepts, a missing correction ends.

    Idempotent: one card per case, rule and level. Sets when to look again.
    """
    dossier = await hold_dossier(session, case_id)
    case = dossier.case
    calendar = await current_calendar(session)
    await _issue_due(session, case, calendar, now)
    acted = await deem_accepted(session, ring, dossier, now=now) or await close_uncorrected(
        session, ring, dossier, now=now
    )
    if acted:  # another period runs now, and it may be late already
        await _issue_due(session, case, calendar, now)
    await session.flush()
    coming = [one.at for one in await _triggers_of(session, case, calendar) if one.at > now]
    if case.status in UNANSWERED and case.intake_due_at:
        coming.append(case.intake_due_at)
    if case.status is CaseStatus.CORRECTION and case.correction_due_at:
        coming.append(case.correction_due_at)
    await session.execute(
        update(Case)
        .where(Case.id == case.id)
        .values(sweep_at=min(coming, default=None), updated_at=Case.updated_at)
    )


async def cases_on_older_calendars(session: AsyncSession) -> Sequence[UUID]:
    """Open cases whose deadlines were counted before the newest notice was loaded."""
    version = (await current_calendar(session)).version
    rows = await session.scalars(
        select(Case.id)
        .where(Case.ended_at.is_(None), Case.calendar_version != version)
        .order_by(Case.id)
        .limit(_BATCH)
    )
    return rows.all()


async def recount_deadlines(session: AsyncSession, case_id: UUID, *, now: datetime) -> None:
    """Counts a case's deadlines again on the calendar in force; the old ones stay in its timeline."""
    case = (await hold_dossier(session, case_id)).case
    calendar = await current_calendar(session)
    if case.calendar_version == calendar.version:
        return
    before = _dates(case) | {"calendar": case.calendar_version, "tasks": await _task_dates(session, case)}
    if case.status in UNANSWERED and case.intake_received_at is not None:
        deadline = recount_intake(case.intake_received_at, calendar)
        case.intake_due_on, case.intake_due_at = deadline.due_date, deadline.due_at
        case.due_provisional = deadline.provisional
    if case.clock is not None and case.decided_at is None:
        await set_deadlines(session, case, CaseClock.load(case.clock))
    if case.decided_at is not None:
        case.delivery_due_at = delivery_due(case.decided_at, calendar).due_at
    await _recount_periods(session, case, calendar)
    case.calendar_version = calendar.version
    case.sweep_at = now
    await session.flush()
    after = _dates(case) | {"calendar": case.calendar_version, "tasks": await _task_dates(session, case)}
    await timeline.append(
        session,
        case.id,
        "DEADLINES_RECOUNTED",
        actor=SYSTEM,
        at=now,
        facts={"old": before, "new": after},
    )


async def _recount_periods(session: AsyncSession, case: Case, calendar: WorkCalendar) -> None:
    """What was given to somebody in working days: tasks, a special procedure, the applicant's own periods.

    A day that the applicant was told in writing may move later and never earlier: they rely on it.
    """
    for task in await open_tasks(session, case.id):
        if task.limit_workdays is not None:
            task.due_at = workdays_from(task.opened_at, task.limit_workdays, calendar).due_at
    procedure = await running_procedure(session, case.id)
    if procedure is not None and procedure.planned_end_at is not None:
        planned = workdays_from(procedure.started_at, procedure.planned_workdays, calendar)
        procedure.planned_end_at = planned.due_at
    if case.status is CaseStatus.CORRECTION and case.correction_due_at is not None:
        noticed_at = await correction_noticed_at(session, case.id)
        due_at = workdays_from(noticed_at, CORRECTION_WORKDAYS, calendar).due_at
        case.correction_due_at = max(case.correction_due_at, due_at)
    if case.accepted_at and case.supplement_workdays and case.supplement_due_at and not case.decided_at:
        due_at = workdays_from(case.accepted_at, case.supplement_workdays, calendar).due_at
        case.supplement_due_at = max(case.supplement_due_at, due_at)


async def list_cards(
    session: AsyncSession, *, caller: Caller, after: UUID | None, limit: int
) -> Sequence[Card]:
    """Cards of a supervisor's division, or of the caller's own department; newest first."""
    statement = select(Card)
    if "supervisor" in caller.roles and caller.division:
        within = code_prefix(caller.division)
        statement = statement.where(Card.division.startswith(within, autoescape=True))
    else:
        statement = statement.where(Card.department_id == caller.department_id)
    if after is not None:
        statement = statement.where(Card.id < after)
    return (await session.scalars(statement.order_by(Card.id.desc()).limit(limit + 1))).all()


async def explain_card(
    session: AsyncSession, ring: KeyRing, card_id: UUID, text: str, *, caller: Caller, now: datetime
) -> Card:
    """The department explains itself, or objects. Raises: NoSuchCard, CardClosed."""
    card = await _hold(session, card_id)
    if caller.department_id is None or card.department_id != caller.department_id:
        raise NoSuchCard
    need_open(card.status)
    card.explanation = ring.encrypt(text, column=_EXPLANATION)
    card.status = CardStatus.EXPLAINED
    await session.flush()
    await timeline.append(session, card.id, "EXPLAINED", actor=caller.actor, at=now)
    return card


async def verify_card(
    session: AsyncSession,
    ring: KeyRing,
    card_id: UUID,
    reasons: str,
    *,
    uphold: bool,
    caller: Caller,
    now: datetime,
) -> Card:
    """Supervision upholds a card, or cancels it: a fault of the system, force majeure, the applicant's own delay.

    Cancelling is a fact of its own; the card stays. Raises: NoSuchCard, CardClosed.
    """
    card = await _hold(session, card_id)
    if not supervises(caller, card.division):
        raise NoSuchCard
    need_open(card.status)
    card.status = CardStatus.UPHELD if uphold else CardStatus.CANCELLED
    card.verdict = ring.encrypt(reasons, column=_VERDICT)
    card.verified_by = caller.subject_id
    if not uphold:
        await outbox.add(session, card, CardCancelled(**_facts(card)), now=now)
    await session.flush()
    await timeline.append(session, card.id, card.status.value, actor=caller.actor, at=now)
    return card


def card_texts(card: Card, ring: KeyRing) -> tuple[str | None, str | None]:
    """Unseals explanation and verdict."""
    explanation = ring.decrypt(card.explanation, column=_EXPLANATION) if card.explanation else None
    verdict = ring.decrypt(card.verdict, column=_VERDICT) if card.verdict else None
    return explanation, verdict


async def _triggers_of(session: AsyncSession, case: Case, calendar: WorkCalendar) -> list[Trigger]:
    return triggers(await _periods_of(session, case, calendar), supervision_rules(), calendar)


async def _periods_of(session: AsyncSession, case: Case, calendar: WorkCalendar) -> list[Period]:
    periods = []
    if case.status in UNANSWERED and case.intake_received_at and case.intake_due_at:
        periods.append(Period(PeriodKind.INTAKE, case.intake_received_at, case.intake_due_at))
        if case.status is CaseStatus.SUBMITTED:
            first_day = workdays_from(case.intake_received_at, 1, calendar)
            periods.append(Period(PeriodKind.PRE_CHECK, case.intake_received_at, first_day.due_at))
    if case.status in _IN_REVIEW and case.accepted_at and case.promised_due_at:
        periods.append(
            Period(PeriodKind.FINISH, case.accepted_at, case.promised_due_at, case.statutory_due_at)
        )
    if case.status in _AFTER_DECISION and case.decided_at and case.delivery_due_at:
        periods.append(Period(PeriodKind.DELIVERY, case.decided_at, case.delivery_due_at))
    if case.status is CaseStatus.SUSPENDED:
        procedure = await running_procedure(session, case.id)
        if procedure and procedure.planned_end_at:
            periods.append(
                Period(PeriodKind.SPECIAL_PROCEDURE, procedure.started_at, procedure.planned_end_at)
            )
    if case.status is CaseStatus.REVIEWING:
        periods += [
            Period(PeriodKind.STEP, task.opened_at, task.due_at)
            for task in await open_tasks(session, case.id)
            if task.due_at
        ]
    return periods + await _missed_periods_of(session, case)


async def _missed_periods_of(session: AsyncSession, case: Case) -> list[Period]:
    """Periods that ended after their time. Whoever acts between two looks of the timer, or while it is down, is late still."""
    periods = []
    ended_at = case.decided_at or case.ended_at
    if case.accepted_at and missed(case.promised_due_at, ended_at):
        periods.append(
            Period(PeriodKind.FINISH, case.accepted_at, case.promised_due_at, case.statutory_due_at, ended_at)
        )
    if case.decided_at and missed(case.delivery_due_at, case.ended_at):
        periods.append(
            Period(PeriodKind.DELIVERY, case.decided_at, case.delivery_due_at, ended_at=case.ended_at)
        )
    periods += [
        Period(PeriodKind.STEP, task.opened_at, task.due_at, ended_at=task.done_at)
        for task in await tasks_closed_late(session, case.id)
        if task.due_at
    ]
    periods += [
        Period(PeriodKind.SPECIAL_PROCEDURE, one.started_at, one.planned_end_at, ended_at=one.ended_at)
        for one in await procedures_ended_late(session, case.id)
        if one.planned_end_at
    ]
    return periods


async def _issue_due(session: AsyncSession, case: Case, calendar: WorkCalendar, now: datetime) -> None:
    for trigger in await _triggers_of(session, case, calendar):
        if trigger.at <= now:
            await _issue(session, case, trigger, now)


async def _issue(session: AsyncSession, case: Case, trigger: Trigger, now: datetime) -> None:
    card_id = new_id()
    fresh = await session.execute(
        insert(Card)
        .values(
            id=card_id,
            version=1,
            revision=0,
            case_id=case.id,
            project_no=case.project_no,
            item_name=case.item_name,
            department_id=case.department_id,
            division=case.division,
            rule=trigger.rule,
            level=trigger.level,
            status=CardStatus.ISSUED,
            reached_at=trigger.at,
            issued_at=now,
            evidence=_dates(case) | {"status": case.status.value, "calendar": case.calendar_version},
        )
        .on_conflict_do_nothing(index_elements=["case_id", "rule", "level"])
        .returning(Card.id)
    )
    if fresh.first() is None:
        return
    card = await session.get_one(Card, card_id)
    await outbox.add(session, card, CardIssued(**_facts(card)), now=now)
    await session.flush()
    facts = {"rule": trigger.rule, "level": trigger.level.value}
    await timeline.append(session, card.id, "ISSUED", actor=SYSTEM, at=now, facts=facts, first=True)
    await timeline.append(
        session, case.id, "CARDED", actor=SYSTEM, at=now, facts={"card_id": str(card.id), **facts}
    )


async def _hold(session: AsyncSession, card_id: UUID) -> Card:
    card = await session.scalar(select(Card).where(Card.id == card_id).with_for_update())
    if card is None:
        raise NoSuchCard
    return card


def _facts(card: Card) -> dict[str, Any]:
    return {
        "card_id": card.id,
        "case_id": card.case_id,
        "department_id": card.department_id,
        "division": card.division,
        "rule": card.rule,
        "level": card.level,
    }


def _dates(case: Case) -> dict[str, Any]:
    named = {
        "intake_due_on": case.intake_due_on,
        "promised_due_on": case.promised_due_on,
        "statutory_due_on": case.statutory_due_on,
        "correction_due_on": _day_before(case.correction_due_at),
        "supplement_due_on": _day_before(case.supplement_due_at),
        "delivery_due_on": _day_before(case.delivery_due_at),
    }
    return {name: day.isoformat() if day else None for name, day in named.items()}


def _day_before(due_at: datetime | None) -> date | None:
    """The last day of a period; its instant is the first one after that day."""
    return local_date(due_at - timedelta(seconds=1)) if due_at else None


async def _task_dates(session: AsyncSession, case: Case) -> dict[str, str]:
    days = {str(one.id): _day_before(one.due_at) for one in await open_tasks(session, case.id)}
    return {task_id: day.isoformat() for task_id, day in days.items() if day}
