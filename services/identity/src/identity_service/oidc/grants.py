"""Two of the grants, on Authlib's: authorization code with PKCE, client credentials. Refresh stands in ``refresh``."""

import re
from datetime import timedelta
from typing import Any

from authlib.oauth2.rfc6749.errors import InvalidRequestError
from authlib.oauth2.rfc6749.grants import AuthorizationCodeGrant, ClientCredentialsGrant
from authlib.oauth2.rfc7636 import CodeChallenge
from authlib.oidc.core.errors import (
    RegistrationNotSupportedError,
    RequestNotSupportedError,
    RequestURINotSupportedError,
)
from sqlalchemy import Column, ColumnElement, bindparam, insert, literal, select, update
from sqlalchemy.util.concurrency import await_

from identity_service.accounts.models import Account
from identity_service.oidc.claims import AskedClaims
from identity_service.oidc.client_authentication import METHODS
from identity_service.oidc.clients import OAuthClient
from identity_service.oidc.domain import PROMPTS, Freshness, Subject
from identity_service.oidc.hints import hinted_subject
from identity_service.oidc.issuing import first_refresh_token, issue
from identity_service.oidc.models import AuthorizationCode
from identity_service.oidc.provider import InvalidDPoPProof, Provider, ProviderRequest, Work
from identity_service.oidc.subjects import subject_of, with_subject
from identity_service.sessions import handlers as sessions
from identity_service.sessions.models import Grant, LoginSession
from service_common.contracts.identity import SessionEndReason
from service_common.crypto import KeyRing
from service_common.db import new_id

_LONGEST_NONCE = 512
_LONGEST_CODE_SECONDS = 60
_CODES, _GRANTS = AuthorizationCode.metadata.tables["authorization_codes"], Grant.metadata.tables["grants"]
_THUMBPRINT = re.compile(r"[A-Za-z0-9_-]{43}")


def hash_code(ring: KeyRing, code: str) -> bytes:
    return ring.blind_index(code, column="authorization_codes.code_hash")


class CodeInHand:
    """A code with its grant and its subject, in the words in which Authlib asks."""

    def __init__(self, row: AuthorizationCode, grant: Grant, subject: Subject) -> None:
        self.row = row
        self.grant = grant
        self.subject = subject
        self.code_challenge = row.code_challenge
        self.code_challenge_method = "S256"

    def get_redirect_uri(self) -> str:
        return self.row.redirect_uri

    def get_scope(self) -> str:
        return self.grant.scope

    def get_nonce(self) -> str | None:
        return self.row.nonce


class LoggedOutMeanwhile(Exception):
    """The session was ended while its request was being looked at."""


def _given(column: Column[Any], name: str | None = None) -> ColumnElement[Any]:
    return bindparam(name or column.name, type_=column.type).label(column.name)


# The other side of what ends sessions, as in ``sessions.handlers.hold_open``: who ends one of somebody's holds the account first and
# ends the session last. So this waits for whoever is ending, and opens nothing in what was ended; or is waited for, and seen.
_STILL_LOGGED_IN = (
    select(LoginSession.id)
    .join(Account, Account.id == LoginSession.account_id)
    .where(LoginSession.id == bindparam("login_session_id"), LoginSession.ended_at.is_(None))
    .with_for_update(read=True, of=(Account, LoginSession))
    .cte("still_logged_in")
)
_GIVEN_TO_GRANT = [
    _given(_GRANTS.c[name])
    for name in (
        "subject_id", "kind", "client_id", "scope", "resource", "claims", "is_offline", "methods", "authenticated_at",
    )
]  # fmt: skip
_OPENED = (
    insert(_GRANTS)
    .from_select(
        ["id", "revision", "login_session_id", *(one.name for one in _GIVEN_TO_GRANT)],
        select(_given(_GRANTS.c.id, "grant_id"), literal(0), _STILL_LOGGED_IN.c.id, *_GIVEN_TO_GRANT),
        include_defaults=False,
    )
    .returning(_GRANTS.c.id)
    .cte("opened")
)
_GIVEN_TO_CODE = [
    _given(_CODES.c[name])
    for name in ("code_hash", "redirect_uri", "code_challenge", "nonce", "expires_at", "dpop_jkt")
]
# A code and its grant are opened by one statement, and read by one with the subject: each statement costs more than its columns.
_OPEN = (
    insert(_CODES)
    .from_select(
        ["grant_id", *(one.name for one in _GIVEN_TO_CODE)],
        select(_OPENED.c.id, *_GIVEN_TO_CODE),
        include_defaults=False,
    )
    .returning(_CODES.c.grant_id)
)
_IN_HAND = (
    with_subject(
        select(AuthorizationCode, Grant).join(Grant, Grant.id == AuthorizationCode.grant_id), Grant.subject_id
    )
    .where(
        AuthorizationCode.code_hash == bindparam("code_hash"),
        Grant.client_id == bindparam("client_id"),
    )
    .with_for_update(of=(AuthorizationCode, Grant))
)
_USE_UP = update(_CODES).where(_CODES.c.code_hash == bindparam("used_hash")).values(used_at=bindparam("at"))


