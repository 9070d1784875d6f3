"""Handing licences to the platform's own services, with a legal basis and least data 证照共享."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from certificates_service.licences.handlers.read import is_valid_at, licence_by_id, status_at, surface_of
from certificates_service.licences.models import Licence
from certificates_service.licences.repository import licences_of_holders
from certificates_service.sharing.domain import NothingToHandOut, UnknownFields
from certificates_service.types.domain import select_fields
from certificates_service.types.handlers import read_type
from certificates_service.uses.domain import GROUNDS, Purpose, Use
from certificates_service.uses.handlers import record_use
from service_common.auth import Caller
from service_common.contracts.certificates import UseMode
from service_common.crypto import KeyRing
from service_common.errors import FieldProblem


async def licences_of_holder(
    session: AsyncSession, holder_id: UUID, *, type_codes: Sequence[str], after: UUID | None, limit: int
) -> Sequence[Licence]:
    """What a holder has, without any surface: enough to see that a material need not be asked for."""
    return await licences_of_holders(session, [holder_id], type_codes=type_codes, after=after, limit=limit)


@dataclass(frozen=True, slots=True)
class Fetched:
    """Surface data handed out, and on what ground."""

    licence: Licence
    surface: dict[str, str]
    legal_basis: str


async def fetch_surface(
    session: AsyncSession,
    ring: KeyRing,
    licence_id: UUID,
    *,
    purpose: Purpose,
    about_id: UUID,
    fields: Sequence[str] | None,
    caller: Caller,
    now: datetime,
) -> Fetched:
    """The fields asked for, of a licence that holds now; the holder sees which, what for and for which case.

    Raises: NoSuchLicence, NothingToHandOut, UnknownFields.
    """
    licence = await licence_by_id(session, licence_id)
    if not is_valid_at(licence, now):
        raise NothingToHandOut(status=status_at(licence, now).value)
    if fields is not None:
        await _check_fields(session, licence, fields)
    surface = select_fields(surface_of(ring, licence), fields)
    use = Use(UseMode.FETCHED, purpose, about_id, tuple(surface))
    await record_use(session, licence, use, verifier=caller, now=now)
    return Fetched(licence, surface, GROUNDS[purpose].legal_basis)


async def _check_fields(session: AsyncSession, licence: Licence, fields: Sequence[str]) -> None:
    definition = await read_type(session, licence.type_code)
    known = {field.name for field in definition.surface_fields}
    problems = [
        FieldProblem(
            f"/fields/{position}",
            "unknown_field",
            "该证照类型没有此照面字段。",
            "The type has no such field.",
        )
        for position, name in enumerate(fields)
        if name not in known
    ]
    if problems:
        raise UnknownFields(fields=problems)
