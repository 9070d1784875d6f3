"""Identity, asked for the whole organisation when the projection has to be rebuilt."""

from typing import Any
from uuid import UUID

from pydantic import BaseModel, ConfigDict

from certificates_service.departments.domain import DepartmentState
from certificates_service.settings import Settings
from service_common.http import ServiceClient, ServiceToken

_SNAPSHOT = "/identity/v1/org/snapshot"


class SnapshotRefused(Exception):
    """Identity answers, but not with a snapshot: see the status."""


class _DepartmentInSnapshot(BaseModel):
    model_config = ConfigDict(extra="ignore")

    department_id: UUID
    uscc: str
    name: str
    division: str
    active: bool = True
    revision: int


class Identity:
    """The organisation as identity has it now."""

    def __init__(self, settings: Settings) -> None:
        if settings.client_key_file is None:
            raise ValueError("CERTIFICATES_CLIENT_KEY_FILE is needed to ask identity")
        self._client = ServiceClient(
            settings.identity_url,
            ServiceToken(
                client_id=settings.client_id,
                key_file=settings.client_key_file,
                issuer=settings.issuer,
                token_url=f"{settings.identity_url}/identity/token",
            ),
        )

    async def departments(self) -> list[DepartmentState]:
        """Every department with the revision of its last change. Raises: PeerUnavailable, SnapshotRefused."""
        answer = await self._client.call("GET", _SNAPSHOT)
        if answer.status_code != 200:
            raise SnapshotRefused(answer.status_code)
        return [_state(one) for one in answer.json()["departments"]]

    async def close(self) -> None:
        await self._client.close()


def _state(one: Any) -> DepartmentState:
    known = _DepartmentInSnapshot.model_validate(one)
    return DepartmentState(
        id=known.department_id,
        uscc=known.uscc,
        name=known.name,
        division=known.division,
        active=known.active,
        revision=known.revision,
    )
