"""The token endpoint and its neighbours: introspection (RFC 7662), revocation (RFC 7009), the request to log out."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from authlib.oauth2 import OAuth2Error
from authlib.oauth2.rfc6749.errors import InvalidRequestError
from authlib.oauth2.rfc7009 import RevocationEndpoint
from authlib.oauth2.rfc7662 import IntrospectionEndpoint
from authlib.oidc.rpinitiated import EndSessionEndpoint
from authlib.oidc.rpinitiated.end_session import EndSessionRequest
from joserfc.jwk import KeySet
from sqlalchemy.util.concurrency import await_

from identity_service.oidc.client_authentication import CONFIDENTIAL_METHODS, METHODS, KeyAssertion
from identity_service.oidc.clients import SERVICE_ROLE, OAuthClient
from identity_service.oidc.device import DeviceEndpoint, DeviceGrant
from identity_service.oidc.exchange import ExchangeGrant
from identity_service.oidc.grants import ClientGrant, CodeGrant
from identity_service.oidc.hints import ID_TOKEN_TYPE
from identity_service.oidc.id_tokens import CODE_EXTENSIONS, DEVICE_EXTENSIONS, REFRESH_EXTENSIONS
from identity_service.oidc.issuing import hash_refresh_token
from identity_service.oidc.models import RefreshToken
from identity_service.oidc.possession import give_nonce, show_proof
from identity_service.oidc.provider import ACCESS_TOKEN_TYPE, Answer, Provider, ProviderRequest, Work
from identity_service.oidc.pushed import PushedRequests
from identity_service.oidc.refresh import RefreshGrant
from identity_service.sessions import handlers as sessions
from identity_service.sessions.models import Grant
from identity_service.signing.domain import ID_TOKEN_ALGORITHMS
from service_common import dpop
from service_common.contracts.identity import SessionEndReason

_AUDIENCE = "urn:lianban:"
_OPAQUE_CLAIMS = (
    "iss",
    "sub",
    "aud",
    "client_id",
    "scope",
    "exp",
    "iat",
    "jti",
    "sid",
    "acr",
    "auth_time",
    "act",
    "cnf",
)


def _provider(work: Work) -> Provider:
    provider = Provider(work)
    assertion = KeyAssertion(provider)
    provider.register_client_auth_method(KeyAssertion.CLIENT_AUTH_METHOD, assertion)
    return provider


def _request(address: str, pairs: Iterable[tuple[str, str]], headers: Any) -> ProviderRequest:
    return ProviderRequest("POST", address, pairs, headers)


async def token_answer(work: Work, pairs: Iterable[tuple[str, str]], headers: Any) -> Answer:
    """Answers a token request. Refusals are answers too, and what they wrote (a family ended) is committed."""
    provider = _provider(work)
    provider.register_grant(CodeGrant, CODE_EXTENSIONS)
    provider.register_grant(RefreshGrant, REFRESH_EXTENSIONS)
    provider.register_grant(ClientGrant)
    provider.register_grant(DeviceGrant, DEVICE_EXTENSIONS)
    provider.register_grant(ExchangeGrant)
    request = _request(work.settings.token_endpoint, pairs, headers)
    try:
        provider.proof = await show_proof(work, headers, url=work.settings.token_endpoint)
    except OAuth2Error as error:
        return _refusal(provider, request, error)
    answer = await _checked(provider, request, provider.create_token_response, request)
    return give_nonce(work, answer) if provider.proof else answer


async def pushed_answer(work: Work, pairs: Iterable[tuple[str, str]], headers: Any) -> Answer:
    """Takes in an authorization request (RFC 9126)."""
    provider = _provider(work)
    provider.register_grant(CodeGrant, CODE_EXTENSIONS)
    provider.register_endpoint(PushedRequests)
    address = work.settings.pushed_request_endpoint
    request = _request(address, pairs, headers)
    try:
        provider.proof = await show_proof(work, headers, url=address)
    except OAuth2Error as error:
        return _refusal(provider, request, error)
    name = PushedRequests.ENDPOINT_NAME
    return await _checked(provider, request, provider.create_endpoint_response, name, request)


async def device_answer(
    work: Work, pairs: Iterable[tuple[str, str]], headers: Any, *, address: str
) -> Answer:
    """Gives a device its codes (RFC 8628 §3.2). ``address`` is where it asks from."""
    provider = _provider(work)
    provider.register_endpoint(DeviceEndpoint(provider, address=address))
    request = _request(work.settings.device_authorization_endpoint, pairs, headers)
    name = DeviceEndpoint.ENDPOINT_NAME
    return await _checked(provider, request, provider.create_endpoint_response, name, request)


async def introspection_answer(work: Work, pairs: Iterable[tuple[str, str]], headers: Any) -> Answer:
    """Whether a token is good, told to a client that may know."""
    provider = _provider(work)
    provider.register_endpoint(Introspection)
    request = _request(f"{work.settings.issuer}/introspect", pairs, headers)
    name = Introspection.ENDPOINT_NAME
    return await _checked(provider, request, provider.create_endpoint_response, name, request)


async def revocation_answer(work: Work, pairs: Iterable[tuple[str, str]], headers: Any) -> Answer:
    """Ends what a token was given for."""
    provider = _provider(work)
    provider.register_endpoint(Revocation)
    request = _request(f"{work.settings.issuer}/revoke", pairs, headers)
    name = Revocation.ENDPOINT_NAME
    return await _checked(provider, request, provider.create_endpoint_response, name, request)


async def _checked(provider: Provider, request: ProviderRequest, function: Any, *arguments: Any) -> Answer:
    try:
        provider.check_parameters(request)
    except OAuth2Error as error:
        return _refusal(provider, request, error)
    answer: Answer = await provider.run(function, *arguments)
    return answer


def _refusal(provider: Provider, request: ProviderRequest, error: OAuth2Error) -> Answer:
    refusal: Answer = provider.handle_error_response(request, error)
    return refusal


@dataclass(frozen=True)
class KnownToken:
    """A token of ours that somebody asks about."""

    client_id: str
    claims: dict[str, Any]
    grant: Grant | None
    expires_at: float
    is_refresh: bool
    is_used: bool
    now: float

    def check_client(self, client: OAuthClient) -> bool:
        return self.client_id == client.client_id

    def is_expired(self) -> bool:
        return self.expires_at <= self.now

    def is_revoked(self) -> bool:
        return self.is_used or (self.grant is not None and self.grant.ended_at is not None)


async def _find_token(work: Work, text: str) -> KnownToken | None:
    now = work.now.timestamp()
    claims = work.keys.read(text, kind=ACCESS_TOKEN_TYPE)
    if claims is not None:
        grant = await sessions.find_grant(work.session, UUID(claims["sid"])) if "sid" in claims else None
        shown = {name: claims[name] for name in _OPAQUE_CLAIMS if name in claims}
        return KnownToken(claims["client_id"], shown, grant, claims["exp"], False, False, now)
    row = await work.session.get(RefreshToken, hash_refresh_token(work.ring, text))
    if row is None:
        return None
    grant = await work.session.get_one(Grant, row.grant_id)
    shown = {
        "client_id": grant.client_id,
        "scope": grant.scope,
        "exp": int(row.expires_at.timestamp()),
        "iat": int(row.issued_at.timestamp()),
        "sid": str(grant.id),
    }
    return KnownToken(
        grant.client_id,
        shown,
        grant,
        row.expires_at.timestamp(),
        is_refresh=True,
        is_used=row.used_at is not None,
        now=now,
    )


class NotRevocable(OAuth2Error):  # type: ignore[misc]  # Authlib ships no types
    """A token that ends by itself alone (RFC 7009 §2.2.1)."""

    error = "unsupported_token_type"
    description = "A token of the client itself is not revoked: it lives for minutes."


def _ignore_hint(request: ProviderRequest) -> None:
    """Tokens are found without it, and one that we do not know is no error (RFC 7009 §2.1, RFC 7662 §2.1)."""
    request.payload.data.pop("token_type_hint", None)


class Introspection(IntrospectionEndpoint):  # type: ignore[misc]  # Authlib ships no types
    """For confidential clients about their own tokens, and for our services about tokens that are meant for them."""

    CLIENT_AUTH_METHODS = CONFIDENTIAL_METHODS
    server: Provider

    def check_params(self, request: ProviderRequest, client: OAuthClient) -> None:
        _ignore_hint(request)
        super().check_params(request, client)

    def query_token(self, token_string: str, token_type_hint: str | None) -> KnownToken | None:  # noqa: ARG002 - a hint
        return await_(_find_token(self.server.work, token_string))

    def check_permission(self, token: KnownToken, client: OAuthClient, request: ProviderRequest) -> bool:  # noqa: ARG002
        if token.check_client(client):
            return True
        return SERVICE_ROLE in client.roles and f"{_AUDIENCE}{client.client_id}" in token.claims.get(
            "aud", ()
        )

    def introspect_token(self, token: KnownToken) -> dict[str, Any]:
        kind = "refresh_token" if token.is_refresh else dpop.SCHEME if "cnf" in token.claims else "Bearer"
        return {"active": True, **token.claims, "token_type": kind}


class Revocation(RevocationEndpoint):  # type: ignore[misc]  # Authlib ships no types
    """By whatever token of it: the whole grant ends, and its access tokens are refused within a second."""

    CLIENT_AUTH_METHODS = METHODS
    server: Provider

    def check_params(self, request: ProviderRequest, client: OAuthClient) -> None:
        _ignore_hint(request)
        super().check_params(request, client)

    def query_token(self, token_string: str, token_type_hint: str | None) -> KnownToken | None:  # noqa: ARG002 - a hint
        return await_(_find_token(self.server.work, token_string))

    def revoke_token(self, token: KnownToken, request: ProviderRequest) -> None:  # noqa: ARG002 - Authlib's signature
        if token.grant is None:
            raise NotRevocable
        await_(self._end(token.grant.id))

    async def _end(self, grant_id: UUID) -> None:
        work = self.server.work
        living = await sessions.hold_grant(work.session, grant_id)
        if living is not None:
            await sessions.end_grant(work.session, living, reason=SessionEndReason.LOGOUT, now=work.now)


class EndSession(EndSessionEndpoint):  # type: ignore[misc]  # Authlib ships no types
    """Reads a client's request to log out (OpenID Connect RP-Initiated Logout 1.0)."""

    server: Provider

    def _validate_id_token_hint(self, id_token_hint: str) -> dict[str, Any]:
        # Authlib looks at the signature alone; an access token is signed by the same keys, and others hold it.
        if self.server.work.keys.read(id_token_hint, kind=ID_TOKEN_TYPE) is None:
            raise InvalidRequestError("The id_token_hint is not an ID token of ours.")
        claims: dict[str, Any] = super()._validate_id_token_hint(id_token_hint)
        return claims

    def get_server_jwks(self) -> KeySet:
        return self.server.work.keys.public

    def get_algorithms(self) -> list[str]:
        return ID_TOKEN_ALGORITHMS


async def read_logout(work: Work, pairs: Iterable[tuple[str, str]]) -> EndSessionRequest:
    """Raises: OAuth2Error for a hint that is not ours or not this client's."""
    provider = _provider(work)
    request = ProviderRequest("GET", f"{work.settings.issuer}/logout", pairs)
    provider.check_parameters(request)
    endpoint = EndSession(provider)
    read: EndSessionRequest = await provider.run(endpoint.validate_request, request)
    return read
