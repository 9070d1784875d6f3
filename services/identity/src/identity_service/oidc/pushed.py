"""Authorization requests that a client hands in beforehand, proving itself (RFC 9126): nothing of them passes the browser."""

import base64
import os
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any

from authlib.consts import default_json_headers
from authlib.oauth2 import OAuth2Error
from authlib.oauth2.rfc6749 import Endpoint, EndpointRequest
from authlib.oauth2.rfc6749.errors import InvalidRequestError
from authlib.oauth2.rfc9101.errors import InvalidRequestUriError
from sqlalchemy import delete, literal, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.util.concurrency import await_

from identity_service.oidc.client_authentication import METHODS
from identity_service.oidc.domain import has_control_characters
from identity_service.oidc.grants import check_response_type
from identity_service.oidc.models import PushedRequest
from identity_service.oidc.provider import InvalidDPoPProof, Provider, ProviderRequest, Work
from service_common.crypto import KeyRing

REQUEST_URI_PREFIX = "urn:ietf:params:oauth:request_uri:"
_PARAMETERS = "pushed_requests.parameters"
_REQUEST_URI = "request_uri"
# Somebody came in time and is still at the pages.
_LONGEST_INTERACTION = timedelta(days=1)
_OF_THE_CLIENT = frozenset({"client_secret", "client_assertion", "client_assertion_type"})


class PushedRequests(Endpoint):  # type: ignore[misc]  # Authlib ships no types
    """Checks a request as the authorization endpoint would, and keeps it for a moment."""

    ENDPOINT_NAME = "pushed_authorization_request"
    server: Provider

    def validate_request(self, request: ProviderRequest) -> EndpointRequest:
        """Raises: OAuth2Error, told to the client itself and never by a redirect (RFC 9126 §2.3)."""
        client = self.server.authenticate_client(request, METHODS, self.ENDPOINT_NAME)
        if _REQUEST_URI in request.payload.data:
            raise InvalidRequestError("A pushed request cannot refer to another one.")
        if request.payload.client_id != client.client_id:
            raise InvalidRequestError(
                "The client_id is missing, or not that of the client that authenticated."
            )
        request.is_pushed = True
        proof, named = self.server.proof, request.payload.dpop_jkt
        if proof is not None and named not in (None, proof.jkt):
            raise InvalidDPoPProof
        try:
            check_response_type(request)
            self.server.get_authorization_grant(request).validate_authorization_request()
        except OAuth2Error as error:
            error.redirect_uri = None
            raise
        return EndpointRequest(request, client)

    def create_response(self, validated_request: EndpointRequest) -> tuple[int, Any, Any]:
        work = self.server.work
        secret = base64.urlsafe_b64encode(os.urandom(32)).rstrip(b"=").decode()
        seconds = work.settings.pushed_request_seconds
        sent: dict[str, str] = validated_request.request.payload.data
        kept = {name: value for name, value in sent.items() if name not in _OF_THE_CLIENT}
        if self.server.proof is not None:  # a proof here binds the code as dpop_jkt does (RFC 9449 §10.1)
            kept["dpop_jkt"] = self.server.proof.jkt
        work.session.add(
            PushedRequest(
                request_hash=_hash(work.ring, secret),
                client_id=validated_request.client.client_id,
                parameters=work.ring.encrypt_json(kept, column=_PARAMETERS),
                expires_at=work.now + timedelta(seconds=seconds),
            )
        )
        await_(work.session.flush())
        return 201, {"request_uri": REQUEST_URI_PREFIX + secret, "expires_in": seconds}, default_json_headers


async def find_pushed(work: Work, pairs: Sequence[tuple[str, str]]) -> list[tuple[str, str]] | None:
    """The request that a ``request_uri`` stands for, with that; None when there is none of ours in it.

    What stands beside it in the address does not count (RFC 9126 §4, RFC 9101 §6.3). It is there until it is answered.
    Raises: InvalidRequestUriError for one that is unknown, used, expired, or of another client: nothing tells which.
    """
    _, request_uri = apart_from_pushed(pairs)
    if request_uri is None:
        return None
    clients = [value for name, value in pairs if name == "client_id"]
    if len(clients) != 1 or has_control_characters(clients):
        raise InvalidRequestUriError
    found = await work.session.scalar(
        select(PushedRequest.parameters).where(
            PushedRequest.request_hash == _hash(work.ring, request_uri),
            PushedRequest.client_id == clients[0],
            PushedRequest.expires_at > work.now,
        )
    )
    if found is None:
        raise InvalidRequestUriError
    parameters: dict[str, str] = work.ring.decrypt_json(found, column=_PARAMETERS)
    return [*parameters.items(), (_REQUEST_URI, request_uri)]


def apart_from_pushed(pairs: Iterable[tuple[str, str]]) -> tuple[list[tuple[str, str]], str | None]:
    """A request as it was pushed, and the ``request_uri`` that it was found by; None for one that was not pushed."""
    asked = list(pairs)
    named = [value for name, value in asked if name == _REQUEST_URI]
    if len(named) != 1 or not named[0].startswith(REQUEST_URI_PREFIX):
        return asked, None
    return [(name, value) for name, value in asked if name != _REQUEST_URI], named[0]


async def use_up(work: Work, pushed: str | None) -> bool:
    """Whether this is its first answer. Two at once meet in the row's lock. True for what was not pushed."""
    if pushed is None:
        return True
    used = delete(PushedRequest).where(PushedRequest.request_hash == _hash(work.ring, pushed))
    return (await work.session.execute(used.returning(literal(1)))).first() is not None


async def prune_pushed(session: AsyncSession, *, now: datetime) -> None:
    """Forgets requests that were never answered."""
    await session.execute(delete(PushedRequest).where(PushedRequest.expires_at < now - _LONGEST_INTERACTION))


def _hash(ring: KeyRing, request_uri: str) -> bytes:
    return ring.blind_index(
        request_uri.removeprefix(REQUEST_URI_PREFIX), column="pushed_requests.request_hash"
    )
