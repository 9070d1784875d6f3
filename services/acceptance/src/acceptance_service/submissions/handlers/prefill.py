"""What the government already holds is not asked again: prefill of the form, waiver of materials."""

import asyncio
from collections.abc import Collection, Coroutine, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Protocol, TypeVar
from uuid import UUID

import structlog
from sqlalchemy.ext.asyncio import AsyncSession

from acceptance_service.applications.domain import Window
from acceptance_service.applications.handlers.drafts import own_application, plan_of, remember_verified
from acceptance_service.applications.models import Application, HeldLicence
from acceptance_service.applications.repository import find_licences
from acceptance_service.applications.verified_values import LOCKED
from acceptance_service.clients.identity import Profile
from acceptance_service.submissions.domain import (
    Prefill,
    PrefillNeeds,
    UsableLicence,
    combine,
    prefill_needs,
    profile_subjects,
)
from service_common.auth import Caller
from service_common.contracts.acceptance import HolderKind
from service_common.contracts.certificates import LicenceStatus
from service_common.crypto import KeyRing
from service_common.db import Database
from service_common.errors import Unavailable

logger = structlog.get_logger()

Answer = TypeVar("Answer")


class Profiles(Protocol):
    """Identity, as prefill asks it."""

    async def look_up(
        self,
        kind: HolderKind,
        holder_id: UUID,
        *,
        attributes: Collection[str],
        purpose: str,
        application_id: UUID,
        department_id: UUID | None = None,
    ) -> Profile:
        """Verified attributes of a person, for a purpose, and for whom if not for themselves."""


class Licences(Protocol):
    """The licence library, as prefill asks it."""

    async def held(self, holder_id: UUID, type_codes: Collection[str]) -> list[dict[str, Any]]:
        """Licences of a holder of any of these types."""

    async def fetch_surface(
        self, licence_id: UUID, *, fields: Collection[str], purpose: str, application_id: UUID
    ) -> dict[str, Any]:
        """These fields of a licence."""


@dataclass(frozen=True)
class Question:
    """What is to be asked for one application, read before any call leaves."""

    application_id: UUID
    applicant_kind: HolderKind
    applicant_id: UUID
    person_id: UUID
    department_id: UUID | None
    needs: PrefillNeeds
    held: Sequence[HeldLicence]


async def read_question(
    session: AsyncSession, application_id: UUID, *, caller: Caller, window: Window | None = None
) -> Question:
    """The plan's wishes, and which licences the applicant has by our projection."""
    application = await own_application(session, application_id, caller)
    needs = prefill_needs(await plan_of(session, application))
    held = await find_licences(session, application.applicant_id)
    wanted_names = {one.type_name for one in needs.licence_fields}
    usable = [
        one
        for one in held
        if one.status == LicenceStatus.NORMAL
        and (one.type_code in needs.licence_types or one.type_name in wanted_names)
    ]
    return Question(
        application.id,
        application.applicant_kind,
        application.applicant_id,
        _who_fills_in(application, caller, window),
        window.department_id if window else None,
        needs,
        usable,
    )


def _who_fills_in(application: Application, caller: Caller, window: Window | None) -> UUID:
    """The person that a form asks about: the applicant, also when somebody else fills it in; for a legal person who acts."""
    if application.applicant_kind is HolderKind.NATURAL_PERSON:
        return application.applicant_id
    return caller.person_id if window else caller.acting_id


async def prefill_application(
    database: Database,
    profiles: Profiles,
    licences: Licences,
    application_id: UUID,
    *,
    ring: KeyRing,
    caller: Caller,
    now: datetime,
    window: Window | None = None,
) -> Prefill:
    """Asks identity and the licence library side by side, with no transaction open; at a window for its department.

    A peer that does not answer is named in ``unavailable``, and people fill in or upload themselves: never blocked.
    What is locked is remembered, so that handing in can hold the form to it.
    Raises: NoSuchApplication.
    """
    async with database.sessions() as session:
        question = await read_question(session, application_id, caller=caller, window=window)
    (profile, profile_away), (found, licences_away) = await asyncio.gather(
        _profile(profiles, question), _licences(licences, question)
    )
    asked, verified = question.needs.profile_fields.values(), profile or {}
    if not LOCKED.isdisjoint(asked):
        async with database.sessions() as session, session.begin():
            await remember_verified(
                session,
                ring,
                application_id,
                asked=asked,
                verified=verified,
                unanswered=[one for one in asked if profile_away and one not in verified],
                now=now,
            )
    away = [
        name for name, is_away in (("identity", profile_away), ("certificates", licences_away)) if is_away
    ]
    return combine(question.needs, profile, found, unavailable=away)


async def _profile(profiles: Profiles, question: Question) -> tuple[Mapping[str, str] | None, bool]:
    fields: dict[str, str] = {}
    away = False
    for subject in profile_subjects(
        question.needs, question.applicant_kind, question.applicant_id, question.person_id
    ):
        answer = await _unless_away(
            profiles.look_up(
                subject.kind,
                subject.holder_id,
                attributes=subject.attributes,
                purpose="PREFILL",
                application_id=question.application_id,
                department_id=question.department_id,
            )
        )
        away = away or answer is None
        found = answer.attributes if answer else {}
        fields |= {f"{subject.prefix}.{name}": value for name, value in found.items()}
    return fields, away


async def _licences(licences: Licences, question: Question) -> tuple[list[UsableLicence], bool]:
    """The projection knows what is held; types not heard of yet are asked for. Surfaces only where a field needs them."""
    needs = question.needs
    found = {
        one.licence_id: UsableLicence(one.licence_id, one.identifier, one.type_code, one.type_name)
        for one in question.held
    }
    away = False
    unknown = needs.licence_types - {one.type_code for one in found.values()}
    if unknown:
        answer = await _unless_away(licences.held(question.applicant_id, unknown))
        away = answer is None
        for one in answer or []:
            if one["status"] == LicenceStatus.NORMAL:
                licence_id = UUID(one["id"])
                found[licence_id] = UsableLicence(
                    licence_id, one["identifier"], one["type_code"], one["type_name"]
                )
    for licence in list(found.values()):
        fields = needs.surface_fields_of(licence.type_name)
        if not fields:
            continue
        surface = await _unless_away(
            licences.fetch_surface(
                licence.licence_id,
                fields=fields,
                purpose="PREFILL",
                application_id=question.application_id,
            )
        )
        away = away or surface is None
        found[licence.licence_id] = replace(licence, surface=surface)
    return list(found.values()), away


async def _unless_away(call: Coroutine[Any, Any, Answer]) -> Answer | None:
    try:
        return await call
    except Unavailable as error:
        logger.warning("prefill_peer_unavailable", error=error.code)
        return None
