"""HTTP shapes of devices that wait to be let in."""

from datetime import datetime

from pydantic import Field

from identity_service.oidc.device_approval import Waiting
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
