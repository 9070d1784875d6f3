"""Queries on applications that are used twice or longer than a line."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import bindparam, select
from sqlalchemy.ext.asyncio import AsyncSession

from acceptance_service.applications.domain import HeldState, Provision, lapse_of
from acceptance_service.applications.models import Application, Form, HeldLicence, Material
from service_common.contracts.certificates import LicenceStatus
from service_common.crypto import KeyRing

FORM_COLUMN = "application_forms.body"
PROFILE_COLUMN = "applications.applicant_profile"

# Made once: a submission and each act on a case send them.
_APPLICATION = select(Application).where(Application.id == bindparam("application_id"))
_LOCKED_APPLICATION = _APPLICATION.with_for_update().execution_options(populate_existing=True)
_FORM = select(Form.body).where(
    Form.application_id == bindparam("application_id"), Form.revision == bindparam("revision")
)
_MATERIALS = (
    select(Material).where(Material.application_id == bindparam("application_id")).order_by(Material.code)
)


async def find_application(session: AsyncSession, application_id: UUID, *, lock: bool) -> Application | None:
    """One application, locked when something will be decided on it."""
    statement = _LOCKED_APPLICATION if lock else _APPLICATION
    return await session.scalar(statement, {"application_id": application_id})


async def read_form(
    session: AsyncSession, ring: KeyRing, application_id: UUID, revision: int
) -> dict[str, Any]:
    """A version of the form, unsealed; empty before anything was saved."""
    body = await session.scalar(_FORM, {"application_id": application_id, "revision": revision})
    form: dict[str, Any] = ring.decrypt_json(body, column=FORM_COLUMN) if body else {}
    return form


async def read_materials(session: AsyncSession, application_id: UUID) -> Mapping[str, Material]:
    """The material rows of an application by code."""
    rows = await session.scalars(_MATERIALS, {"application_id": application_id})
    return {row.code: row for row in rows}


async def find_licences(
    session: AsyncSession,
    holder_id: UUID,
    *,
    licence_ids: Sequence[UUID] = (),
    type_codes: Sequence[str] = (),
) -> Sequence[HeldLicence]:
    """What a holder has, by id or by type; valid or not."""
    statement = select(HeldLicence).where(HeldLicence.holder_id == holder_id)
    if licence_ids:
        statement = statement.where(HeldLicence.licence_id.in_(licence_ids))
    if type_codes:
        statement = statement.where(HeldLicence.type_code.in_(type_codes))
    return (await session.scalars(statement.order_by(HeldLicence.licence_id))).all()


async def lapsed_waivers(
    session: AsyncSession, holder_id: UUID, materials: Iterable[Material]
) -> Mapping[str, LicenceStatus]:
    """Codes of materials whose licence no longer stands in for them, and what became of it."""
    waived = {row.code: row.licence_id for row in materials if row.provision is Provision.LICENCE}
    if not waived:
        return {}
    held = [
        HeldState(one.licence_id, one.type_code, LicenceStatus(one.status))
        for one in await find_licences(session, holder_id)
    ]
    lapses = {code: lapse_of(licence_id, held) for code, licence_id in waived.items()}
    return {code: lapse for code, lapse in lapses.items() if lapse is not None}
