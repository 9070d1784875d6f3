"""Headers that only the edge may set: removed from what arrives, before anything else looks at the request."""

from typing import Any

Json = dict[str, Any]

# Whole families: some framework, ours of tomorrow included, could believe one of them.
_FORGED_PREFIXES = (
    "x-user-",
    "x-caller-",
    "x-client-",
    "x-auth-",
    "x-internal-",
    "x-lianban-",
    "x-envoy-",
    "x-original-",
    "x-b3-",
)
_FORGED = (
    "forwarded",
    "x-real-ip",
    "x-rewrite-url",
    "x-http-method-override",
    "x-ot-span-context",
    "x-client-trace-id",
    "x-request-id",
)


def edge_only_headers_removed(*, behind_proxy: bool) -> Json:
    """The mutation of requests. Behind our own proxy ``X-Forwarded-For`` is its word and kept, otherwise it is forged."""
    forwarded = ("host", "port", "prefix", "proto", "scheme", "server", "uri", "user", "client-cert", "ssl")
    by_name = [*_FORGED, *(f"x-forwarded-{one}" for one in forwarded if not behind_proxy or one != "proto")]
    prefixes = _FORGED_PREFIXES if behind_proxy else (*_FORGED_PREFIXES, "x-forwarded-")
    mutations = [
        *(
            {"remove_on_match": {"key_matcher": {"prefix": prefix, "ignore_case": True}}}
            for prefix in prefixes
        ),
        *({"remove": name} for name in by_name),
    ]
    config = "envoy.extensions.http.early_header_mutation.header_mutation.v3.HeaderMutation"
    return {
        "name": "envoy.http.early_header_mutation.header_mutation",
        "typed_config": {"@type": f"type.googleapis.com/{config}", "mutations": mutations},
    }


def response_headers(*, secure: bool) -> list[Json]:
    """What every answer says to browsers, unless the service has said it more precisely."""
    headers = {"x-content-type-options": "nosniff", "referrer-policy": "strict-origin-when-cross-origin"}
    if secure:
        headers["strict-transport-security"] = "max-age=31536000"
    return [
        {"header": {"key": key, "value": value}, "append_action": "ADD_IF_ABSENT"}
        for key, value in headers.items()
    ]
