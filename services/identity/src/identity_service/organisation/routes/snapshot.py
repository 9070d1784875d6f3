"""HTTP of the organisation snapshot, from which services rebuild their projections."""

from typing import Annotated

from identity_service.organisation.handlers import departments, staff
from identity_service.organisation.schemas import DepartmentSnapshot, OrganisationSnapshot, StaffSnapshot
from service_common.app import Now, api_router
from service_common.auth import Caller, require, scope
from service_common.db import Session

router = api_router("organisation", prefix="/identity/v1/org")

ORGANISATION_SNAPSHOT = scope(
    "identity:organisation.snapshot",
    zh="读取组织机构快照",
    en="Read the organisation snapshot",
    roles={"service"},
)


@router.get(
    "/snapshot",
    summary="Organisation snapshot 组织机构快照",
    description="Every department and staff assignment with the revision of its last event: a projection takes the "
    "snapshot and then ignores events whose revision is not newer. No names of people.",
)
async def snapshot(
    session: Session, _caller: Annotated[Caller, require(ORGANISATION_SNAPSHOT)], now: Now
) -> OrganisationSnapshot:
    return OrganisationSnapshot(
        taken_at=now,
        departments=[DepartmentSnapshot.of(row) for row in await departments.snapshot_departments(session)],
        staff=[StaffSnapshot.of(row, division) for row, division in await staff.snapshot_staff(session)],
    )
