"""The licences that a person holds, in clear, with who looked at them: for the person alone."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from certificates_service.licences.handlers.read import LEAST_TRUST_LEVEL, surface_of
from certificates_service.licences.models import Licence
from certificates_service.licences.repository import licences_of_holders
from certificates_service.uses.handlers import ShownUse, uses_of
from service_common.auth import Caller
from service_common.crypto import KeyRing
from service_common.exports import check_exporter


@dataclass(frozen=True, slots=True)
class ExportedLicence:
    """A licence with its whole surface and its newest uses."""

    licence: Licence
    surface: dict[str, str]
    uses: Sequence[ShownUse]


async def export_licences(
    session: AsyncSession, ring: KeyRing, *, caller: Caller, before: UUID | None, limit: int, now: datetime
) -> Sequence[ExportedLicence]:
    """A page of the licences that the person holds, newest first; those of represented legal persons are not personal data.

    Raises: NotAPerson, LoginTooOld, TrustLevelTooLow.
    """
    person_id = check_exporter(caller, now=now)
    caller.need_trust_level(LEAST_TRUST_LEVEL)
    rows = await licences_of_holders(session, [person_id], after=before, limit=limit)
    uses = await uses_of(session, rows)
    return [ExportedLicence(row, surface_of(ring, row), uses.get(row.id, [])) for row in rows]
