"""HTTP shapes of sessions."""

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from pydantic import Field

from identity_service.schemas import Output
from identity_service.sessions.domain import UNKNOWN, recognisable
from identity_service.sessions.handlers import Place


class SignedInApp(Output):
    """An app that was opened from a session."""

    client_id: str
    client_name: str = Field(examples=["联办"])
    since: datetime
    stays_signed_in: bool = Field(description="Goes on after the browser's session has ended.")


class SessionRead(Output):
    """A browser in which the caller is logged in."""

    id: UUID
    device: str = Field(
        description="Program and system; of a device its name; of what tells neither, the apps on it.",
        examples=["Chrome · Windows"],
    )
    place: str = Field(description="Network, roughly.", examples=["203.0.113.*"])
    methods: list[str] = Field(description="How, in the words of RFC 8176.", examples=[["pwd"]])
    since: datetime
    last_seen_at: datetime
    is_current: bool
    apps: list[SignedInApp]

    @classmethod
    def of(cls, place: Place, names: Mapping[str, str]) -> "SessionRead":
        """``names`` are those of the clients, by id."""
        login = place.login
        apps = [names.get(grant.client_id, grant.client_id) for grant in place.grants]
        return cls(
            id=login.id,
            device=recognisable(login.device, apps) or UNKNOWN,
            place=login.place or UNKNOWN,
            methods=login.methods,
            since=login.created_at,
            last_seen_at=login.last_seen_at,
            is_current=place.is_current,
            apps=[
                SignedInApp(
                    client_id=grant.client_id,
                    client_name=name,
                    since=grant.created_at,
                    stays_signed_in=grant.is_offline,
                )
                for grant, name in zip(place.grants, apps, strict=True)
            ],
        )


class SessionList(Output):
    """Where the caller is logged in; short by nature, so not in pages."""

    items: list[SessionRead]
