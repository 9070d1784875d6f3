"""Opening the cases of an application in the moment it is handed in."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import insert, inspect
from sqlalchemy.ext.asyncio import AsyncSession

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

_FILLED_BY_DATABASE = frozenset({"created_at", "updated_at"})


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
        _case_for(application, item, project_no)
        for item, project_no in zip(plan.items, project_numbers, strict=True)
    ]
    for case in cases:
        if case.status is CaseStatus.SUBMITTED:
            start_intake(case, calendar, now)
            case.sweep_at = now
    return cases


def first_events(cases: Sequence[Case]) -> list[tuple[Case, CaseSubmitted]]:
    """What the departments hear. Sent before the rows are stored, which are then written once and with their revision."""
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


async def store_cases(session: AsyncSession, drafts: Sequence[Case]) -> Sequence[Case]:
    """All rows in one statement: this is the busiest moment of the service."""
    # With the nulls: left out, rows with other columns set would be a statement of their own.
    statement = insert(Case).returning(Case).execution_options(render_nulls=True)
    written = await session.scalars(statement, [_values(one) for one in drafts])
    return sorted(written, key=lambda one: one.id)  # ids are made in the plan's order


def _values(case: Case) -> dict[str, Any]:
    """Every column that is not the database's own to fill, set or not: equal keys make one statement."""
    columns = inspect(Case).column_attrs.keys()
    return {name: getattr(case, name) for name in columns if name not in _FILLED_BY_DATABASE} | {"version": 1}


def _case_for(application: Application, item: PlannedItem, project_no: str) -> Case:
    waits = bool(item.depends_on)
    return Case(
        id=new_id(),
        revision=0,
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
