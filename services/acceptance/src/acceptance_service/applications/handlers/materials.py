"""Use cases of materials: provide one by files, licence, profile or promise; and what stands in the resolved list."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from acceptance_service.applications.domain import (
    VERIFIED_PROFILE_LEVEL,
    ApplicationStatus,
    LicenceNotUsable,
    NoSuchMaterial,
    NotEditable,
    ProfileNotVerified,
    Provision,
    ProvisionNotOffered,
    find_material,
    need_offered,
    resolve_provision,
)
from acceptance_service.applications.handlers.drafts import own_application, plan_of
from acceptance_service.applications.models import Application, Material
from acceptance_service.applications.repository import find_licences, lapsed_waivers, read_materials
from acceptance_service.bundles.domain import (
    Necessity,
    Plan,
    PlannedMaterial,
    SatisfactionKind,
    SatisfiedBy,
)
from acceptance_service.files.domain import APPLICATION_QUOTA, Quota
from acceptance_service.files.handlers import attach, release_files
from service_common import timeline
from service_common.auth import Caller
from service_common.contracts.certificates import LicenceStatus
from service_common.delegation import Act

_insert_material = insert(Material)
_STORE_RESOLVED = _insert_material.on_conflict_do_update(
    index_elements=["application_id", "code"],
    set_={
        name: _insert_material.excluded[name]
        for name in ("title", "required", "items", "tolerated_in", "ways", "formats", "provision")
    },
)


@dataclass(frozen=True)
class ProvisionInput:
    """How the applicant provides a material; the attribute of its way is set."""

    way: Provision
    file_ids: Sequence[UUID] = ()
    licence_id: UUID | None = None
    promise: str | None = None


async def provide_material(
    session: AsyncSession,
    application_id: UUID,
    code: str,
    given: ProvisionInput,
    *,
    caller: Caller,
    now: datetime,
    quota: Quota = APPLICATION_QUOTA,
    uploader: Caller | None = None,
) -> Material:
    """Provides one material of the plan, or replaces what was provided. ``uploader``: whose files it takes, if not the caller's.

    After submission only what was sent back, was missing with tolerance, or lost the licence that stood in for it, can
    be provided.
    Raises: NoSuchApplication, NoSuchMaterial, NotEditable, ProvisionNotOffered, LicenceNotUsable, ProfileNotVerified,
    NoSuchFile, FileOfAnotherMaterial, FileTypeRefused, ApplicationFilesFull, NotDelegable.
    """
    application = await own_application(session, application_id, caller, lock=True)
    material = await _find(session, application, code)
    facts = await _accept(
        session, application, material, given, caller=caller, uploader=uploader or caller, quota=quota
    )
    if given.way is not Provision.FILES:
        await release_files(session, application.id, code)
    if given.way is Provision.PROMISE and given.promise not in application.promises:
        application.promises = sorted({*application.promises, given.promise or ""})
    values = {
        "provision": given.way,
        "licence_id": given.licence_id if given.way is Provision.LICENCE else None,
        "facts": facts,
        "provided_at": now,
    }
    row = (
        await session.scalars(
            insert(Material)
            .values(**material_values(application.id, material), **values)
            .on_conflict_do_update(index_elements=["application_id", "code"], set_=values)
            .returning(Material)
            .execution_options(populate_existing=True)
        )
    ).one()
    if application.status is not ApplicationStatus.DRAFT:
        await timeline.append(
            session,
            application.id,
            "MATERIAL_PROVIDED",
            actor=caller.actor,
            at=now,
            facts={"code": code, "way": given.way.value, **facts},
        )
    return row


def material_values(application_id: UUID, material: PlannedMaterial) -> dict[str, Any]:
    """The columns of a material row that come from the plan."""
    return {
        "application_id": application_id,
        "code": material.code,
        "title": material.title,
        "required": material.necessity is Necessity.REQUIRED,
        "items": list(material.items),
        "tolerated_in": list(material.tolerated_in),
        "ways": [asdict(one) for one in material.satisfied_by],
        "formats": list(material.formats),
    }


async def resolve_materials(
    session: AsyncSession, application: Application, plan: Plan
) -> list[tuple[PlannedMaterial, Provision]]:
    """How every material of the plan stands at submission; a licence that is no longer valid counts as missing."""
    stored = await read_materials(session, application.id)
    lapsed = await lapsed_waivers(session, application.applicant_id, stored.values())
    resolved = []
    for material in plan.materials:
        row = stored.get(material.code)
        way = row.provision if row else None
        if material.code in lapsed:
            way = Provision.MISSING
        resolved.append((material, resolve_provision(material, way, application.promises)))
    return resolved


async def store_resolved(
    session: AsyncSession,
    application: Application,
    resolved: Sequence[tuple[PlannedMaterial, Provision]],
    *,
    now: datetime,
) -> None:
    """Writes the resolved list beside the case: later editions of the catalogue never change it."""
    rows = [
        {
            **material_values(application.id, material),
            "provision": provision,
            "licence_id": None,
            "facts": {},
            "provided_at": now if provision is not Provision.MISSING else None,
        }
        for material, provision in resolved
    ]
    if rows:
        await session.execute(_STORE_RESOLVED, rows)


async def _find(session: AsyncSession, application: Application, code: str) -> PlannedMaterial:
    if application.status is ApplicationStatus.DRAFT:
        return find_material(await plan_of(session, application), code)
    row = (await read_materials(session, application.id)).get(code)
    if row is None:
        raise NoSuchMaterial(code_=code)
    sent_back = not row.items or bool(set(row.items) & set(application.items_with_applicant))
    with_applicant = application.status is ApplicationStatus.ACTION_NEEDED and sent_back
    lacks = row.provision is Provision.MISSING or await lapsed_waivers(
        session, application.applicant_id, [row]
    )
    supplement = application.closed_at is None and lacks
    if not (with_applicant or supplement):
        raise NotEditable
    return PlannedMaterial(
        code=row.code,
        title=row.title,
        necessity=Necessity.REQUIRED if row.required else Necessity.OPTIONAL,
        items=tuple(row.items),
        satisfied_by=tuple(SatisfiedBy(**{**one, "kind": SatisfactionKind(one["kind"])}) for one in row.ways),
        tolerance_allowed=bool(row.tolerated_in),
        tolerated_in=tuple(row.tolerated_in),
        medium="",
        submit_way="",
        copies=1,
        formats=tuple(row.formats),
    )


async def _accept(
    session: AsyncSession,
    application: Application,
    material: PlannedMaterial,
    given: ProvisionInput,
    *,
    caller: Caller,
    uploader: Caller,
    quota: Quota,
) -> dict[str, Any]:
    """Checks the way and returns what the record keeps: hashes and ids, no values."""
    match given.way:
        case Provision.FILES if given.file_ids:
            digests = await attach(
                session,
                given.file_ids,
                application_id=application.id,
                material_code=material.code,
                formats=material.formats,
                caller=uploader,
                quota=quota,
            )
            return {"sha256": digests}
        case Provision.LICENCE if given.licence_id:
            return await _accept_licence(session, application, material, given.licence_id)
        case Provision.PROFILE:
            ways = need_offered(material, SatisfactionKind.VERIFIED_PROFILE_FIELD)
            if caller.trust_level < VERIFIED_PROFILE_LEVEL:
                raise ProfileNotVerified
            return {"field": ways[0].field}
        case Provision.PROMISE:
            caller.need_act(Act.SIGN)
            ways = need_offered(material, SatisfactionKind.PROMISE)
            if given.promise not in {one.promise for one in ways}:
                raise ProvisionNotOffered
            return {"promise": given.promise}
        case _:
            raise ProvisionNotOffered


async def _accept_licence(
    session: AsyncSession, application: Application, material: PlannedMaterial, licence_id: UUID
) -> dict[str, Any]:
    types = {one.licence_type_code for one in need_offered(material, SatisfactionKind.LICENCE)}
    held = await find_licences(session, application.applicant_id, licence_ids=[licence_id])
    if not held or held[0].status != LicenceStatus.NORMAL or held[0].type_code not in types:
        raise LicenceNotUsable
    return {"identifier": held[0].identifier}