class CodeGrant(AuthorizationCodeGrant):  # type: ignore[misc]  # Authlib ships no types
    """Authorization code. The grant row is made with the code, so that a code used twice can end what it gave."""

    TOKEN_ENDPOINT_AUTH_METHODS = METHODS
    server: Provider
    request: ProviderRequest
    login: LoginSession
    scopes: frozenset[str]
    claims: dict[str, Any] | None = None
    pushed: str | None = None

    @property
    def work(self) -> Work:
        return self.server.work

    @staticmethod
    def validate_authorization_redirect_uri(request: ProviderRequest, client: OAuthClient) -> str:
        # Authlib puts the address into its message, and refuses its own message when the address has odd characters.
        address: str | None = request.payload.redirect_uri
        if address is None or not client.check_redirect_uri(address):
            raise InvalidRequestError("The redirect_uri is missing or not registered for this client.")
        return address

    def validate_authorization_request(self) -> str:
        redirect_uri: str = super().validate_authorization_request()
        parameters = self.request.payload.data
        if self.request.client.requires_pushed_requests and not self.request.is_pushed:
            raise InvalidRequestError("This client must push its requests.", redirect_uri=redirect_uri)
        problem = _unsupported(parameters) or self._wrong_hint(parameters)
        if problem is not None:
            problem.redirect_uri = redirect_uri
            raise problem
        return redirect_uri

    def _wrong_hint(self, parameters: dict[str, str]) -> Any:
        try:
            hinted_subject(self.work.keys, self.request.client.client_id, parameters.get("id_token_hint"))
        except ValueError:
            return InvalidRequestError("The id_token_hint is no ID token of ours for this client.")
        return None

    def save_authorization_code(self, code: str, request: ProviderRequest) -> None:
        """Opens the grant. ``login`` and ``scopes`` were decided by who calls. Raises: LoggedOutMeanwhile."""
        work, login = self.work, self.login
        parameters = request.payload.data
        opened = {
            "code_hash": hash_code(work.ring, code),
            "redirect_uri": parameters["redirect_uri"],
            "code_challenge": parameters["code_challenge"],
            "nonce": request.payload.nonce,
            "expires_at": work.now + timedelta(seconds=_code_seconds(work, request.client)),
            "dpop_jkt": request.payload.dpop_jkt,
            "grant_id": new_id(),
            "login_session_id": login.id,
            "subject_id": login.account_id,
            "kind": login.kind,
            "client_id": request.client.client_id,
            "scope": " ".join(sorted(self.scopes)),
            "resource": request.payload.resource,
            "claims": self.claims,
            "is_offline": "offline_access" in self.scopes,
            "methods": login.methods,
            "authenticated_at": login.authenticated_at,
        }
        if await_(work.session.execute(_OPEN, opened)).first() is None:
            raise LoggedOutMeanwhile

    def query_authorization_code(self, code: str, client: OAuthClient) -> CodeInHand | None:
        return await_(self._redeemable(code, client))

    async def _redeemable(self, code: str, client: OAuthClient) -> CodeInHand | None:
        """The code if it is this client's, unused and in time. A second use ends everything the first gave."""
        work = self.work
        found = (
            await work.session.execute(
                _IN_HAND,
                {"code_hash": hash_code(work.ring, code), "client_id": client.client_id, "now": work.now},
            )
        ).first()
        if found is None:
            return None
        row, grant = found[:2]
        if row.used_at is not None:
            await sessions.end_grant(work.session, grant, reason=SessionEndReason.SUSPICION, now=work.now)
            return None
        if row.expires_at <= work.now or grant.ended_at is not None:
            return None
        if row.dpop_jkt is not None and (self.server.proof is None or self.server.proof.jkt != row.dpop_jkt):
            raise InvalidDPoPProof
        subject = subject_of(found, grant.kind, grant.subject_id)
        return CodeInHand(row, grant, subject) if subject else None

    def delete_authorization_code(self, authorization_code: CodeInHand) -> None:
        used = {"used_hash": authorization_code.row.code_hash, "at": self.work.now}
        await_(self.work.session.execute(_USE_UP, used))

    def authenticate_user(self, authorization_code: CodeInHand) -> Subject:
        return authorization_code.subject

    def generate_token(self, *, include_refresh_token: bool, **_kwargs: Any) -> dict[str, Any]:
        in_hand: CodeInHand = self.request.authorization_code
        token = issue(self.server, self.request, in_hand.grant, in_hand.subject)
        if include_refresh_token:
            token["refresh_token"] = first_refresh_token(self.work, in_hand.grant)
        return token

    def save_token(self, token: dict[str, Any]) -> None:
        """Nothing: access tokens are not stored, refresh tokens were when they were made."""


