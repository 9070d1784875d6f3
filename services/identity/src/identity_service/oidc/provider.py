"""Authlib's authorization server on our tables.

Authlib's grants are synchronous. They run in a greenlet, the way SQLAlchemy's own core runs under its async session
(``greenlet_spawn``), and each of their callbacks that needs the database awaits there (``await_``): no threads, one
transaction, our ordinary handlers.
"""

import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property, lru_cache
from typing import Any

from authlib.oauth2 import OAuth2Error
from authlib.oauth2.rfc6749 import AuthorizationServer, InvalidClientError, OAuth2Request
from authlib.oauth2.rfc6749.errors import InvalidRequestError, InvalidScopeError
from authlib.oauth2.rfc9207 import IssuerParameter
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.util.concurrency import await_, greenlet_spawn

from identity_service.accounts.domain import SubjectKind
from identity_service.oidc.assertions import UsedAssertions
from identity_service.oidc.clients import KnownClients, OAuthClient, ServiceClients
from identity_service.oidc.domain import Subject, has_control_characters
from identity_service.oidc.subjects import subject_identifier
from identity_service.scopes import ScopeCatalogue
from identity_service.sessions.models import Grant
from identity_service.settings import Settings
from identity_service.signing.handlers import SigningKeys
from service_common import dpop
from service_common.crypto import KeyRing
from service_common.db import new_id
from service_common.dpop import Proof

# At DEBUG Authlib writes tokens and clients into the log, whatever level the service is set to.
logging.getLogger("authlib").setLevel(logging.INFO)

_MAY_BE_REPEATED = frozenset({"resource", "audience"})
ACCESS_TOKEN_TYPE = "at+jwt"  # noqa: S105 - RFC 9068 §2.1


class InvalidTarget(OAuth2Error):  # type: ignore[misc]  # Authlib ships no types
    """The ``resource`` is unknown, or no granted scope belongs to it (RFC 8707 §2)."""

    error = "invalid_target"
    description = "The resource is unknown, or nothing of it was granted."


class InvalidDPoPProof(OAuth2Error):  # type: ignore[misc]  # Authlib ships no types
    """Missing where it is required, not valid for this request, of another key, or shown before (RFC 9449 §5)."""

    error = "invalid_dpop_proof"
    description = "A valid DPoP proof for this request is required."


@dataclass(frozen=True)
class Work:
    """What one request to the provider works with. A session is opened when it is first asked for."""

    open_session: Callable[[], AsyncSession]
    ring: KeyRing
    settings: Settings
    keys: SigningKeys
    catalogue: ScopeCatalogue
    services: ServiceClients
    known: KnownClients
    assertions: UsedAssertions
    now: datetime

    @cached_property
    def session(self) -> AsyncSession:
        return self.open_session()

    @property
    def held_session(self) -> AsyncSession | None:
        """The session if this request has opened one, and with it may hold a connection."""
        return self.__dict__.get("session")


@dataclass
class Answer:
    """An answer of the provider, before it is HTTP."""

    status: int
    body: Any
    headers: dict[str, str]

    @property
    def location(self) -> str | None:
        return self.headers.get("Location")

    @location.setter
    def location(self, address: str) -> None:
        self.headers["Location"] = address


class Parameters:
    """Decoded parameters as Authlib reads them; repeated ones keep all their values."""

    def __init__(self, pairs: Iterable[tuple[str, str]]) -> None:
        self.datalist: dict[str, list[str]] = {}
        for name, value in pairs:
            self.datalist.setdefault(name, []).append(value)
        # An empty parameter counts as left out (RFC 6749 §3.1, §3.2).
        self.data = {name: values[0] for name, values in self.datalist.items() if values[0]}

    def __getattr__(self, name: str) -> str | None:
        """``client_id``, ``scope`` and the like; None when left out."""
        return self.data.get(name)

    def repeated(self) -> list[str]:
        return [name for name, values in self.datalist.items() if len(values) > 1]


@lru_cache(maxsize=64)
def _blank(method: str, uri: str) -> OAuth2Request:
    return OAuth2Request(method, uri)


