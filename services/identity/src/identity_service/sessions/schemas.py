"""HTTP shapes of sessions."""

from datetime import datetime
from uuid import UUID

from pydantic import Field

from identity_service.schemas import Output
from identity_service.sessions.handlers import Place


class SignedInApp(Output):
    """An app that was opened from a session."""

    client_id: str
    since: datetime
    stays_signed_in: bool = Field(description="Goes on after the browser's session has ended.")


class SessionRead(Output):
    """A browser in which the caller is logged in."""

    id: UUID
    device: str = Field(examples=["Chrome · Windows"])
    place: str = Field(description="Network, roughly.", examples=["203.0.113.*"])
    methods: list[str] = Field(description="How, in the words of RFC 8176.", examples=[["pwd"]])
    since: datetime
    last_seen_at: datetime
    is_current: bool
    apps: list[SignedInApp]

    @classmethod
    def of(cls, place: Place) -> "SessionRead":
        login = place.login
        return cls(
            id=login.id,
            device=login.device or "未知",
            place=login.place or "未知",
            methods=login.methods,
            since=login.created_at,
            last_seen_at=login.last_seen_at,
            is_current=place.is_current,
            apps=[
                SignedInApp(
                    client_id=grant.client_id, since=grant.created_at, stays_signed_in=grant.is_offline
                )
                for grant in place.grants
            ],
        )


class SessionList(Output):
    """Where the caller is logged in; short by nature, so not in pages."""

    items: list[SessionRead]
