"""Rows into HTTP shapes."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

from sqlalchemy import Row

from acceptance_service.cases.domain.states import possible_actions
from acceptance_service.cases.handlers.reading import CaseView, procedure_texts, task_result
from acceptance_service.cases.models import Case, Task
from acceptance_service.cases.schemas import (
    CaseMaterialRead,
    CaseRead,
    CaseRow,
    DocumentRead,
    DueRead,
    ProcedureRead,
    TaskRead,
    TimelineEntry,
    TimelineRead,
)
from acceptance_service.files.schemas import FileRead
from service_common import timeline
from service_common.crypto import KeyRing


def show_row(case: Case) -> CaseRow:
    """A case in a list."""
    return CaseRow(**_row(case))


def show_task(task: Task, ring: KeyRing) -> TaskRead:
    """A task with its result."""
    names = TaskRead.model_fields.keys() - {"result"}
    return TaskRead(**{name: getattr(task, name) for name in names}, result=task_result(task, ring))


def show_case(view: CaseView, ring: KeyRing) -> CaseRead:
    """One case with what belongs to it."""
    case = view.case
    procedures = []
    for one in view.procedures:
        reason, result = procedure_texts(one, ring)
        procedures.append(
            ProcedureRead(
                kind=one.kind,
                reason=reason,
                started_at=one.started_at,
                planned_workdays=one.planned_workdays,
                planned_end_at=one.planned_end_at,
                ended_at=one.ended_at,
                result=result,
            )
        )
    return CaseRead(
        **_row(case, inside=view.inside),
        accepted_at=case.accepted_at,
        tolerance=case.tolerance,
        promise=case.promise,
        instant=case.instant,
        decided_at=case.decided_at,
        licence_identifier=case.licence_identifier,
        actions=sorted(possible_actions(case.status)),
        documents=[DocumentRead(**vars(one)) for one in view.documents],
        tasks=[show_task(one, ring) for one in view.tasks],
        procedures=procedures,
        materials=[
            CaseMaterialRead(
                code=one.code,
                title=one.title,
                required=one.required,
                tolerated=case.item_code in one.tolerated_in,
                provision=one.provision,
                lapsed=view.lapsed.get(one.code),
                files=[FileRead.model_validate(file) for file in view.files.get(one.code, [])],
            )
            for one in view.materials
        ],
    )


def show_timeline(entries: Sequence[Row[Any]]) -> TimelineRead:
    """A history; staff are named by kind only, the ids stay inside."""
    return TimelineRead(
        entries=[
            TimelineEntry(
                sequence=one.sequence,
                at=one.at,
                action=one.action,
                actor_kind=one.actor_kind,
                actor_id=one.actor_id if _is_named(one) else None,
                on_behalf_of=one.facts.get("on_behalf_of"),
                facts=one.facts,
                hash=one.hash.hex(),
            )
            for one in entries
        ],
        intact=timeline.verify(entries),
    )


def _is_named(entry: Row[Any]) -> bool:
    """People, and who acts for them; not the staff who work on the case."""
    return entry.actor_kind == "person" or "on_behalf_of" in entry.facts


def _row(case: Case, *, inside: bool = True) -> dict[str, Any]:
    return {
        "id": case.id,
        "project_no": case.project_no,
        "application_id": case.application_id,
        "item_code": case.item_code,
        "item_name": case.item_name,
        "status": case.status,
        "status_label": case.status.label,
        "department_id": case.department_id,
        "division": case.division,
        "applicant_kind": case.applicant_kind,
        "applicant": case.applicant_masked,
        "claimed_by": case.claimed_by if inside else None,
        "submitted_at": case.submitted_at,
        "intake_due": _due(case, case.intake_due_on, case.intake_due_at),
        "promised_due": _due(case, case.promised_due_on, case.promised_due_at),
        "statutory_due": _due(case, case.statutory_due_on, case.statutory_due_at),
        "deemed_accepted": case.deemed_accepted,
        "outcome": case.outcome,
        "version": case.version,
    }


def _due(case: Case, day: date | None, instant: datetime | None) -> DueRead | None:
    if day is None or instant is None:
        return None
    return DueRead(on=day, at=instant, calendar=case.calendar_version or "", provisional=case.due_provisional)
