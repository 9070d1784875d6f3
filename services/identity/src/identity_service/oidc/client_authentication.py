"""How clients prove themselves at the token endpoint: by Authlib, with the assertion's claims held to our rules."""

from datetime import UTC, datetime
from typing import Any

from authlib.oauth2.rfc6749 import InvalidClientError
from authlib.oauth2.rfc7523 import JWTBearerClientAssertion
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet
from joserfc.jws import JWSRegistry
from sqlalchemy.util.concurrency import await_

from identity_service.oidc.assertions import ShownAssertion
from identity_service.oidc.clients import OAuthClient
from identity_service.oidc.domain import ASSERTION_ALGORITHMS, HIGH_TRUST_ALGORITHMS
from identity_service.oidc.provider import Provider

PRIVATE_KEY_JWT = "private_key_jwt"
METHODS = [PRIVATE_KEY_JWT, "client_secret_basic", "client_secret_post", "none"]
CONFIDENTIAL_METHODS = METHODS[:-1]

# Replays are remembered until an assertion expires: one that is good for a year would have to be remembered as long.
_LONGEST_LIFE_SECONDS = 3600
_LEEWAY_SECONDS = 30
_LONGEST_JTI = 500


# What a header says that we do not know is not for us (RFC 7515 §4), unless it stands in ``crit``.
_ANY_CLIENT = JWSRegistry(algorithms=ASSERTION_ALGORITHMS, strict_check_header=False)
_HIGH_TRUST = JWSRegistry(algorithms=HIGH_TRUST_ALGORITHMS, strict_check_header=False)


class KeyAssertion(JWTBearerClientAssertion):  # type: ignore[misc]  # Authlib ships no types
    """``private_key_jwt`` (RFC 7523 §2.2): signed, for us, short-lived, and accepted once."""

    CLIENT_AUTH_METHOD = PRIVATE_KEY_JWT

    def __init__(self, provider: Provider) -> None:
        super().__init__(leeway=_LEEWAY_SECONDS)
        self._work = provider.work

    def get_audiences(self) -> list[str]:
        """Our issuer; and the token endpoint, which RFC 7523 §3 names too, but not for a client of high trust."""
        issuer = self._work.settings.issuer
        return [issuer] if self._client.is_high_trust else [issuer, self._work.settings.token_endpoint]

    def resolve_client_public_key(self, client: OAuthClient) -> KeySet:
        self._client = client
        return client.key_set

    def extract_assertion(self, assertion: str) -> tuple[dict[str, Any], dict[str, Any]]:
        try:
            headers, claims = super().extract_assertion(assertion)
        except (ValueError, RecursionError) as error:
            raise InvalidClientError(description="Invalid JWT assertion.", status_code=401) from error
        return headers, claims

    def process_assertion_claims(self, assertion: str, resolve_key: KeySet) -> dict[str, Any]:  # noqa: ARG002 - Authlib's signature
        try:
            registry = _HIGH_TRUST if self._client.is_high_trust else _ANY_CLIENT
            token = jwt.decode(assertion, self._client.choose_key, registry=registry)
        except (JoseError, ValueError) as error:
            raise InvalidClientError(
                description="The assertion's signature is not valid.", status_code=401
            ) from error
        self.verify_claims(token.claims)
        return token.claims

    def verify_claims(self, claims: dict[str, Any]) -> None:
        """Raises: InvalidClientError. Lifetime first: what is not to be remembered is not looked at."""
        try:
            life = float(claims["exp"]) - self._work.now.timestamp()
        except (KeyError, TypeError, ValueError, OverflowError) as error:
            raise InvalidClientError(description="The assertion has no exp.", status_code=401) from error
        # Said this way round, for "not a number" is neither shorter nor longer.
        short_enough = life <= _LONGEST_LIFE_SECONDS + _LEEWAY_SECONDS
        if not short_enough or not isinstance(claims.get("jti"), str) or len(claims["jti"]) > _LONGEST_JTI:
            raise InvalidClientError(
                description="The assertion lives too long, or has no jti.", status_code=401
            )
        # FAPI 2.0 §5.3.2.1: the issuer as a string, so that no assertion is good for two servers.
        if self._client.is_high_trust and claims.get("aud") != self._work.settings.issuer:
            raise InvalidClientError(description="The assertion is not for this issuer.", status_code=401)
        try:
            super().verify_claims(claims)
        except InvalidClientError as error:
            error.status_code = 401
            raise

    def validate_jti(self, claims: dict[str, Any], jti: str) -> bool:
        """Whether it is shown for the first time. From here on it is used up, but for a request that ends in an error of ours."""
        work, expires = self._work, float(claims["exp"])
        shown = ShownAssertion(
            client_id=str(claims["sub"]),
            jti_hash=work.ring.blind_index(jti, column="used_assertions.jti_hash"),
            expires_at=datetime.fromtimestamp(expires + _LEEWAY_SECONDS, UTC),
        )
        return await_(work.assertions.is_first_use(shown, held=work.held_session))
