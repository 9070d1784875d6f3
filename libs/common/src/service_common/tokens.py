"""Access tokens (RFC 9068) checked without a call out: keys are fetched once and kept while identity is down."""

import asyncio
import contextlib
import time
from collections import OrderedDict
from datetime import datetime
from typing import Any

import httpx
import structlog
from joserfc import jws, jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from service_common.errors import Unauthenticated, Unavailable
from service_common.presence import TOKEN_TYPE as PRESENCE
from service_common.presence import Presence, PresenceNotValid, presence_of

logger = structlog.get_logger()

ALGORITHMS = ["ES256", "EdDSA"]

# Seconds between two fetches caused by an unknown `kid`: a flood of forged tokens must not become a flood on identity.
_REFRESH_BOUND_SECONDS = 10.0
_KEEP_FRESH_SECONDS = 300.0
_CACHE_SIZE = 10_000
# Clocks of our own machines differ by less than this (seconds).
_LEEWAY_SECONDS = 5


class InvalidToken(Unauthenticated):
    """Malformed, expired, of another issuer or for another service."""

    code = "invalid_token"
    zh = "登录凭证无效或已过期，请重新登录。"
    en = "The access token is invalid or has expired: sign in again."


class KeysUnavailable(Unavailable):
    """No key has ever been fetched."""

    code = "keys_unavailable"
    zh = "身份服务暂时不可用，请稍后重试。"
    en = "Identity does not answer and its keys are not known yet: retry later."


class IssuerKeys:
    """The issuer's public keys, fetched from its JWKS and kept through its outages."""

    def __init__(self, jwks_url: str, http: httpx.AsyncClient) -> None:
        self._url = jwks_url
        self._http = http
        self._keys: dict[str, Any] = {}
        self._asked_at = float("-inf")
        self._lock = asyncio.Lock()

    async def find(self, key_id: str) -> Any:
        """The key of this id. Raises: InvalidToken, KeysUnavailable."""
        if key_id not in self._keys or time.monotonic() - self._asked_at > _KEEP_FRESH_SECONDS:
            await self._refresh(key_id)
        try:
            return self._keys[key_id]
        except KeyError:
            if not self._keys:
                raise KeysUnavailable from None
            raise InvalidToken from None

    async def _refresh(self, key_id: str) -> None:
        async with self._lock:
            age = time.monotonic() - self._asked_at
            if age < (_REFRESH_BOUND_SECONDS if self._keys else 1.0) or (
                key_id in self._keys and age < _KEEP_FRESH_SECONDS
            ):
                return
            self._asked_at = time.monotonic()
            try:
                answer = await self._http.get(self._url)
                answer.raise_for_status()
                keys = KeySet.import_key_set(answer.json())
            except (httpx.HTTPError, ValueError, JoseError) as error:
                logger.warning("issuer_keys_not_fetched", error=type(error).__name__)
                return
            self._keys = {str(key.kid): key for key in keys.keys}


class RevokedSessions:
    """Sessions that ended before their tokens did. Remembered for as long as such a token could live."""

    def __init__(self, keep_seconds: float = 600.0) -> None:
        self._ended: OrderedDict[str, float] = OrderedDict()
        self._keep_seconds = keep_seconds

    def add(self, session_id: str) -> None:
        now = time.monotonic()
        self._ended[session_id] = now
        while self._ended and next(iter(self._ended.values())) < now - self._keep_seconds:
            self._ended.popitem(last=False)

    def __contains__(self, session_id: str) -> bool:
        return session_id in self._ended


class TokenVerifier:
    """Signature, type, issuer, audience, expiry and session of an access token, and of proofs of presence beside them."""

    def __init__(self, *, issuer: str, audience: str, keys: IssuerKeys, revoked: RevokedSessions) -> None:
        self._issuer = issuer
        self._audience = audience
        self._keys = keys
        self._revoked = revoked
        self._registry = jwt.JWTClaimsRegistry(
            leeway=_LEEWAY_SECONDS,
            iss={"essential": True, "value": issuer},
            exp={"essential": True},
            sub={"essential": True},
            client_id={"essential": True},
        )
        self._seen: OrderedDict[str, dict[str, Any]] = OrderedDict()

    async def verify(self, token: str) -> dict[str, Any]:
        """Returns the claims. Raises: InvalidToken, KeysUnavailable."""
        claims = self._seen.get(token)
        if claims is None:
            claims = await self._verify_signature(token)
            self._seen[token] = claims
            if len(self._seen) > _CACHE_SIZE:
                self._seen.popitem(last=False)
        self._check(claims)
        return claims

    async def read_presence(self, token: str, *, now: datetime) -> Presence:
        """Who stood at a counter, by a proof of our issuer for this service. Raises: PresenceNotValid, KeysUnavailable."""
        try:
            claims = await self._verify_signature(token, kind=PRESENCE)
            presence = presence_of(claims)
        except (InvalidToken, KeyError, TypeError, ValueError) as error:
            raise PresenceNotValid from error
        ours = claims.get("iss") == self._issuer and self._is_audience(claims)
        if not ours or presence.expires_at <= now:
            raise PresenceNotValid
        return presence

    async def _verify_signature(self, token: str, *, kind: str = "at+jwt") -> dict[str, Any]:
        try:
            key_id = _header_of(token).get("kid")
            key = await self._keys.find(str(key_id))
            decoded = jwt.decode(token, key, algorithms=ALGORITHMS)
        except (JoseError, ValueError) as error:
            raise InvalidToken from error
        if decoded.header.get("typ", "").lower() not in (kind, f"application/{kind}"):
            raise InvalidToken
        return dict(decoded.claims)

    def _check(self, claims: dict[str, Any]) -> None:
        try:
            self._registry.validate(claims)
        except JoseError as error:
            raise InvalidToken from error
        if not self._is_audience(claims) or str(claims.get("sid")) in self._revoked:
            raise InvalidToken

    def _is_audience(self, claims: dict[str, Any]) -> bool:
        audience = claims.get("aud", [])
        return self._audience in ([audience] if isinstance(audience, str) else audience)


def _header_of(token: str) -> dict[str, Any]:
    """The unverified header: it only says which key to try."""
    with contextlib.suppress(JoseError, ValueError, UnicodeDecodeError):
        return dict(jws.extract_compact(token.encode()).headers())
    raise InvalidToken
