"""HTTP shapes of clients, in the words of RFC 7591 where it has them."""

from typing import Annotated, Any
from uuid import UUID

from pydantic import Field

from identity_service.relying_parties.domain import Authentication, GrantType
from identity_service.relying_parties.handlers import ClientMetadata
from identity_service.relying_parties.models import Client
from identity_service.schemas import Input, Output

_Uris = Annotated[list[str], Field(default_factory=list, max_length=20)]
_LogoutUri = Annotated[str | None, Field(max_length=2000)]


class ClientCreate(Input):
    """A client that is to be registered."""

    client_id: str | None = Field(default=None, max_length=100, description="Chosen; otherwise made up.")
    client_name: str = Field(min_length=1, max_length=100, examples=["市卫健委审批系统"])
    token_endpoint_auth_method: Authentication = Authentication.SECRET
    grant_types: list[GrantType] = Field(min_length=1)
    redirect_uris: _Uris
    post_logout_redirect_uris: _Uris
    scopes: list[str] = Field(max_length=200, examples=[["openid", "profile"]])
    jwks: dict[str, Any] | None = Field(default=None, description="Public keys, for private_key_jwt.")
    department_id: UUID | None = Field(
        default=None, description="Whose client it is; own department by default."
    )
    first_party: bool = Field(
        default=False,
        description="Belongs to the platform: no consent page, `*` allowed as scope. Operators only.",
    )
    require_pushed_authorization_requests: bool = Field(
        default=False, description="Authorization requests are accepted only when pushed (RFC 9126 §6)."
    )
    backchannel_logout_uri: _LogoutUri = Field(
        default=None, description="Gets a logout token when a session ends (Back-Channel Logout 1.0)."
    )
    backchannel_logout_session_required: bool = Field(
        default=False, description="Wants `sid` in logout tokens; ours always have it."
    )
    frontchannel_logout_uri: _LogoutUri = Field(
        default=None,
        description="Loaded in a frame of the logout page (Front-Channel Logout 1.0); same origin as a redirect URI.",
    )
    frontchannel_logout_session_required: bool = Field(
        default=False, description="Wants `iss` and `sid` in that address; ours always have them."
    )

    def metadata(self) -> ClientMetadata:
        return ClientMetadata(
            client_id=self.client_id,
            name=self.client_name,
            authentication=self.token_endpoint_auth_method,
            redirect_uris=self.redirect_uris,
            post_logout_redirect_uris=self.post_logout_redirect_uris,
            grant_types=self.grant_types,
            scopes=self.scopes,
            jwks=self.jwks,
            department_id=self.department_id,
            is_first_party=self.first_party,
            require_pushed_authorization_requests=self.require_pushed_authorization_requests,
            backchannel_logout_uri=self.backchannel_logout_uri,
            backchannel_logout_session_required=self.backchannel_logout_session_required,
            frontchannel_logout_uri=self.frontchannel_logout_uri,
            frontchannel_logout_session_required=self.frontchannel_logout_session_required,
        )


class ClientRead(Output):
    """A client."""

    client_id: str
    client_name: str
    token_endpoint_auth_method: Authentication
    grant_types: list[GrantType]
    redirect_uris: list[str]
    post_logout_redirect_uris: list[str]
    scopes: list[str]
    jwks: dict[str, Any] | None
    department_id: UUID | None
    first_party: bool
    is_active: bool
    require_pushed_authorization_requests: bool
    backchannel_logout_uri: str | None
    backchannel_logout_session_required: bool
    frontchannel_logout_uri: str | None
    frontchannel_logout_session_required: bool

    @classmethod
    def of(cls, row: Client) -> "ClientRead":
        return cls(
            client_id=row.client_id,
            client_name=row.name,
            token_endpoint_auth_method=row.authentication,
            grant_types=[GrantType(one) for one in row.grant_types],
            redirect_uris=row.redirect_uris,
            post_logout_redirect_uris=row.post_logout_redirect_uris,
            scopes=row.scopes,
            jwks=row.jwks,
            department_id=row.department_id,
            first_party=row.is_first_party,
            is_active=row.is_active,
            require_pushed_authorization_requests=row.require_pushed_authorization_requests,
            backchannel_logout_uri=row.backchannel_logout_uri,
            backchannel_logout_session_required=row.backchannel_logout_session_required,
            frontchannel_logout_uri=row.frontchannel_logout_uri,
            frontchannel_logout_session_required=row.frontchannel_logout_session_required,
        )


class ClientCreated(ClientRead):
    """The answer to a registration: the only time that the secret is shown."""

    client_secret: str | None


class ClientSecretCreated(Output):
    """A further secret."""

    client_secret: str


class ClientActivity(Input):
    """Whether a client may get tokens."""

    is_active: bool
