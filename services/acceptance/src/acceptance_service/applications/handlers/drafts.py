"""Use cases of a draft: begin, change, save its form, discard. And who may see an application at all."""

import hashlib
import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import exists, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from acceptance_service.applications.domain import (
    MATTERS,
    ApplicationStatus,
    Delivery,
    NoSuchApplication,
    NotDraft,
    NotEditable,
    NotForThisApplicant,
    OpenApplicationExists,
    Window,
    check_form,
    need_known_promises,
)
from acceptance_service.applications.models import Application, Form, Material
from acceptance_service.applications.repository import FORM_COLUMN, find_application
from acceptance_service.applications.verified_values import Digest, check_locked, remember
from acceptance_service.bundles.domain import Plan
from acceptance_service.bundles.handlers import plan_application, show_plan
from acceptance_service.catalogue.domain import ApplicantKind
from acceptance_service.files.handlers import release_files
from service_common import timeline
from service_common.auth import Caller
from service_common.contracts.acceptance import Channel, HolderKind
from service_common.crypto import KeyRing
from service_common.db import new_id
from service_common.delegation import Act
from service_common.errors import Forbidden
from service_common.timeline import SYSTEM, Actor

_GIVEN_UP_AT_ONCE = 200


class NotRepresented(Forbidden):
    """Neither the caller's own matter nor that of a company they act for."""

    code = "applicant_not_represented"
    zh = "您只能为本人或您代理的企业提出申请。"
    en = "You can apply for yourself or for a company that you represent."


@dataclass(frozen=True)
class DraftInput:
    """What an application is begun with: a bundle or a single item, exactly one of them."""

    bundle_code: str | None
    item_code: str | None
    division: str | None
    applicant_kind: HolderKind
    applicant_id: UUID
    answers: Mapping[str, Any] = field(default_factory=dict)
    delivery: Delivery = Delivery.ELECTRONIC
    in_addition: bool = False


@dataclass(frozen=True)
class DraftChange:
    """What is changed about a draft; None leaves it as it is."""

    answers: Mapping[str, Any] | None = None
    delivery: Delivery | None = None
    promises: list[str] | None = None
    tolerance_promised: bool | None = None


async def begin_draft(
    session: AsyncSession, draft: DraftInput, *, caller: Caller, now: datetime, window: Window | None = None
) -> tuple[Application, Plan]:
    """Begins an application for oneself, a represented legal person, or who has entrusted the caller with this matter.

    One open application per applicant, subject and division, unless another one is meant expressly. At a window the caller
    is who stands there.
    Raises: NotRepresented, OutsideDelegation, NotForThisApplicant, OpenApplicationExists, and what planning raises.
    """
    _need_representation(draft, caller)
    caller.need_matter(MATTERS, draft.bundle_code or draft.item_code or "")
    shown = await show_plan(
        session,
        bundle_code=draft.bundle_code,
        item_code=draft.item_code,
        division=draft.division,
        answers=draft.answers,
        applicant_kind=ApplicantKind(draft.applicant_kind.value),
    )
    if draft.item_code is not None and shown.not_for_applicant:
        raise NotForThisApplicant
    plan = shown.plan
    application = Application(
        id=new_id(),
        status=ApplicationStatus.DRAFT,
        subject_code=draft.bundle_code or draft.item_code or "",
        bundle_code=draft.bundle_code,
        bundle_version=plan.bundle_version,
        title=plan.title,
        division=plan.division,
        lead_department_id=plan.lead_department_id,
        answers=dict(plan.answers),
        promises=[],
        delivery=draft.delivery,
        in_addition=draft.in_addition,
        applicant_kind=draft.applicant_kind,
        applicant_id=draft.applicant_id,
        items_with_applicant=[],
    )
    name_sender(application, caller, window)
    session.add(application)
    try:
        await session.flush()
    except IntegrityError as error:
        if "uq_applications_one_open" in str(error.orig):
            raise OpenApplicationExists from error
        raise
    await timeline.append(
        session,
        application.id,
        "DRAFTED",
        actor=caller.actor,
        at=now,
        facts={"subject": application.subject_code, "division": application.division},
        first=True,
    )
    return application, plan


async def own_application(
    session: AsyncSession, application_id: UUID, caller: Caller, *, lock: bool = False
) -> Application:
    """An application of the caller or of whom they act for, within what was entrusted. Raises: NoSuchApplication."""
    application = await find_application(session, application_id, lock=lock)
    if application is None or not is_applicants(application, caller):
        raise NoSuchApplication
    return application


def name_sender(application: Application, caller: Caller, window: Window | None) -> None:
    """Who applies and how: online whoever acts; at a window the person who is there, and the clerk beside them."""
    application.submitted_by = caller.person_id if window else caller.acting_id
    application.channel = Channel.WINDOW if window else Channel.ONLINE
    application.taken_in_by = window.staff_id if window else None
    application.window_department_id = window.department_id if window else None


def is_applicants(application: Application, caller: Caller) -> bool:
    """Whether the caller is the applicant, or acts for them in this matter."""
    return caller.may_act_for(application.applicant_id) and caller.may_handle(
        MATTERS, application.subject_code
    )


async def plan_of(session: AsyncSession, application: Application) -> Plan:
    """The plan of an application on the versions that are published now."""
    return await plan_application(
        session,
        bundle_code=application.bundle_code,
        item_code=None if application.bundle_code else application.subject_code,
        division=application.division,
        answers=application.answers,
    )


