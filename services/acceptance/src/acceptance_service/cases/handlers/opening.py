"""Opening the cases of an application in the moment it is handed in."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from acceptance_service.applications.models import Application
from acceptance_service.bundles.domain import DependencyMode, Plan, PlannedItem
from acceptance_service.cases.domain.states import CaseStatus
from acceptance_service.cases.handlers.performing import facts_of, start_intake
from acceptance_service.cases.models import Case
from acceptance_service.catalogue.domain import Limit
from gov_rules.calendars import WorkCalendar
from service_common import timeline
from service_common.contracts.acceptance import CaseSubmitted
from service_common.db import new_id


def draft_cases(
    application: Application,
    plan: Plan,
    *,
    project_numbers: Sequence[str],
    calendar: WorkCalendar,
    now: datetime,
) -> Sequence[Case]:
    """One case per item, not stored yet. What waits for another item starts WAITING and is submitted when that is granted."""
    cases = [
        _case_for(application, item, project_no, now)
        for item, project_no in zip(plan.items, project_numbers, strict=True)
    ]
    for case in cases:
        if case.status is CaseStatus.SUBMITTED:
            start_intake(case, calendar, now)
            case.sweep_at = now
    return cases


def first_events(cases: Sequence[Case]) -> list[tuple[Case, CaseSubmitted]]:
    """What the departments hear. Said before the rows are stored, which are then written once and with their revision."""
    return [(one, CaseSubmitted(**facts_of(one))) for one in cases if one.status is CaseStatus.SUBMITTED]


def first_steps(cases: Sequence[Case]) -> list[timeline.Step]:
    """How each case's history begins."""
    return [
        timeline.Step(
            one.id,
            "SUBMIT",
            {"to": one.status.value, "project_no": one.project_no, "item_version": one.item_version},
            first=True,
        )
        for one in cases
    ]


def _case_for(application: Application, item: PlannedItem, project_no: str, now: datetime) -> Case:
    waits = bool(item.depends_on)
    return Case(
        id=new_id(),
        revision=0,
        # Set here, or storing several cases would be a statement for each, that asks for what the database filled in.
        created_at=now,
        updated_at=now,
        application_id=application.id,
        project_no=project_no,
        item_code=item.item_code,
        item_version=item.item_version,
        item_name=item.name,
        project_type=item.project_type,
        department_id=item.department_id,
        division=item.division,
        applicant_kind=application.applicant_kind,
        applicant_id=application.applicant_id,
        applicant_masked=application.applicant_masked,
        submitted_by=application.submitted_by,
        status=CaseStatus.WAITING if waits else CaseStatus.SUBMITTED,
        waits_for=list(item.depends_on),
        waits_for_any=item.dependency_mode is DependencyMode.ANY,
        form_revision=application.form_revision,
        contact_no=1,
        correction_noticed=False,
        deemed_accepted=False,
        tolerance=False,
        promise=False,
        due_provisional=False,
        four_eyes=item.four_eyes,
        instant=False,
        limits={"statutory": _dump(item.statutory_limit), "promised": _dump(item.promised_limit)},
        notify_promise=item.notify_promise,
        instant_rule=item.instant_rule,
        licence_type_code=item.licence_type_code,
        result_name=item.result_name,
    )


def _dump(limit: Limit | None) -> list[Any] | None:
    return [limit.value, limit.unit.value] if limit else None
