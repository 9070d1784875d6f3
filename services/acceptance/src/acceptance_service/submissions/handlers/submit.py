"""Handing an application in: one transaction that makes its cases, numbers, history and events."""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from acceptance_service.applications.domain import (
    ApplicationStatus,
    FormInvalid,
    NotDraft,
    Provision,
    SubmissionIncomplete,
    Window,
    check_form,
    gaps_of,
    need_complete_plan,
)
from acceptance_service.applications.handlers.drafts import (
    form_digest,
    name_sender,
    own_application,
    plan_of,
    verified_digest,
)
from acceptance_service.applications.handlers.materials import resolve_materials, store_resolved
from acceptance_service.applications.handlers.progress import application_facts
from acceptance_service.applications.models import Application
from acceptance_service.applications.repository import read_form
from acceptance_service.applications.verified_values import check_locked, unverified_fields
from acceptance_service.bundles.domain import Plan, PlannedMaterial
from acceptance_service.cases.domain.deadlines import limit_due
from acceptance_service.cases.handlers.opening import draft_cases, first_events, first_steps
from acceptance_service.cases.models import Case
from acceptance_service.numbering.handlers import Serials, draw_project_numbers, draw_query_number
from service_common import outbox, timeline
from service_common.auth import Caller
from service_common.contracts.acceptance import ApplicationSubmitted
from service_common.crypto import KeyRing
from service_common.errors import FieldProblem
from service_common.work_calendar import current_calendar

PASSWORD_COLUMN = "applications.query_password_hash"  # noqa: S105 - the name of a column


@dataclass(frozen=True)
class Receipt:
    """What the applicant gets, once: the query password is stored only as a keyed hash."""

    application: Application
    cases: Sequence[Case]
    query_password: str


async def submit_application(
    session: AsyncSession,
    ring: KeyRing,
    serials: Serials,
    application_id: UUID,
    *,
    caller: Caller,
    now: datetime,
    window: Window | None = None,
) -> Receipt:
    """Plans anew, checks everything, draws the numbers, opens the cases, tells the others. All or nothing.

    Raises: NoSuchApplication, NotDraft, QuestionsUnanswered, TrustLevelTooLow, FormInvalid, SubmissionIncomplete,
    PrefillNeeded, LockedValuesChanged.
    """
    application = await own_application(session, application_id, caller, lock=True)
    if application.status is not ApplicationStatus.DRAFT:
        raise NotDraft
    plan = await plan_of(session, application)
    need_complete_plan(plan)
    caller.need_trust_level(plan.min_trust_level)
    form = await read_form(session, ring, application.id, application.form_revision)
    resolved = await resolve_materials(session, application, plan)
    problems = lacking(plan, form, resolved, tolerance_promised=application.tolerance_promised)
    if problems:
        raise SubmissionIncomplete(fields=problems)
    check_locked(
        plan.form_schema,
        form,
        application.verified_values,
        digest=verified_digest(ring, application.id),
        fresh_at=now,
    )
    calendar = await current_calendar(session)
    project_numbers, master = await draw_project_numbers(
        serials,
        [item.implementation_code for item in plan.items],
        plan.division,
        now,
        master=plan.bundle_code is not None,
    )
    query_number = await draw_query_number(session, now)
    await store_resolved(session, application, resolved, now=now)
    password = f"{secrets.randbelow(1_000_000):06d}"
    application.query_number = query_number
    application.query_password_hash = password_hash(ring, query_number, password)
    _fill(application, plan, number=master or project_numbers[0], now=now)
    name_sender(application, caller, window)
    if plan.promised_limit is not None:
        application.promised_due_on = limit_due(now, plan.promised_limit, calendar).due_date
    cases = draft_cases(application, plan, project_numbers=project_numbers, calendar=calendar, now=now)
    codes, ids = [one.item_code for one in cases], [one.id for one in cases]
    submitted = ApplicationSubmitted(**application_facts(application, codes, ids))
    # No autoflush: rows are written once, when their revisions are known too.
    with session.no_autoflush:
        await outbox.add_all(session, [*first_events(cases), (application, submitted)], now=now)
    session.add_all(cases)
    await session.flush()
    facts = {
        "number": application.number,
        "form_sha256": form_digest(form).hex(),
        "bundle_version": plan.bundle_version,
        "materials": {material.code: way.value for material, way in resolved},
        "promises": application.promises,
        "cases": [one.project_no for one in cases],
        "unverified": unverified_fields(plan.form_schema, form, application.verified_values),
    }
    steps = [*first_steps(cases), timeline.Step(application.id, "SUBMITTED", facts)]
    await timeline.append_all(session, steps, actor=caller.actor, at=now)
    return Receipt(application, cases, password)


def password_hash(ring: KeyRing, query_number: str, password: str) -> bytes:
    """A keyed hash: a stolen table of six-digit passwords is of no use without the key."""
    return ring.blind_index(f"{query_number}:{password}", column=PASSWORD_COLUMN)


def lacking(
    plan: Plan,
    form: dict[str, object],
    resolved: Sequence[tuple[PlannedMaterial, Provision]],
    *,
    tolerance_promised: bool,
) -> list[FieldProblem]:
    """Everything that is missing or wrong, at once 一次性告知: materials and fields of the form."""
    problems = gaps_of(resolved, tolerance_promised=tolerance_promised)
    try:
        check_form(plan.form_schema, form, complete=True)
    except FormInvalid as invalid:
        problems += [FieldProblem(f"/form{one.pointer}", one.code, one.zh, one.en) for one in invalid.fields]
    return problems


def _fill(application: Application, plan: Plan, *, number: str, now: datetime) -> None:
    application.status = ApplicationStatus.IN_PROGRESS
    application.number = number
    application.bundle_version = plan.bundle_version
    application.title = plan.title
    application.lead_department_id = plan.lead_department_id
    application.form_schema = plan.form_schema
    application.submitted_at = now
