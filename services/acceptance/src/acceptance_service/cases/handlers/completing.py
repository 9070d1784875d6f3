"""Use cases after the decision: certify, deliver, finish."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from acceptance_service.applications.domain import Delivery
from acceptance_service.applications.repository import read_form
from acceptance_service.cases.domain.rules import LicenceOutstanding
from acceptance_service.cases.domain.states import Action, CaseStatus, next_status
from acceptance_service.cases.domain.surface import SurfaceSources, fill_surface
from acceptance_service.cases.handlers.performing import Act, hold_for_department, perform, settle
from acceptance_service.cases.models import Case
from acceptance_service.cases.repository import Dossier, hold_dossier
from acceptance_service.clients.certificates import LicenceOrder, SurfaceField
from acceptance_service.clients.identity import NAME_AND_NUMBER, Profile
from acceptance_service.departments.models import Department
from service_common.auth import Caller
from service_common.clock import local_date
from service_common.contracts.acceptance import CaseFinished, HolderKind
from service_common.contracts.certificates import LicenceIssued
from service_common.crypto import KeyRing
from service_common.db import Database

_UNISSUED = frozenset({CaseStatus.DECIDED_APPROVED, CaseStatus.CERTIFYING})


class LicenceLibrary(Protocol):
    """What issuing needs of certificates."""

    async def surface_fields(self, type_code: str) -> list[SurfaceField]:
        """The fields of a type."""

    async def issue(self, order: LicenceOrder) -> UUID | None:
        """Issues once per case; None when another asking had it issued."""


class Profiles(Protocol):
    """What issuing needs of identity."""

    async def look_up(
        self,
        kind: HolderKind,
        holder_id: UUID,
        *,
        attributes: Collection[str],
        purpose: str,
        application_id: UUID,
    ) -> Profile:
        """Verified values of a person."""


@dataclass(frozen=True)
class LicenceWish:
    """What a granted case needs issued, read before any call leaves."""

    case: Case
    application_id: UUID
    form: dict[str, Any]
    department_name: str | None


async def read_licence_wish(database: Database, ring: KeyRing, case_id: UUID) -> LicenceWish | None:
    """The order for a granted case, or None when there is nothing to issue (any more). Its transaction ends here."""
    async with database.sessions() as session:
        row = (
            await session.execute(
                select(Case, Department.name)
                .outerjoin(Department, Department.id == Case.department_id)
                .where(Case.id == case_id)
            )
        ).first()
        if row is None or row.Case.status not in _UNISSUED or row.Case.licence_type_code is None:
            return None
        case: Case = row.Case
        form = await read_form(session, ring, case.application_id, case.form_revision)
        return LicenceWish(case, case.application_id, form, row.name)


async def order_licence(wish: LicenceWish, library: LicenceLibrary, profiles: Profiles) -> UUID | None:
    """Has the licence issued; asked again it is the same one, for the case id is the idempotency key.

    Raises: PeerUnavailable (tried again for as long as it lasts), LicenceRefused.
    """
    case = wish.case
    assert case.licence_type_code is not None
    assert case.decided_at is not None
    fields = await library.surface_fields(case.licence_type_code)
    profile = await profiles.look_up(
        case.applicant_kind,
        case.applicant_id,
        attributes=NAME_AND_NUMBER[case.applicant_kind],
        purpose="LICENCE_ISSUE",
        application_id=wish.application_id,
    )
    sources = SurfaceSources(
        form=wish.form,
        applicant_name=profile.name,
        applicant_number=profile.number,
        department_name=wish.department_name,
    )
    order = LicenceOrder(
        type_code=case.licence_type_code,
        holder_kind=case.applicant_kind,
        holder_id=case.applicant_id,
        case_id=case.id,
        project_no=case.project_no,
        issuer_department_id=case.department_id,
        surface=fill_surface([(one.key, one.source) for one in fields], sources),
        valid_from=local_date(case.decided_at),
        valid_until=None,
    )
    return await library.issue(order)


async def after_decision(
    session: AsyncSession, ring: KeyRing, case_id: UUID, licence_id: UUID | None, *, now: datetime
) -> None:
    """Goes on after a decision: CERTIFYING while the licence is on its way, else straight to delivery.

    The news of the licence may have come first; then nothing is left to do.
    """
    dossier = await hold_dossier(session, case_id)
    act = Act.by_system(now, ring)
    status = dossier.case.status
    if licence_id is not None and status is CaseStatus.DECIDED_APPROVED:
        await perform(session, dossier, Action.CERTIFY, act, facts={"licence_id": str(licence_id)})
    elif licence_id is None and status in (CaseStatus.DECIDED_APPROVED, CaseStatus.DECIDED_REJECTED):
        await _hand_over(session, dossier, act)


async def licence_arrived(
    session: AsyncSession, ring: KeyRing, case_id: UUID, licence: LicenceIssued, *, now: datetime
) -> None:
    """The licence of a case is in the library: deliver it. A repeated or foreign licence changes nothing."""
    known = await session.scalar(select(Case.id).where(Case.id == case_id))
    if known is None:
        return
    dossier = await hold_dossier(session, case_id)
    case = dossier.case
    if case.status not in _UNISSUED or not _is_result_of(case, licence):
        return
    act = Act.by_system(now, ring)
    if case.status is CaseStatus.DECIDED_APPROVED:
        await perform(session, dossier, Action.CERTIFY, act)
    case.licence_id = licence.licence_id
    case.licence_identifier = licence.identifier
    await _hand_over(session, dossier, act, {"licence": licence.identifier})


async def deliver_case(
    session: AsyncSession, ring: KeyRing, case_id: UUID, *, caller: Caller, now: datetime
) -> Case:
    """Hands a result over at the window or to the courier 送达. Raises: NoSuchCase, LicenceOutstanding."""
    dossier = await hold_for_department(session, case_id, caller)
    _need_licence(dossier.case)
    await perform(session, dossier, Action.DELIVER, Act.of(caller, now, ring))
    return dossier.case


async def finish_case(
    session: AsyncSession, ring: KeyRing, case_id: UUID, *, caller: Caller, now: datetime
) -> Case:
    """The applicant has the result 办结: signed at the window, or delivered by the courier.

    Raises: NoSuchCase, ActionNotPossible, LicenceOutstanding.
    """
    dossier = await hold_for_department(session, case_id, caller)
    next_status(dossier.case.status, Action.FINISH)  # asked first: only a decided case has an outcome to tell
    _need_licence(dossier.case)
    await _finish(session, dossier, Act.of(caller, now, ring))
    return dossier.case


def _need_licence(case: Case) -> None:
    """Finished before, a granted case would never get its licence: nobody orders one for what has ended."""
    if case.status in _UNISSUED and case.licence_type_code is not None and case.licence_id is None:
        raise LicenceOutstanding


def _is_result_of(case: Case, licence: LicenceIssued) -> bool:
    """Departments may name any case in what they issue: the result is what its own one granted, to its applicant."""
    granted = (case.department_id, case.licence_type_code, case.applicant_id)
    return (licence.issuer_department_id, licence.type_code, licence.holder_id) == granted


async def _hand_over(
    session: AsyncSession, dossier: Dossier, act: Act, facts: dict[str, Any] | None = None
) -> None:
    """Electronic results are delivered in the moment they exist; others wait for the window or the courier."""
    electronic = dossier.application.delivery is Delivery.ELECTRONIC
    if facts or not electronic:
        await perform(session, dossier, Action.DELIVER, act, facts=facts)
    if electronic:
        await _finish(session, dossier, act)


async def _finish(session: AsyncSession, dossier: Dossier, act: Act) -> None:
    outcome = dossier.case.outcome
    assert outcome is not None, "only a decided case is finished"
    await perform(session, dossier, Action.FINISH, act, event=CaseFinished, outcome=outcome)
    await settle(session, dossier, act)
