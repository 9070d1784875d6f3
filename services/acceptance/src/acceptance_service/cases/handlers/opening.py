"""Opening the cases of an application in the moment it is handed in."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import insert, inspect
from sqlalchemy.ext.asyncio import AsyncSession

from acceptance_service.applications.models import Application
from acceptance_service.bundles.domain import DependencyMode, Plan, PlannedItem
from acceptance_service.cases.domain.states import CaseStatus
from acceptance_service.cases.handlers.performing import Act, facts_of, start_intake
from acceptance_service.cases.models import Case
from acceptance_service.catalogue.domain import Limit
from gov_rules.calendars import WorkCalendar
from service_common import outbox, timeline
from service_common.contracts.acceptance import CaseSubmitted
from service_common.db import new_id

_FILLED_BY_DATABASE = frozenset({"created_at", "updated_at"})


async def open_cases(
    session: AsyncSession,
    application: Application,
    plan: Plan,
    *,
    project_numbers: Sequence[str],
    calendar: WorkCalendar,
    act: Act,
) -> Sequence[Case]:
    """One case per item. What waits for another item starts WAITING and is submitted when that one is granted.

    Few statements on purpose: this is the busiest moment of the service.
    """
    drafts = [
        _case_for(application, item, project_no)
        for item, project_no in zip(plan.items, project_numbers, strict=True)
    ]
    for case in drafts:
        if case.status is CaseStatus.SUBMITTED:
            start_intake(case, calendar, act.now)
            case.sweep_at = act.now
            # Before the row, which is then written once and with its first revision.
            await outbox.add(session, case, CaseSubmitted(**facts_of(case)), now=act.now)
    written = await session.scalars(insert(Case).values([_values(one) for one in drafts]).returning(Case))
    cases = sorted(written, key=lambda one: one.id)  # ids are made in the plan's order
    await timeline.begin_all(
        session, {case.id: _first_facts(case) for case in cases}, "SUBMIT", actor=act.actor, at=act.now
    )
    return cases


def _values(case: Case) -> dict[str, Any]:
    """Every column that is not the database's own to fill, set or not: equal keys make one statement."""
    columns = inspect(Case).column_attrs.keys()
    return {name: getattr(case, name) for name in columns if name not in _FILLED_BY_DATABASE} | {"version": 1}


def _first_facts(case: Case) -> dict[str, Any]:
    return {"to": case.status.value, "project_no": case.project_no, "item_version": case.item_version}


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