def check_response_type(request: ProviderRequest) -> None:
    """Before Authlib, whose message about it may hold characters that it refuses itself. Raises: InvalidRequestError."""
    asked = request.payload.response_type
    if asked is None or not asked.replace(" ", "").replace("_", "").isalnum() or not asked.isascii():
        raise InvalidRequestError("The response_type is missing or malformed.")


def _code_seconds(work: Work, client: OAuthClient) -> int:
    """The life of a code; at most a minute for clients of high trust (FAPI 2.0 §5.3.2.1)."""
    seconds = work.settings.code_seconds
    return min(seconds, _LONGEST_CODE_SECONDS) if client.is_high_trust else seconds


def _unsupported(parameters: dict[str, str]) -> Any:
    """The error for a parameter that we do not do, or that says nothing sensible."""
    if "request" in parameters:
        return RequestNotSupportedError()
    if "request_uri" in parameters:
        return RequestURINotSupportedError()
    if "registration" in parameters:
        return RegistrationNotSupportedError()
    if parameters.get("response_mode", "query") != "query":
        return InvalidRequestError("The response_mode is not supported.")
    return _malformed(parameters)


def _malformed(parameters: dict[str, str]) -> Any:
    """The error for a parameter whose value says nothing sensible."""
    if len(parameters.get("nonce", "")) > _LONGEST_NONCE:
        return InvalidRequestError("The nonce is too long.")
    if "dpop_jkt" in parameters and not _THUMBPRINT.fullmatch(parameters["dpop_jkt"]):
        return InvalidRequestError("The dpop_jkt is not the thumbprint of a key.")
    if not set(parameters.get("prompt", "").split()) <= PROMPTS:
        return InvalidRequestError("The prompt is not supported.")
    try:
        Freshness.asked_by(parameters)
        AskedClaims.parse(parameters.get("claims"))
    except ValueError:
        return InvalidRequestError(
            "The max_age is no number of seconds, or the claims are no object of claims."
        )
    return None


class ClientGrant(ClientCredentialsGrant):  # type: ignore[misc]  # Authlib ships no types
    """A client acts for itself: a department's system, or one of our services."""

    TOKEN_ENDPOINT_AUTH_METHODS = METHODS
    server: Provider
    request: ProviderRequest

    def generate_token(self, **_kwargs: Any) -> dict[str, Any]:
        client: OAuthClient = self.request.client
        allowed = frozenset((client.get_allowed_scope(self.request.payload.scope) or "").split())
        scopes = allowed & self.server.work.catalogue.grantable(client.roles)
        return self.server.access_token(client, scopes, self.request.payload.resource)

    def save_token(self, token: dict[str, Any]) -> None:
        """Nothing: see CodeGrant."""


class S256Only(CodeChallenge):  # type: ignore[misc]  # Authlib ships no types
    """PKCE for every client, by S256 alone (RFC 9700 §2.1.1)."""

    DEFAULT_CODE_CHALLENGE_METHOD = "S256"
    SUPPORTED_CODE_CHALLENGE_METHOD = ["S256"]  # noqa: RUF012 - Authlib's attribute

    def validate_code_challenge(self, grant: CodeGrant, redirect_uri: str) -> None:
        parameters = grant.request.payload.data
        if not parameters.get("code_challenge") or parameters.get("code_challenge_method") != "S256":
            raise InvalidRequestError("A code_challenge with code_challenge_method=S256 is required.")
        super().validate_code_challenge(grant, redirect_uri)
