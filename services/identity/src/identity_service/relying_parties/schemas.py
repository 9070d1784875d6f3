"""HTTP shapes of clients, in the words of RFC 7591 where it has them."""

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import Field

from identity_service.relying_parties.domain import Authentication, Environment, GrantType, SecurityProfile
from identity_service.relying_parties.handlers import ClientMetadata, MetadataChange
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
    environment: Environment = Field(
        default=Environment.PRODUCTION,
        description="A sandbox client is accepted only by a platform without real people; it is granted what it asks for.",
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
    dpop_bound_access_tokens: bool = Field(
        default=False, description="Gets tokens only with a proof of its key, bound to it (RFC 9449 §5.2)."
    )
    security_profile: SecurityProfile = Field(
        default=SecurityProfile.DEFAULT,
        description="`FAPI2` turns on what the FAPI 2.0 Security Profile asks: pushed requests, private_key_jwt for our issuer "
        "alone, bound tokens, refresh tokens that stay.",
    )
    id_token_signed_response_alg: Literal["ES256", "EdDSA", "RS256"] = Field(
        default="ES256",
        description="With which its ID tokens and logout tokens are signed; RS256 for libraries that know no other.",
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
            environment=self.environment,
            require_pushed_authorization_requests=self.require_pushed_authorization_requests,
            dpop_bound_access_tokens=self.dpop_bound_access_tokens,
            security_profile=self.security_profile,
            id_token_signed_response_alg=self.id_token_signed_response_alg,
            backchannel_logout_uri=self.backchannel_logout_uri,
            backchannel_logout_session_required=self.backchannel_logout_session_required,
            frontchannel_logout_uri=self.frontchannel_logout_uri,
            frontchannel_logout_session_required=self.frontchannel_logout_session_required,
        )


class ClientChange(Input):
    """Name and addresses of a client, all of them anew."""

    client_name: str = Field(min_length=1, max_length=100, examples=["市卫健委审批系统"])
    redirect_uris: list[str] = Field(max_length=20, examples=[["https://approval.example.gov.cn/callback"]])
    post_logout_redirect_uris: _Uris
    backchannel_logout_uri: _LogoutUri = None
    backchannel_logout_session_required: bool = False
    frontchannel_logout_uri: _LogoutUri = Field(default=None, description="Same origin as a redirect URI.")
    frontchannel_logout_session_required: bool = False

    def change(self) -> MetadataChange:
        return MetadataChange(
            name=self.client_name,
            redirect_uris=self.redirect_uris,
            post_logout_redirect_uris=self.post_logout_redirect_uris,
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
    scopes: list[str] = Field(description="Granted.")
    asked_scopes: list[str] = Field(description="Asked for, and waiting for an operator.")
    environment: Environment
    jwks: dict[str, Any] | None
    department_id: UUID | None
    first_party: bool
    is_active: bool
    require_pushed_authorization_requests: bool
    dpop_bound_access_tokens: bool
    security_profile: SecurityProfile
    id_token_signed_response_alg: str
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
            asked_scopes=row.asked_scopes or [],
            environment=row.environment,
            jwks=row.jwks,
            department_id=row.department_id,
            first_party=row.is_first_party,
            is_active=row.is_active,
            require_pushed_authorization_requests=row.require_pushed_authorization_requests,
            dpop_bound_access_tokens=row.dpop_bound_access_tokens,
            security_profile=row.security_profile,
            id_token_signed_response_alg=row.id_token_signed_response_alg,
            backchannel_logout_uri=row.backchannel_logout_uri,
            backchannel_logout_session_required=row.backchannel_logout_session_required,
            frontchannel_logout_uri=row.frontchannel_logout_uri,
            frontchannel_logout_session_required=row.frontchannel_logout_session_required,
        )


class ClientCreated(ClientRead):
    """The answer to a registration: the only time that the secret is shown."""

    client_secret: str | None


class ClientSecretRead(Output):
    """A secret that works; never what it is."""

    id: UUID
    created_at: datetime


class ClientSecretCreated(Output):
    """A further secret."""

    id: UUID
    client_secret: str


class ClientSecretList(Output):
    """Two at most, so not in pages."""

    items: list[ClientSecretRead]


class ClientKey(Input):
    """A public key."""

    key: dict[str, Any] = Field(description="JWK (RFC 7517) with a `kid`.")


class ClientScopes(Input):
    """Scopes by name."""

    scopes: list[str] = Field(max_length=200, examples=[["openid", "profile"]])


class ClientActivity(Input):
    """Whether a client may get tokens."""

    is_active: bool
