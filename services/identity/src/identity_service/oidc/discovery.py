"""What the provider can do, told to clients (OpenID Connect Discovery 1.0, RFC 8414). Nothing that does not work."""

from typing import Any

from identity_service.oidc.client_authentication import CONFIDENTIAL_METHODS, METHODS
from identity_service.oidc.domain import ASSERTION_ALGORITHMS, LEVELS, PROMPTS
from identity_service.relying_parties.domain import GrantType
from identity_service.scopes import ScopeCatalogue
from identity_service.settings import Settings
from identity_service.signing.domain import ALGORITHM
from service_common import dpop


def provider_metadata(settings: Settings, catalogue: ScopeCatalogue) -> dict[str, Any]:
    """The metadata document."""
    issuer = settings.issuer
    return {
        "issuer": issuer,
        "authorization_endpoint": settings.authorization_endpoint,
        "token_endpoint": settings.token_endpoint,
        "pushed_authorization_request_endpoint": settings.pushed_request_endpoint,
        "require_pushed_authorization_requests": False,
        "device_authorization_endpoint": settings.device_authorization_endpoint,
        "jwks_uri": f"{issuer}/jwks",
        "userinfo_endpoint": f"{issuer}/userinfo",
        "introspection_endpoint": f"{issuer}/introspect",
        "revocation_endpoint": f"{issuer}/revoke",
        "end_session_endpoint": f"{issuer}/logout",
        "scopes_supported": sorted(catalogue.names),
        "response_types_supported": ["code"],
        "response_modes_supported": ["query"],
        "grant_types_supported": [str(one) for one in GrantType],
        "code_challenge_methods_supported": ["S256"],
        "subject_types_supported": ["public", "pairwise"],
        "id_token_signing_alg_values_supported": [ALGORITHM, *sorted(settings.further_id_token_algorithms)],
        "token_endpoint_auth_methods_supported": METHODS,
        "token_endpoint_auth_signing_alg_values_supported": ASSERTION_ALGORITHMS,
        "introspection_endpoint_auth_methods_supported": CONFIDENTIAL_METHODS,
        "introspection_endpoint_auth_signing_alg_values_supported": ASSERTION_ALGORITHMS,
        "revocation_endpoint_auth_methods_supported": METHODS,
        "revocation_endpoint_auth_signing_alg_values_supported": ASSERTION_ALGORITHMS,
        "dpop_signing_alg_values_supported": dpop.ALGORITHMS,
        "acr_values_supported": LEVELS,
        "claims_supported": [
            *("iss", "sub", "aud", "exp", "iat", "auth_time", "nonce", "acr", "amr", "sid", "at_hash"),
            *("name", "preferred_username", "phone_number", "phone_number_verified"),
        ],
        "prompt_values_supported": sorted(PROMPTS),
        "ui_locales_supported": ["zh-CN", "en"],
        "authorization_response_iss_parameter_supported": True,
        "backchannel_logout_supported": True,
        "backchannel_logout_session_supported": True,
        "frontchannel_logout_supported": True,
        "frontchannel_logout_session_supported": True,
        "claims_parameter_supported": True,
        "request_parameter_supported": False,
        "request_uri_parameter_supported": False,
    }