async def change_draft(
    session: AsyncSession, application_id: UUID, change: DraftChange, *, caller: Caller
) -> tuple[Application, Plan]:
    """Answers, delivery and promises of a draft. To promise is to sign.

    Raises: NoSuchApplication, NotDraft, UnknownPromise, NotDelegable.
    """
    if change.promises or change.tolerance_promised:
        caller.need_act(Act.SIGN)
    application = await own_application(session, application_id, caller, lock=True)
    _need_draft(application)
    if change.answers is not None:
        application.answers = dict(change.answers)
    if change.delivery is not None:
        application.delivery = change.delivery
    if change.tolerance_promised is not None:
        application.tolerance_promised = change.tolerance_promised
    plan = await plan_of(session, application)
    application.answers = dict(plan.answers)
    if change.promises is not None:
        need_known_promises(plan, change.promises)
        application.promises = sorted(set(change.promises))
    await session.flush()
    return application, plan


async def save_form(
    session: AsyncSession,
    ring: KeyRing,
    application_id: UUID,
    form: Mapping[str, Any],
    *,
    caller: Caller,
    now: datetime,
) -> Application:
    """Stores the form, sealed. A draft may be incomplete; what was returned is saved as a new version.

    Raises: NoSuchApplication, NotEditable, FormInvalid, PrefillNeeded, LockedValuesChanged.
    """
    application = await own_application(session, application_id, caller, lock=True)
    if application.status is ApplicationStatus.DRAFT:
        schema = (await plan_of(session, application)).form_schema
        application.form_revision = 1
    elif application.status is ApplicationStatus.ACTION_NEEDED and application.form_schema is not None:
        schema = application.form_schema
        application.form_revision += 1
    else:
        raise NotEditable
    submitted = application.status is not ApplicationStatus.DRAFT
    check_form(schema, form, complete=submitted)
    if submitted:
        check_locked(schema, form, application.verified_values, digest=verified_digest(ring, application.id))
    digest = form_digest(form)
    values = {
        "body": ring.encrypt_json(form, column=FORM_COLUMN),
        "digest": digest,
        "saved_at": now,
        "saved_by": caller.acting_id,
    }
    await session.execute(
        insert(Form)
        .values(application_id=application.id, revision=application.form_revision, **values)
        .on_conflict_do_update(index_elements=["application_id", "revision"], set_=values)
    )
    if submitted:
        await timeline.append(
            session,
            application.id,
            "FORM_CHANGED",
            actor=caller.actor,
            at=now,
            facts={"revision": application.form_revision, "sha256": digest.hex()},
        )
    application.updated_at = now
    await session.flush()
    return application


async def discard_draft(
    session: AsyncSession, application_id: UUID, *, caller: Caller, now: datetime
) -> Application:
    """Gives a draft up; its files are swept. Raises: NoSuchApplication, NotDraft."""
    application = await own_application(session, application_id, caller, lock=True)
    _need_draft(application)
    await _discard(session, application, caller.actor, now)
    await session.flush()
    return application


async def give_up_drafts(session: AsyncSession, *, untouched: timedelta, now: datetime) -> bool:
    """Discards drafts that nobody has touched for so long, a batch at a time; their files are swept next.

    Returns whether more may wait.
    """
    until = now - untouched
    forgotten = (
        await session.scalars(
            select(Application)
            .where(
                Application.status == ApplicationStatus.DRAFT,
                Application.updated_at < until,
                ~exists().where(Material.application_id == Application.id, Material.provided_at >= until),
            )
            .limit(_GIVEN_UP_AT_ONCE)
            .with_for_update(skip_locked=True)
        )
    ).all()
    for application in forgotten:
        await _discard(session, application, SYSTEM, now)
    await session.flush()
    return len(forgotten) == _GIVEN_UP_AT_ONCE


async def _discard(session: AsyncSession, application: Application, actor: Actor, now: datetime) -> None:
    application.status = ApplicationStatus.DISCARDED
    application.closed_at = now
    await release_files(session, application.id)
    await timeline.append(session, application.id, "DISCARDED", actor=actor, at=now)


async def remember_verified(
    session: AsyncSession,
    ring: KeyRing,
    application_id: UUID,
    *,
    asked: Collection[str],
    verified: Mapping[str, str],
    unanswered: Collection[str] = (),
    now: datetime,
) -> None:
    """Keeps digests of what identity has just said, or not said, about who applies. The version stays: nothing was changed by anybody."""
    application = await find_application(session, application_id, lock=True)
    if application is None:
        return
    known = remember(
        application.verified_values,
        asked,
        verified,
        unanswered,
        digest=verified_digest(ring, application_id),
        now=now,
    )
    await session.execute(
        update(Application)
        .where(Application.id == application_id)
        .values(verified_values=known, updated_at=Application.updated_at)
    )


def verified_digest(ring: KeyRing, application_id: UUID) -> Digest:
    """Of this application alone: equal names of two applications have different digests."""
    return lambda source, value: ring.blind_index(
        f"{application_id}:{source}:{value}", column="applications.verified_values"
    ).hex()


def form_digest(form: Mapping[str, Any]) -> bytes:
    """SHA-256 of the canonical JSON: the commitment that stands in the timeline."""
    canonical = json.dumps(form, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).digest()


def _need_draft(application: Application) -> None:
    if application.status is not ApplicationStatus.DRAFT:
        raise NotDraft


def _need_representation(draft: DraftInput, caller: Caller) -> None:
    natural = draft.applicant_kind is HolderKind.NATURAL_PERSON
    own = caller.subject_type == "person" and draft.applicant_id == caller.person_id
    if own is not natural or not caller.may_act_for(draft.applicant_id):
        raise NotRepresented
