"""HTTP shapes of devices that wait to be let in, and of what clients were told of logouts."""

from datetime import datetime
from uuid import UUID

from pydantic import Field

from identity_service.oidc.device_approval import Waiting, WaitingBrowser
from identity_service.oidc.domain import NoticeStatus, WaitingKind
from identity_service.schemas import Output


class AskedScope(Output):
    """One permission that the device asks for."""

    name: str
    zh: str
    en: str


class DeviceAuthorizationRead(Output):
    """What a person sees before deciding."""

    kind: WaitingKind = Field(description="BROWSER: a browser that wants to be logged in on the log-in page.")
    client_id: str | None = Field(description="Absent of a browser.")
    client_name: str | None = Field(
        description="Who asks; of a browser the application that it is on its way to, if any."
    )
    first_party: bool = Field(description="Belongs to the platform itself.")
    browser: str | None = Field(description="Program and system of a browser.", examples=["Chrome · Windows"])
    scopes: list[AskedScope]
    address: str = Field(description="Network address that the device asked from.", examples=["203.0.113.7"])
    requested_at: datetime
    expires_at: datetime

    @classmethod
    def of(cls, waiting: Waiting | WaitingBrowser) -> "DeviceAuthorizationRead":
        if isinstance(waiting, WaitingBrowser):
            return cls(
                kind=WaitingKind.BROWSER,
                client_id=None,
                client_name=waiting.client_name,
                first_party=True,
                browser=waiting.scan.device,
                scopes=[],
                address=waiting.address,
                requested_at=waiting.asked_at,
                expires_at=waiting.scan.expires_at,
            )
        return cls(
            kind=WaitingKind.DEVICE,
            browser=None,
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
