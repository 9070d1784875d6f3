"""Beginning to serve somebody: a proof of presence is used up, and becomes a sitting about one application."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import exists, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from acceptance_service.applications.domain import (
    MATTERS,
    ApplicationStatus,
    Delivery,
    NoSuchApplication,
    Window,
)
from acceptance_service.applications.handlers.drafts import DraftInput, begin_draft, name_sender, plan_of
from acceptance_service.applications.models import Application
from acceptance_service.applications.repository import find_application
from acceptance_service.bundles.domain import Plan
from acceptance_service.bundles.handlers import plan_application
from acceptance_service.cases.handlers.performing import served_prefix
from acceptance_service.window.domain import NotOpenForWindow, OutOfReach, PresenceElsewhere, SittingOver
from acceptance_service.window.models import WindowSitting
from gov_rules.divisions import is_within
from service_common import timeline
from service_common.auth import Caller, NotStaff
from service_common.contracts.acceptance import HolderKind
from service_common.delegation import Act, Delegation
from service_common.presence import Presence, PresenceNotValid

_ACTS = frozenset({Act.VIEW, Act.SUBMIT, Act.SIGN})


@dataclass(frozen=True)
class Wish:
    """What somebody at the window applies for: a bundle or a single item. The proof says who applies."""

    bundle_code: str | None
    item_code: str | None
    division: str | None
    answers: Mapping[str, Any] = field(default_factory=dict)
    delivery: Delivery = Delivery.ELECTRONIC
    in_addition: bool = False
    go_on: bool = False


@dataclass(frozen=True)
class Seat:
    """A living sitting. ``applicant`` is whom the clerk acts for, with the clerk as helper: what the use cases of applicants take."""

    sitting: WindowSitting
    clerk: Caller
    applicant: Caller

    @property
    def window(self) -> Window:
        """At whose window they sit."""
        return Window(self.clerk.staff_id, self.sitting.department_id)


async def begin_at_window(
    session: AsyncSession, presence: Presence, wish: Wish, *, clerk: Caller, length: timedelta, now: datetime
) -> tuple[Application, Plan, WindowSitting]:
    """Begins an application for who is there, or goes on with the draft that they have begun online for it.

    Raises: PresenceElsewhere, OutOfReach, PresenceNotValid, NotForThisApplicant, OpenApplicationExists, what planning raises.
    """
    _need_own_counter(presence, clerk)
    code = wish.bundle_code or wish.item_code or ""
    plan = await plan_application(
        session,
        bundle_code=wish.bundle_code,
        item_code=wish.item_code,
        division=wish.division,
        answers=wish.answers,
    )
    _need_reach(clerk, plan.division)
    applicant = _applicant(presence.id, presence, code, clerk)
    application = await _open_draft(session, presence.holder_id, code, plan.division) if wish.go_on else None
    if application is None:
        application, plan = await begin_draft(
            session, _draft(wish, presence), caller=applicant, now=now, window=_window(clerk)
        )
    else:
        plan = await plan_of(session, application)
        name_sender(application, applicant, _window(clerk))
    sitting = await _sit_down(session, presence, application, clerk, length=length, now=now)
    return application, plan, sitting


async def sit_down_again(
    session: AsyncSession,
    presence: Presence,
    which: UUID | str,
    *,
    clerk: Caller,
    length: timedelta,
    now: datetime,
) -> tuple[Application, WindowSitting]:
    """Goes on with an application of who is there, however it was begun: by its id, or by the number on the receipt.

    Raises: PresenceElsewhere, NoSuchApplication, NotOpenForWindow, OutOfReach, PresenceNotValid.
    """
    _need_own_counter(presence, clerk)
    application = await _find(session, which)
    if application is None or application.applicant_id != presence.holder_id:
        raise NoSuchApplication
    if application.closed_at is not None:
        raise NotOpenForWindow
    _need_reach(clerk, application.division)
    sitting = await _sit_down(session, presence, application, clerk, length=length, now=now)
    return application, sitting


async def seat_of(session: AsyncSession, application_id: UUID, *, clerk: Caller, now: datetime) -> Seat:
    """The living sitting of the clerk's own hall about an application.

    Raises: NoSuchApplication for what another hall took in, SittingOver.
    """
    application = await find_application(session, application_id, lock=False)
    sitting = await session.scalar(
        select(WindowSitting)
        .where(WindowSitting.application_id == application_id, *_of_hall(clerk))
        .order_by(WindowSitting.ends_at.desc())
        .limit(1)
    )
    if application is None or sitting is None:
        raise NoSuchApplication
    if sitting.ends_at <= now:
        raise SittingOver
    return Seat(sitting, clerk, _applicant(sitting.id, sitting, application.subject_code, clerk))


async def list_taken_in(
    session: AsyncSession, *, clerk: Caller, after: UUID | None, limit: int
) -> Sequence[Application]:
    """A page of what the clerk's own hall took in or helped with, newest first."""
    statement = select(Application).where(
        exists().where(WindowSitting.application_id == Application.id, *_of_hall(clerk))
    )
    if after is not None:
        statement = statement.where(Application.id < after)
    return (await session.scalars(statement.order_by(Application.id.desc()).limit(limit + 1))).all()


