"""HTTP shapes of devices that wait to be let in, and of what clients were told of logouts."""

from datetime import datetime
from uuid import UUID

from pydantic import Field

from identity_service.oidc.device_approval import Waiting
from identity_service.oidc.domain import NoticeStatus
from identity_service.schemas import Output


class AskedScope(Output):
    """One permission that the device asks for."""

    name: str
    zh: str
    en: str


class DeviceAuthorizationRead(Output):
    """What a person sees before deciding."""

    client_id: str
    client_name: str
    first_party: bool = Field(description="Belongs to the platform itself.")
    scopes: list[AskedScope]
    address: str = Field(description="Network address that the device asked from.", examples=["203.0.113.7"])
    requested_at: datetime
    expires_at: datetime

    @classmethod
    def of(cls, waiting: Waiting) -> "DeviceAuthorizationRead":
        return cls(
            client_id=waiting.client.client_id,
            client_name=waiting.client.name,
            first_party=waiting.client.is_first_party,
            scopes=[AskedScope(name=one.name, zh=one.zh, en=one.en) for one in waiting.scopes],
            address=waiting.address,
            requested_at=waiting.row.created_at,
            expires_at=waiting.row.expires_at,
        )


class LogoutNoticeRead(Output):
    """One logout that a client was, or is to be, told of."""

    id: UUID
    session_id: UUID = Field(validation_alias="grant_id", description="`sid` of the client's tokens.")
    status: NoticeStatus
    tries: int
    next_try_at: datetime | None
    response_code: int | None
    error: str | None
    created_at: datetime
    delivered_at: datetime | None