class ProviderRequest(OAuth2Request):  # type: ignore[misc]  # Authlib ships no types
    """A request to the provider. The address is the public one: behind the edge ours is plain HTTP."""

    is_pushed = False
    """Whether this authorization request was handed in by the client itself (RFC 9126)."""

    def __init__(self, method: str, uri: str, pairs: Iterable[tuple[str, str]], headers: Any = None) -> None:
        # Authlib's constructor judges the address, which is one of a few of our own: once is enough for each.
        self.__dict__.update(_blank(method, uri).__dict__)
        self.headers = headers or {}
        self.payload = Parameters(pairs)

    @property
    def form(self) -> dict[str, str]:
        data: dict[str, str] = self.payload.data
        return data

    @property
    def args(self) -> dict[str, str]:
        return self.form


class ResponseIssuer(IssuerParameter):  # type: ignore[misc]  # Authlib ships no types
    """``iss`` in every authorization response, so that answers of two providers cannot be mixed up (RFC 9207)."""

    def __init__(self, issuer: str) -> None:
        self._issuer = issuer

    def get_issuer(self) -> str:
        return self._issuer


class Provider(AuthorizationServer):  # type: ignore[misc]  # Authlib ships no types
    """One request's authorization server."""

    def __init__(self, work: Work) -> None:
        super().__init__()
        self.work = work
        self.proof: Proof | None = None
        """What the client has shown of its key: the tokens of this answer are bound to it (RFC 9449)."""
        self._known_clients: dict[str, OAuthClient | None] = {}
        self._issuer_parameter = ResponseIssuer(work.settings.issuer)
        self._issuer_parameter(self)

    async def run(self, function: Any, *arguments: Any) -> Any:
        """Calls one of Authlib's synchronous functions where its callbacks can await."""
        return await greenlet_spawn(function, *arguments)

    def query_client(self, client_id: str) -> OAuthClient | None:
        if client_id not in self._known_clients:
            work = self.work
            self._known_clients[client_id] = await_(
                work.known.find(lambda: work.session, work.ring, work.services, work.catalogue, client_id)
            )
        return self._known_clients[client_id]

    def create_oauth2_request(self, request: ProviderRequest) -> ProviderRequest:
        return request

    def handle_response(self, status: int, body: Any, headers: Iterable[tuple[str, str]]) -> Answer:
        return Answer(status, body, dict(headers))

    def handle_error_response(self, request: ProviderRequest | None, error: OAuth2Error) -> Answer:
        answer: Answer = super().handle_error_response(request, error)
        challenge = answer.headers.get("WWW-Authenticate", "")
        if (
            challenge.startswith("Basic ") and "realm=" not in challenge
        ):  # without one it is none (RFC 7617 §2)
            answer.headers["WWW-Authenticate"] = challenge.replace("Basic ", 'Basic realm="identity", ', 1)
        return answer

    def send_signal(self, name: str, *args: Any, **kwargs: Any) -> None:
        """Authlib announces what happens here; nobody listens."""

    def validate_requested_scope(self, scope: str | None) -> None:
        """Nothing: asking for more than one gets is no error, the answer names what was granted (RFC 6749 §3.3)."""

    def authenticate_client(
        self, request: ProviderRequest, methods: list[str], endpoint: str = "token"
    ) -> OAuthClient:
        """Raises: InvalidClientError, InvalidDPoPProof for a client whose tokens are bound and that shows no proof."""
        try:
            client: OAuthClient = super().authenticate_client(request, methods, endpoint)
        except ValueError as error:  # Basic credentials that are not UTF-8
            raise InvalidClientError(status_code=401) from error
        _check_one_client(request, client)
        if endpoint == "token" and client.requires_proof and self.proof is None:
            raise InvalidDPoPProof
        return client

    def error_answer(self, error: OAuth2Error) -> Answer:
        """An error of the authorization endpoint that the client may hear of."""
        answer: Answer = self.handle_error_response(None, error)
        self._issuer_parameter.add_issuer_parameter(self, answer)
        return answer

    def check_parameters(self, request: ProviderRequest) -> None:
        """Raises: InvalidRequestError for repeated parameters (RFC 6749 §3.1, §3.2) and control characters.

        InvalidTarget for several resources, which other standards allow: our tokens are for one or for all (RFC 8707 §2).
        """
        repeated = request.payload.repeated()
        if repeated and _MAY_BE_REPEATED.issuperset(repeated):
            raise InvalidTarget
        if repeated:
            raise InvalidRequestError("A parameter is repeated.")
        if has_control_characters(request.payload.data.values()):
            raise InvalidRequestError("A parameter has control characters.")

    def narrow(self, scopes: frozenset[str], resource: str | None) -> tuple[frozenset[str], list[str]]:
        """The scopes of one service when ``resource`` asks for one (RFC 8707), and the audience. Raises: InvalidTarget."""
        if resource is None:
            return scopes, self.work.catalogue.audiences(scopes)
        kept = scopes & self.work.catalogue.of_resource(resource)
        if not kept:
            raise InvalidTarget
        return kept, [resource]

    def access_token(
        self,
        client: OAuthClient,
        scopes: frozenset[str],
        resource: str | None,
        subject: Subject | None = None,
        grant: Grant | None = None,
        *,
        on_behalf: dict[str, Any] | None = None,
        until: datetime | None = None,
    ) -> dict[str, Any]:
        """The token part of an answer: a JWT by RFC 9068 without any personal value.

        ``on_behalf``: claims in place of the subject's own when it acts for somebody else. ``until``: when what it was given
        for ends. Raises: InvalidScopeError, InvalidTarget.
        """
        if not scopes:
            raise InvalidScopeError
        kept, audience = self.narrow(scopes, resource)
        seconds = self.work.settings.access_token_seconds
        if until is not None:
            seconds = min(seconds, int((until - self.work.now).total_seconds()))
        issued = int(self.work.now.timestamp())
        claims: dict[str, Any] = {
            "iss": self.work.settings.issuer,
            "aud": audience,
            "client_id": client.client_id,
            "scope": " ".join(sorted(kept)),
            "jti": str(new_id()),
            "iat": issued,
            "exp": issued + seconds,
        }
        if self.proof is not None:
            claims["cnf"] = {"jkt": self.proof.jkt}
        if subject is not None and grant is not None:
            claims |= subject_claims(subject, grant) if on_behalf is None else on_behalf
            if not client.is_first_party and subject.kind is SubjectKind.PERSON:
                claims |= {"sub": subject_identifier(self.work.ring, client, subject.id)}
                claims.pop("represents", None)
        else:
            claims |= client_claims(client)
        return {
            "access_token": self.work.keys.sign(claims, kind=ACCESS_TOKEN_TYPE, now=self.work.now),
            "token_type": dpop.SCHEME if self.proof else "Bearer",
            "expires_in": seconds,
            "scope": claims["scope"],
        }

    def later(self, **delta: float) -> datetime:
        return self.work.now + timedelta(**delta)


