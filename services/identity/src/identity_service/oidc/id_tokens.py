"""The ID tokens that come with a code and with a refresh (OpenID Connect Core §2), on Authlib's."""

from typing import Any

from authlib.oidc.core import OpenIDCode, OpenIDToken
from sqlalchemy.util.concurrency import await_

from identity_service.oidc.clients import OAuthClient
from identity_service.oidc.device import DeviceInHand
from identity_service.oidc.domain import Subject
from identity_service.oidc.grants import CodeInHand, S256Only
from identity_service.oidc.provider import ProviderRequest, Work
from identity_service.oidc.refresh import TokenInHand
from identity_service.oidc.subjects import subject_identifier
from identity_service.oidc.userinfo import personal_claims


class _IdToken(OpenIDToken):  # type: ignore[misc]  # Authlib ships no types
    """What ID tokens say; they are signed by our current key."""

    def __init__(self, work: Work) -> None:
        self._work = work

    @classmethod
    def extend(cls, grant: Any) -> None:
        """Registers itself with a grant, for the work that it is done in."""
        cls(grant.server.work)(grant)

    def get_client_algorithm(self, client: OAuthClient) -> str:
        return client.id_token_algorithm

    def get_encode_header(self, client: OAuthClient) -> dict[str, str]:
        return {"alg": client.id_token_algorithm, "kid": str(self.resolve_client_private_key(client).kid)}

    def resolve_client_private_key(self, client: OAuthClient) -> Any:
        return self._work.keys.signing_key(now=self._work.now, algorithm=client.id_token_algorithm)

    def get_client_claims(self, client: OAuthClient) -> dict[str, Any]:
        issued = int(self._work.now.timestamp())
        return {
            "iss": self._work.settings.issuer,
            "aud": client.client_id,
            "iat": issued,
            "exp": issued + self._work.settings.id_token_seconds,
        }

    def get_authorization_code_claims(self, authorization_code: CodeInHand) -> dict[str, Any]:
        nonce = authorization_code.get_nonce()
        return {"nonce": nonce} if nonce else {}

    def encode_id_token(self, token: dict[str, Any], request: ProviderRequest) -> str:
        self._request = request
        encoded: str = super().encode_id_token(token, request)
        return encoded

    def generate_user_info(self, user: Subject, scope: str) -> dict[str, Any]:  # noqa: ARG002 - Authlib's signature
        """The subject as this client knows it. Name and phone are for the userinfo endpoint, unless asked for here by name."""
        request = self._request
        in_hand: CodeInHand | TokenInHand | DeviceInHand = (
            request.authorization_code or request.refresh_token or request.credential
        )
        grant = in_hand.grant
        assert grant is not None
        named = (grant.claims or {}).get("id_token", [])
        told = await_(personal_claims(self._work, request.client, grant, named, purpose="id_token"))
        return told | {
            "sub": subject_identifier(self._work.ring, self._request.client, user.id),
            "auth_time": int(grant.authenticated_at.timestamp()),
            "acr": user.acr_among((grant.claims or {}).get("levels")),
            "amr": grant.methods,
            "sid": str(grant.id),
        }


class CodeIdToken(_IdToken, OpenIDCode):  # type: ignore[misc]  # Authlib ships no types
    """The ID token that comes with a code."""

    require_nonce = False

    def exists_nonce(self, nonce: str, request: ProviderRequest) -> bool:  # noqa: ARG002 - Authlib's signature
        """Never: a nonce is for the client to compare, and codes are used once here anyway."""
        return False


class RefreshIdToken(_IdToken):
    """The ID token that comes with a refresh: same subject and log-in time, no nonce (OpenID Connect Core §12.2)."""


class DeviceIdToken(_IdToken):
    """The ID token for a device that was let in. It sent no nonce; the code itself is bound to it."""


# As Authlib calls them: with each grant that it makes. They are made once.
CODE_EXTENSIONS = [S256Only(required=True), CodeIdToken.extend]
REFRESH_EXTENSIONS = [RefreshIdToken.extend]
DEVICE_EXTENSIONS = [DeviceIdToken.extend]
