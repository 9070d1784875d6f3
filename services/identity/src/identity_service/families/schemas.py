"""HTTP shapes of children and guardians."""

from datetime import datetime
from uuid import UUID

from pydantic import Field

from identity_service.people.models import Guardianship
from identity_service.people.schemas import RealNameRequest
from identity_service.schemas import Output


class ChildRegister(RealNameRequest):
    """A child of whom the caller is the guardian."""


class GuardianshipRead(Output):
    """Who acts for whom, until the child is of age."""

    id: UUID
    guardian_id: UUID
    child_id: UUID
    since: datetime
    until: datetime
    verified_by_counter: bool
    delegation_id: UUID | None = Field(
        description="What the guardian gets tokens for the child by (RFC 8693)."
    )

    @classmethod
    def of(cls, row: Guardianship) -> "GuardianshipRead":
        return cls(
            id=row.id,
            guardian_id=row.guardian_id,
            child_id=row.child_id,
            since=row.since,
            until=row.until,
            verified_by_counter=row.staff_id is not None,
            delegation_id=row.delegation_id,
        )


class GuardianshipList(Output):
    """As guardian or as child; short by nature, so not in pages."""

    items: list[GuardianshipRead]
