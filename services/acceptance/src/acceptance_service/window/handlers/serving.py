"""What a clerk does during a sitting: fill in, say what is lacking, take the signature, hand in. The rules are those online."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from acceptance_service.applications.domain import ApplicationStatus, NotDraft, Provision, need_complete_plan
from acceptance_service.applications.handlers.drafts import (
    DraftChange,
    change_draft,
    own_application,
    plan_of,
    verified_digest,
)
from acceptance_service.applications.handlers.materials import (
    ProvisionInput,
    provide_material,
    resolve_materials,
)
from acceptance_service.applications.handlers.progress import record_access
from acceptance_service.applications.models import Application, Material
from acceptance_service.applications.repository import read_form
from acceptance_service.applications.verified_values import (
    LockedValuesChanged,
    PrefillNeeded,
    check_locked,
)
from acceptance_service.bundles.domain import Plan
from acceptance_service.cases.domain.rules import NoSuchCase
from acceptance_service.cases.handlers.intake import resubmit_case
from acceptance_service.cases.models import Case
from acceptance_service.files.domain import Quota
from acceptance_service.files.handlers import attach
from acceptance_service.numbering.handlers import Serials
from acceptance_service.submissions.handlers import following, submit
from acceptance_service.window.domain import (
    SIGNED_PAPER,
    SIGNED_PAPER_FORMATS,
    SIGNED_PAPER_TITLE,
    ApplicantLevelTooLow,
    SignatureNeeded,
)
from acceptance_service.window.handlers.opening import Seat
from acceptance_service.window.models import WindowSitting
from service_common import timeline
from service_common.auth import TrustLevelTooLow
from service_common.crypto import KeyRing
from service_common.errors import FieldProblem


@dataclass(frozen=True)
class WindowChange:
    """A change of a draft; ``signed_paper`` is the picture of what the applicant signed, for promises alone."""

    draft: DraftChange
    signed_paper: UUID | None = None


async def change_at_window(
    session: AsyncSession, seat: Seat, change: WindowChange, *, quota: Quota, now: datetime
) -> tuple[Application, Plan]:
    """Answers, delivery and promises of a draft; a promise needs the applicant's own signature, on paper.

    Raises: NotDraft, UnknownPromise, SignatureNeeded, NoSuchFile, FileTypeRefused, ApplicationFilesFull.
    """
    promised = bool(change.draft.promises or change.draft.tolerance_promised)
    if promised and change.signed_paper is None:
        raise SignatureNeeded
    application, plan = await change_draft(
        session, seat.sitting.application_id, change.draft, caller=seat.applicant
    )
    if promised and change.signed_paper is not None:
        await _keep_paper(session, seat, change.signed_paper, application, quota=quota, now=now)
    return application, plan


async def provide_at_window(
    session: AsyncSession, seat: Seat, code: str, given: ProvisionInput, *, quota: Quota, now: datetime
) -> Material:
    """Provides a material, from files that the clerk has scanned. Raises: as online, SignatureNeeded."""
    if given.way is Provision.PROMISE:
        application = await own_application(session, seat.sitting.application_id, seat.applicant)
        if given.promise not in application.promises:
            raise SignatureNeeded
    return await provide_material(
        session,
        seat.sitting.application_id,
        code,
        given,
        caller=seat.applicant,
        uploader=seat.clerk,
        quota=quota,
        now=now,
    )


async def tell_what_lacks(
    session: AsyncSession, ring: KeyRing, seat: Seat, *, now: datetime
) -> list[FieldProblem]:
    """Everything that a draft still lacks, told once and for all 一次性告知; that it was told stands in the history.

    Raises: NotDraft, QuestionsUnanswered, NothingToApplyFor.
    """
    application = await own_application(session, seat.sitting.application_id, seat.applicant, lock=True)
    if application.status is not ApplicationStatus.DRAFT:
        raise NotDraft
    plan = await plan_of(session, application)
    need_complete_plan(plan)
    form = await read_form(session, ring, application.id, application.form_revision)
    resolved = await resolve_materials(session, application, plan)
    problems = submit.lacking(plan, form, resolved, tolerance_promised=application.tolerance_promised)
    digest = verified_digest(ring, application.id)
    try:
        check_locked(plan.form_schema, form, application.verified_values, digest=digest, fresh_at=now)
    except (PrefillNeeded, LockedValuesChanged) as refused:
        problems += refused.fields
    await timeline.append(
        session,
        application.id,
        "TOLD_WHAT_LACKS",
        actor=seat.applicant.actor,
        at=now,
        facts={"lacking": [one.pointer for one in problems]},
    )
    return problems


async def submit_at_window(
    session: AsyncSession, ring: KeyRing, serials: Serials, seat: Seat, *, now: datetime
) -> submit.Receipt:
    """Hands in as the applicant would, and ends the sitting. Raises: as online, ApplicantLevelTooLow."""
    try:
        receipt = await submit.submit_application(
            session,
            ring,
            serials,
            seat.sitting.application_id,
            caller=seat.applicant,
            window=seat.window,
            now=now,
        )
    except TrustLevelTooLow as low:
        raise ApplicantLevelTooLow(needed=low.facts["needed"], current=low.facts["current"]) from low
    await _rise(session, seat, now)
    return receipt


async def resubmit_at_window(
    session: AsyncSession, ring: KeyRing, seat: Seat, case_id: UUID, *, now: datetime
) -> Case:
    """Sends a returned or corrected case of this application again. Raises: NoSuchCase, ActionNotPossible."""
    case = await session.get(Case, case_id)
    if case is None or case.application_id != seat.sitting.application_id:
        raise NoSuchCase
    return await resubmit_case(session, ring, case_id, caller=seat.applicant, now=now)


async def withdraw_at_window(
    session: AsyncSession, ring: KeyRing, seat: Seat, *, now: datetime
) -> Application:
    """Takes back what is not decided, and ends the sitting. Raises: AlreadyDiscarded, ActionNotPossible."""
    application = await following.withdraw_application(
        session, ring, seat.sitting.application_id, caller=seat.applicant, now=now
    )
    await _rise(session, seat, now)
    return application


async def read_at_window(
    session: AsyncSession, ring: KeyRing, seat: Seat, *, now: datetime
) -> following.ApplicationView:
    """Everything that was entered; the applicant reads that a clerk has looked."""
    view = await following.read_application(session, ring, seat.sitting.application_id, caller=seat.applicant)
    await record_access(
        session,
        application_id=view.application.id,
        case_id=None,
        what="WINDOW_FORM",
        caller=seat.clerk,
        now=now,
    )
    return view


async def _keep_paper(
    session: AsyncSession,
    seat: Seat,
    file_id: UUID,
    application: Application,
    *,
    quota: Quota,
    now: datetime,
) -> None:
    """The signed paper becomes a material of the whole application: the applicant and every department see it."""
    digests = await attach(
        session,
        [file_id],
        application_id=application.id,
        material_code=SIGNED_PAPER,
        formats=SIGNED_PAPER_FORMATS,
        caller=seat.clerk,
        quota=quota,
    )
    values: dict[str, Any] = {
        "provision": Provision.FILES,
        "facts": {"sha256": digests},
        "provided_at": now,
    }
    await session.execute(
        insert(Material)
        .values(
            application_id=application.id,
            code=SIGNED_PAPER,
            title=SIGNED_PAPER_TITLE,
            required=False,
            items=[],
            tolerated_in=[],
            ways=[],
            formats=list(SIGNED_PAPER_FORMATS),
            **values,
        )
        .on_conflict_do_update(index_elements=["application_id", "code"], set_=values)
    )
    await timeline.append(
        session,
        application.id,
        "SIGNED_AT_WINDOW",
        actor=seat.applicant.actor,
        at=now,
        facts={
            "sha256": digests,
            "promises": application.promises,
            "tolerance": application.tolerance_promised,
        },
    )


async def _rise(session: AsyncSession, seat: Seat, now: datetime) -> None:
    """Ends every sitting about this application: what was agreed to is done."""
    await session.execute(
        update(WindowSitting)
        .where(WindowSitting.application_id == seat.sitting.application_id, WindowSitting.ends_at > now)
        .values(ends_at=now)
    )
