"""Departments as issuers: what identity tells of them, with the kind that the catalogue gives them."""

from collections.abc import Iterable, Mapping
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from certificates_service.departments.handlers import departments_by_id
from certificates_service.licences.domain import Standing, standing_towards
from certificates_service.licences.models import Licence
from certificates_service.types.domain import IssuingDepartment
from certificates_service.types.handlers import kinds_by_uscc
from service_common.auth import Caller


async def issuing_departments(
    session: AsyncSession, ids: Iterable[UUID | None]
) -> Mapping[UUID, IssuingDepartment]:
    """Those that identity has told us of."""
    known = await departments_by_id(session, ids)
    kinds = await kinds_by_uscc(session, (one.uscc for one in known.values())) if known else {}
    return {
        one.id: IssuingDepartment(one.id, one.uscc, one.division, one.active, kinds.get(one.uscc))
        for one in known.values()
    }


async def standing_of(session: AsyncSession, caller: Caller, licence: Licence) -> Standing | None:
    """What the caller's department is to a licence; None for who has no department, or nothing to do with it."""
    if caller.department_id is None:
        return None
    if caller.department_id == licence.issuer_department_id:
        return Standing.ISSUER
    known = await issuing_departments(session, [caller.department_id, licence.issuer_department_id])
    own, issuer = known.get(caller.department_id), known.get(licence.issuer_department_id)
    return standing_towards(own, issuer) if own and issuer else None
