"""How Envoy checks access tokens: identity's keys, issuer and expiry. Audience and scopes are the services' to check."""

from typing import Any

from gateway_service.edge.routes import Entry

Json = dict[str, Any]

FILTER = "envoy.filters.http.jwt_authn"
FAILURE_METADATA = "failure"

# Verified claims that the edge itself needs, in headers that it alone sets: `payload_in_metadata` would copy all claims of
# each request for three of them. The person's do not travel on to the services: those read the token.
SUBJECT_HEADER = "x-edge-subject"
KIND_HEADER = "x-edge-kind"
CLIENT_HEADER = "x-edge-client"

# Seconds between two fetches of the keys, by one thread of each Envoy, whatever tokens arrive. Envoy (1.40) has no
# fetch on an unknown `kid`: this period is both the bound on fetches and the time after which a new key is known, so
# identity publishes a key at least this long before signing with it. A failed fetch leaves the last keys in use.
KEYS_PERIOD_SECONDS = 10
_CLOCK_SKEW_SECONDS = 5
# Any case will do (RFC 9110 §11.1), but Envoy compares bytes: as the standards write them, and as clients do that lower everything.
_SCHEMES = ("Bearer", "DPoP", "bearer", "dpop")
# Verified tokens remembered per worker thread: five minutes of that many signed-in people.
_CACHED_TOKENS = 20_000


def token_filter(issuer: str) -> Json:
    """The ``jwt_authn`` filter. Which requirement applies is said by each route."""
    provider = {
        "issuer": issuer,
        "remote_jwks": {
            # The authority is only the Host header of the fetch; the cluster says where it goes.
            "http_uri": {"uri": "http://identity/identity/jwks", "cluster": "identity", "timeout": "2s"},
            "cache_duration": f"{KEYS_PERIOD_SECONDS}s",
            # Serve public paths at once even if identity starts after the edge.
            "async_fetch": {"fast_listener": True, "failed_refetch_duration": "1s"},
        },
        "from_headers": [{"name": "Authorization", "value_prefix": f"{scheme} "} for scheme in _SCHEMES],
        "forward": True,
        "require_expiration": True,
        "clock_skew_seconds": _CLOCK_SKEW_SECONDS,
        "jwt_cache_config": {"jwt_cache_size": _CACHED_TOKENS},
        "claim_to_headers": [
            {"header_name": SUBJECT_HEADER, "claim_name": "sub"},
            {"header_name": KIND_HEADER, "claim_name": "subject_type"},
            {"header_name": CLIENT_HEADER, "claim_name": "client_id"},
        ],
        "failed_status_in_metadata": FAILURE_METADATA,
    }
    return {
        "name": FILTER,
        "typed_config": {
            "@type": "type.googleapis.com/envoy.extensions.filters.http.jwt_authn.v3.JwtAuthentication",
            "providers": {"identity": provider},
            "requirement_map": {
                Entry.TOKEN.value: {"provider_name": "identity"},
                Entry.PUBLIC.value: {
                    "requires_any": {"requirements": [{"provider_name": "identity"}, {"allow_missing": {}}]}
                },
            },
            "bypass_cors_preflight": True,
        },
    }


def entry_of_route(entry: Entry) -> Json:
    """What one route asks of the token."""
    asked: Json = {"disabled": True} if entry is Entry.PROTOCOL else {"requirement_name": entry.value}
    return {
        "@type": "type.googleapis.com/envoy.extensions.filters.http.jwt_authn.v3.PerRouteConfig",
        **asked,
    }