def _check_one_client(request: ProviderRequest, client: OAuthClient) -> None:
    """One client, and one way to show that (RFC 6749 §2.3, RFC 7521 §4.2). Raises: InvalidRequestError."""
    if request.payload.client_id not in (None, client.client_id):
        raise InvalidRequestError("The client_id is not that of the client that authenticated.")
    by_header = str(request.headers.get("Authorization", "")).lower().startswith("basic ")
    if by_header + ("client_secret" in request.form) + ("client_assertion" in request.form) > 1:
        raise InvalidRequestError("The client authenticates in more than one way.")


def subject_claims(subject: Subject, grant: Grant) -> dict[str, Any]:
    """What our access tokens say of a person or a staff member."""
    claims: dict[str, Any] = {
        "sub": str(subject.id),
        "subject_type": subject.kind.lower(),
        "sid": str(grant.id),
        "acr": subject.acr,
        "amr": grant.methods,
        "auth_time": int(grant.authenticated_at.timestamp()),
    }
    if subject.department_id is None:
        claims["represents"] = [str(one) for one in subject.represents]
    else:
        claims |= {
            "department_id": str(subject.department_id),
            "division": subject.division,
            "roles": sorted(subject.roles),
        }
    return claims


def client_claims(client: OAuthClient) -> dict[str, Any]:
    """What our access tokens say of a client that acts for itself."""
    claims: dict[str, Any] = {"sub": client.client_id, "subject_type": "client"}
    if client.department_id is not None:
        claims |= {"department_id": str(client.department_id), "division": client.division}
    return claims
