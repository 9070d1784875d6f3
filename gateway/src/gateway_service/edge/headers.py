"""Headers that only the edge may set: removed from what arrives, before anything else looks at the request."""

from typing import Any

Json = dict[str, Any]

# Whole families: some framework, ours of tomorrow included, could believe one of them.
_FORGED_FAMILIES = (
    "user",
    "caller",
    "client",
    "auth",
    "edge",
    "internal",
    "lianban",
    "envoy",
    "original",
    "b3",
)
_FORGED = (
    "forwarded",
    "x-real-ip",
    "x-rewrite-url",
    "x-http-method-override",
    "x-ot-span-context",
    "x-request-id",
)
# Behind our own proxy `x-forwarded-for` and `-proto` are its word, and Envoy reads them; the rest of the family is forged.
_FORGED_BEHIND_PROXY = ("host", "port", "prefix", "scheme", "server", "uri", "user", "client-cert", "ssl")


def edge_only_headers_removed(*, behind_proxy: bool) -> Json:
    """The mutation of requests: one expression over each header's name, for it runs on every request."""
    families = "|".join((*_FORGED_FAMILIES, *(() if behind_proxy else ("forwarded",))))
    others = (f"x-forwarded-{one}" for one in _FORGED_BEHIND_PROXY if behind_proxy)
    names = "|".join((*_FORGED, *others))
    forged = {"safe_regex": {"regex": f"x-({families})-.*|{names}"}}
    config = "envoy.extensions.http.early_header_mutation.header_mutation.v3.HeaderMutation"
    return {
        "name": "envoy.http.early_header_mutation.header_mutation",
        "typed_config": {
            "@type": f"type.googleapis.com/{config}",
            "mutations": [{"remove_on_match": {"key_matcher": forged}}],
        },
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
