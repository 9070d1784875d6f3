"""Departments as issuers: what identity tells of them, with the kind that the catalogue gives them."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from certificates_service.departments.handlers import departments_by_id
from certificates_service.licences.domain import Standing, standing_towards
from certificates_service.licences.models import Licence
from certificates_service.licences.repository import living_by_issuer
from certificates_service.types.domain import IssuingDepartment
from certificates_service.types.handlers import kinds_by_uscc, types_by_code
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


@dataclass(frozen=True, slots=True)
class Unpermitted:
    """Living licences of a type from a department that the type does not name."""

    type_code: str
    department_id: UUID
    licences: int


async def find_unpermitted(session: AsyncSession) -> list[Unpermitted]:
    """What was issued before types named their issuers, or before they named fewer: for people to look at.

    Such licences stay as they are. Whether one was issued beyond powers is decided for each (行政许可法 art. 69).
    """
    living = await living_by_issuer(session)
    types = await types_by_code(session, (code for code, _, _ in living))
    departments = await issuing_departments(session, (issuer for _, issuer, _ in living))
    return [
        Unpermitted(code, issuer, count)
        for code, issuer, count in living
        if issuer not in departments or not types[code].may_be_issued_by(departments[issuer])
    ]


async def standing_of(session: AsyncSession, caller: Caller, licence: Licence) -> Standing | None:
    """What the caller's department is to a licence; None for who has no department, or nothing to do with it."""
    if caller.department_id is None:
        return None
    if caller.department_id == licence.issuer_department_id:
        return Standing.ISSUER
    known = await issuing_departments(session, [caller.department_id, licence.issuer_department_id])
    own, issuer = known.get(caller.department_id), known.get(licence.issuer_department_id)
    return standing_towards(own, issuer) if own and issuer else None