def _of_hall(clerk: Caller) -> tuple[Any, ...]:
    return (
        WindowSitting.department_id == clerk.department_id,
        WindowSitting.division == clerk.division,
    )


def _window(clerk: Caller) -> Window:
    if clerk.department_id is None:
        raise NotStaff
    return Window(clerk.staff_id, clerk.department_id)


def _need_own_counter(presence: Presence, clerk: Caller) -> None:
    if (presence.department_id, presence.division) != (clerk.department_id, clerk.division):
        raise PresenceElsewhere


def _need_reach(clerk: Caller, division: str) -> None:
    """The hall's own division, what lies within it, and the levels above it: those of the line it stands in."""
    below = division.startswith(served_prefix(clerk))
    above = clerk.division is not None and is_within(clerk.division, division)
    if not (below or above):
        raise OutOfReach(division=division)


def _draft(wish: Wish, presence: Presence) -> DraftInput:
    natural = presence.legal_person_id is None
    return DraftInput(
        wish.bundle_code,
        wish.item_code,
        wish.division,
        HolderKind.NATURAL_PERSON if natural else HolderKind.LEGAL_PERSON,
        presence.holder_id,
        wish.answers,
        wish.delivery,
        wish.in_addition,
    )


def _applicant(sitting_id: UUID, there: Presence | WindowSitting, code: str, clerk: Caller) -> Caller:
    """Who is there, for this one matter, with the clerk as the one who does it: both stand in the history."""
    return replace(
        clerk,
        subject_id=str(there.person_id),
        subject_type="person",
        trust_level=there.trust_level,
        represents=frozenset({there.legal_person_id} if there.legal_person_id else ()),
        roles=frozenset(),
        delegation=Delegation(sitting_id, "staff", clerk.subject_id, _ACTS, frozenset({f"{MATTERS}:{code}"})),
    )


async def _open_draft(session: AsyncSession, holder_id: UUID, code: str, division: str) -> Application | None:
    return await session.scalar(
        select(Application)
        .where(
            Application.applicant_id == holder_id,
            Application.subject_code == code,
            Application.division == division,
            Application.status == ApplicationStatus.DRAFT,
            ~Application.in_addition,
        )
        .with_for_update()
    )


async def _find(session: AsyncSession, which: UUID | str) -> Application | None:
    if isinstance(which, UUID):
        return await find_application(session, which, lock=True)
    return await session.scalar(select(Application).where(Application.number == which).with_for_update())


async def _sit_down(
    session: AsyncSession,
    presence: Presence,
    application: Application,
    clerk: Caller,
    *,
    length: timedelta,
    now: datetime,
) -> WindowSitting:
    """Uses the proof up. Two clerks with the same one meet in its id. Raises: PresenceNotValid."""
    await session.flush()
    sitting: WindowSitting | None = await session.scalar(
        insert(WindowSitting)
        .values(
            id=presence.id,
            application_id=application.id,
            person_id=presence.person_id,
            legal_person_id=presence.legal_person_id,
            trust_level=presence.trust_level,
            method=presence.method,
            staff_id=clerk.staff_id,
            department_id=presence.department_id,
            division=presence.division,
            began_at=now,
            ends_at=now + length,
        )
        .on_conflict_do_nothing(index_elements=["id"])
        .returning(WindowSitting)
    )
    if sitting is None:
        raise PresenceNotValid
    await timeline.append(
        session,
        application.id,
        "PRESENT_AT_WINDOW",
        actor=timeline.Actor("staff", clerk.subject_id),
        at=now,
        facts={
            "person_id": str(presence.person_id),
            "method": str(presence.method),
            "department_id": str(presence.department_id),
            "presence_id": str(presence.id),
        },
    )
    return sitting
