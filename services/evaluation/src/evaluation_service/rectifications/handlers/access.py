"""Who may lay hands on which rectification."""

from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from evaluation_service.rectifications.domain import NoSuchRectification, Officer
from evaluation_service.rectifications.models import Rectification
from service_common.auth import Caller
from service_common.etag import check_version


def officer_of(caller: Caller) -> Officer:
    """The caller as far as it decides what is shown. Persons see no rectification: their review shows the answer."""
    if caller.subject_type == "person":
        raise NoSuchRectification
    return Officer(caller.department_id, caller.division, "supervisor" in caller.roles)


async def take_for_department(
    session: AsyncSession, rectification_id: UUID, *, expected: int, caller: Caller
) -> Rectification:
    """Locked, for a step of its own department. Raises: NoSuchRectification, Stale."""
    row = await session.get(Rectification, rectification_id, with_for_update=True)
    if row is None or caller.subject_type == "person" or row.department_id != caller.department_id:
        raise NoSuchRectification
    check_version(row.version, expected)
    return row


async def take_for_supervisor(
    session: AsyncSession, rectification_id: UUID, *, expected: int, caller: Caller
) -> Rectification:
    """Locked, for a step of the area's supervisor. Raises: NoSuchRectification, Stale."""
    row = await session.get(Rectification, rectification_id, with_for_update=True)
    officer = officer_of(caller)
    if row is None or not officer.supervises or not officer.sees(row.department_id, row.division):
        raise NoSuchRectification
    check_version(row.version, expected)
    return row
