"""Reading licences: for holders, for their issuers, for other slices."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row
from sqlalchemy.ext.asyncio import AsyncSession

from certificates_service.licences.domain import MATTERS, NoSuchLicence, effective_status, is_valid_on
from certificates_service.licences.handlers.issue import DOCUMENT_COLUMN, SURFACE_COLUMN
from certificates_service.licences.handlers.standing import standing_of
from certificates_service.licences.models import Licence
from certificates_service.licences.repository import licence_by_identifier, licences_of_holders
from certificates_service.types.domain import mask_surface
from certificates_service.types.handlers import types_by_code
from service_common import timeline
from service_common.auth import Caller
from service_common.clock import local_date
from service_common.contracts.certificates import LicenceStatus
from service_common.crypto import KeyRing
from service_common.delegation import ALL_MATTERS, OutsideDelegation

# 实名: a licence belongs to a person whose name and number were checked.
LEAST_TRUST_LEVEL = 2


def status_at(licence: Licence, now: datetime) -> LicenceStatus:
    """The status at this moment, whatever the nightly job has done."""
    return effective_status(licence.status, licence.valid_until, local_date(now))


def is_valid_at(licence: Licence, now: datetime) -> bool:
    """Whether it can be relied on at this moment."""
    return is_valid_on(licence.status, licence.valid_from, licence.valid_until, local_date(now))


async def list_own_licences(
    session: AsyncSession,
    *,
    caller: Caller,
    holder_id: UUID | None,
    type_code: str | None,
    after: UUID | None,
    limit: int,
) -> Sequence[Licence]:
    """A person's own licences and those of the legal persons it acts for; an agent's view is of the entrusted types.

    Raises: NotAPerson, TrustLevelTooLow, OutsideDelegation.
    """
    own = caller.holders or {caller.person_id}
    caller.need_trust_level(LEAST_TRUST_LEVEL)
    holders = own if holder_id is None else own & {holder_id}
    type_codes = _entrusted_types(caller, type_code)
    return await licences_of_holders(session, holders, type_codes=type_codes, after=after, limit=limit)


def _entrusted_types(caller: Caller, type_code: str | None) -> list[str]:
    """The types to list; none: every type. Raises: OutsideDelegation."""
    if type_code is not None:
        caller.need_matter(MATTERS, type_code)
        return [type_code]
    if caller.delegation is None or caller.may_handle(MATTERS, ALL_MATTERS):
        return []
    prefix = f"{MATTERS}:"
    types = [one.removeprefix(prefix) for one in caller.delegation.matters if one.startswith(prefix)]
    if not types:
        raise OutsideDelegation
    return sorted(types)


def _is_holders(licence: Licence, caller: Caller) -> bool:
    """Whether the caller is the holder, or acts for the holder with licences of this type."""
    return caller.may_act_for(licence.holder_id) and caller.may_handle(MATTERS, licence.type_code)


@dataclass(frozen=True, slots=True)
class SeenLicence:
    """A licence with as much of its surface as the reader may see."""

    licence: Licence
    surface: dict[str, str]
    masked: bool


async def read_licence(
    session: AsyncSession, ring: KeyRing, licence_id: UUID, *, caller: Caller
) -> SeenLicence:
    """In full for the holder, masked for the issuing department and who decides with it, unknown to anybody else.

    Raises: NoSuchLicence, TrustLevelTooLow.
    """
    licence = await session.get(Licence, licence_id)
    if licence is not None and _is_holders(licence, caller):
        caller.need_trust_level(LEAST_TRUST_LEVEL)
        return SeenLicence(licence, surface_of(ring, licence), masked=False)
    if licence is not None and await standing_of(session, caller, licence):
        return SeenLicence(licence, await masked_surface_of(session, ring, licence), masked=True)
    raise NoSuchLicence


async def held_licence(session: AsyncSession, licence_id: UUID, *, caller: Caller) -> Licence:
    """For what only the holder, or who acts for it, may do. Raises: NoSuchLicence, TrustLevelTooLow."""
    licence = await session.get(Licence, licence_id)
    if licence is None or not _is_holders(licence, caller):
        raise NoSuchLicence
    caller.need_trust_level(LEAST_TRUST_LEVEL)
    return licence


async def read_history(session: AsyncSession, licence_id: UUID, *, caller: Caller) -> Sequence[Row[Any]]:
    """For the holder, the issuing department and who decides with it. Raises: NoSuchLicence."""
    licence = await session.get(Licence, licence_id)
    if licence is None or not (_is_holders(licence, caller) or await standing_of(session, caller, licence)):
        raise NoSuchLicence
    return await timeline.read(session, licence_id)


async def licence_by_id(session: AsyncSession, licence_id: UUID) -> Licence:
    """Raises: NoSuchLicence."""
    licence = await session.get(Licence, licence_id)
    if licence is None:
        raise NoSuchLicence
    return licence


async def licence_called(session: AsyncSession, identifier: str) -> Licence:
    """By its identifier of GB/T 36904. Raises: NoSuchLicence."""
    licence = await licence_by_identifier(session, identifier.strip().upper())
    if licence is None:
        raise NoSuchLicence
    return licence


def surface_of(ring: KeyRing, licence: Licence) -> dict[str, str]:
    """The whole surface, opened."""
    opened: dict[str, str] = ring.decrypt_json(licence.surface, column=SURFACE_COLUMN)
    return opened


async def masked_surface_of(session: AsyncSession, ring: KeyRing, licence: Licence) -> dict[str, str]:
    """The surface for somebody who checks the licence."""
    types = await types_by_code(session, [licence.type_code])
    definition = types.get(licence.type_code)
    return mask_surface(definition.surface_fields if definition else (), surface_of(ring, licence))


def document_of(ring: KeyRing, licence: Licence) -> str:
    """The signed document with every field."""
    return ring.decrypt(licence.document, column=DOCUMENT_COLUMN)
