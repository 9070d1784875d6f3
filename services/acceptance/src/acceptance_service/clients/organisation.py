"""Identity, asked for the whole organisation: departments with the revision of their last event."""

from uuid import UUID

from pydantic import BaseModel

from acceptance_service.departments.domain import DepartmentState
from service_common.http import PeerUnavailable, ServiceClient


class _Department(BaseModel):
    department_id: UUID
    revision: int
    uscc: str
    name: str
    short_name: str
    division: str
    parent_id: UUID | None
    active: bool


class _Snapshot(BaseModel):
    departments: list[_Department]


class OrganisationClient:
    """Calls identity as acceptance itself."""

    def __init__(self, client: ServiceClient) -> None:
        self._client = client

    async def snapshot(self) -> list[DepartmentState]:
        """Every department as it is now. Raises: PeerUnavailable, also when identity refuses."""
        answer = await self._client.call("GET", "/identity/v1/org/snapshot")
        if answer.status_code != 200:
            raise PeerUnavailable
        return [
            DepartmentState(**one.model_dump())
            for one in _Snapshot.model_validate_json(answer.content).departments
        ]
