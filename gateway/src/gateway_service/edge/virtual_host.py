"""The route table as Envoy's virtual host."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import Any

from gateway_service.edge.options import EdgeOptions
from gateway_service.edge.rate_limits import class_of_route
from gateway_service.edge.routes import INTERNAL_PATHS, READING, Route
from gateway_service.edge.tokens import FILTER as TOKEN_FILTER
from gateway_service.edge.tokens import entry_of_route

Json = dict[str, Any]

_BUFFER_FILTER = "envoy.filters.http.buffer"
_LENGTH_END = 1 << 62
_WITHOUT_LENGTH: Json = {"name": "content-length", "present_match": False}

# Nothing has reached the service in these cases, so any method may be tried again: the connection was refused, or it broke
# before the first byte of the request was written.
NOTHING_SENT = "connect-failure,refused-stream,reset-before-request"
# A reading request may be repeated whatever happened to it.
READING_AGAIN = "connect-failure,refused-stream,reset,retriable-status-codes"


def virtual_host(options: EdgeOptions) -> Json:
    """All rows, in the order of the table below each first segment; what fits none is answered 404."""
    return {
        "name": "lianban",
        "domains": ["*"],
        "matcher": _by_first_segment(options.routes),
        "typed_per_filter_config": {"envoy.filters.http.cors": _cors(options)},
    }


def _by_first_segment(routes: Iterable[Route]) -> Json:
    """One look-up by the longest prefix, then a short list: tried one after another, they cost about 5 µs more."""
    rows: dict[str, list[Json]] = defaultdict(list)
    for path in INTERNAL_PATHS:
        rows[_first_segment(path)].append(_refused({"path_separated_prefix": path}, 404))
    for route in routes:
        rows[_first_segment(route.path)].extend(_rows(route))
    path_of_request = {
        "name": "path",
        "typed_config": {
            "@type": "type.googleapis.com/envoy.type.matcher.v3.HttpRequestHeaderMatchInput",
            "header_name": ":path",
        },
    }
    by_prefix = {first: _routes(listed) for first, listed in rows.items()}
    return {"matcher_tree": {"input": path_of_request, "prefix_match_map": {"map": by_prefix}}}


def _first_segment(path: str) -> str:
    """``/identity`` of ``/identity/v1/me``. Raises: ValueError when a row would have to stand in several lists."""
    first = "/" + path.split("/")[1]
    if "{}" in first:
        raise ValueError(f"a row must begin with a fixed segment: {path}")
    return first


def _routes(listed: list[Json]) -> Json:
    routes = {"@type": "type.googleapis.com/envoy.config.route.v3.RouteList", "routes": listed}
    return {"action": {"name": "routes", "typed_config": routes}}


def _rows(route: Route) -> Iterator[Json]:
    """A row becomes two of Envoy's, for what may be repeated and what may not, after its refusals by length."""
    methods = sorted(route.methods) if route.methods else None
    if route.streamed:
        yield _refused(_match(route, methods, _WITHOUT_LENGTH), 411)
        yield _refused(_match(route, methods, _longer_than(route.body_limit)), 413)
    reading = [one for one in methods if one in READING] if methods else sorted(READING)
    if route.retried and reading:
        yield _row(route, reading, READING_AGAIN)
    others = [one for one in methods if one not in READING] if methods else None
    if others is None or others or not route.retried:
        yield _row(route, others or methods, NOTHING_SENT)


def _refused(match: Json, status: int) -> Json:
    # Refused on sight: the body is not waited for.
    return {
        "match": match,
        "direct_response": {"status": status},
        "typed_per_filter_config": {_BUFFER_FILTER: _buffer(None)},
    }


def _longer_than(limit: int) -> Json:
    return {"name": "content-length", "range_match": {"start": limit + 1, "end": _LENGTH_END}}


def _row(route: Route, methods: list[str] | None, retry_on: str) -> Json:
    return {
        "name": route.path,
        "match": _match(route, methods),
        "route": {
            "cluster": route.upstream,
            "timeout": f"{route.timeout_seconds}s",
            "retry_policy": _retries(retry_on),
        },
        "metadata": class_of_route(route.rate_class),
        "typed_per_filter_config": {
            TOKEN_FILTER: entry_of_route(route.entry),
            _BUFFER_FILTER: _buffer(None if route.streamed else route.body_limit),
        },
    }


def _match(route: Route, methods: list[str] | None, *conditions: Json) -> Json:
    if route.is_template:
        match: Json = {"safe_regex": {"regex": route.pattern}}
    elif route.exact:
        match = {"path": route.path}
    else:
        match = {"path_separated_prefix": route.path}
    if methods:
        one_of: Json = (
            {"safe_regex": {"regex": "|".join(methods)}} if len(methods) > 1 else {"exact": methods[0]}
        )
        conditions = ({"name": ":method", "string_match": one_of}, *conditions)
    return match | ({"headers": list(conditions)} if conditions else {})


def _retries(retry_on: str) -> Json:
    previous = "type.googleapis.com/envoy.extensions.retry.host.previous_hosts.v3.PreviousHostsPredicate"
    return {
        "retry_on": retry_on,
        "retriable_status_codes": [503],
        "num_retries": 3,
        "retry_back_off": {"base_interval": "0.1s", "max_interval": "1s"},
        "retry_host_predicate": [
            {"name": "envoy.retry_host_predicates.previous_hosts", "typed_config": {"@type": previous}}
        ],
        "host_selection_retry_max_attempts": 3,
    }


def _buffer(limit: int | None) -> Json:
    bound: Json = {"buffer": {"max_request_bytes": limit}} if limit else {"disabled": True}
    return {"@type": "type.googleapis.com/envoy.extensions.filters.http.buffer.v3.BufferPerRoute", **bound}


def _cors(options: EdgeOptions) -> Json:
    return {
        "@type": "type.googleapis.com/envoy.extensions.filters.http.cors.v3.CorsPolicy",
        "allow_origin_string_match": [{"safe_regex": {"regex": one}} for one in options.allowed_origins],
        "allow_methods": "GET, HEAD, POST, PUT, PATCH, DELETE",
        "allow_headers": "authorization, content-type, accept-language, idempotency-key, if-match, if-none-match, "
        "dpop, traceparent",
        "expose_headers": "etag, location, link, retry-after, ratelimit-limit, ratelimit-remaining, ratelimit-reset, "
        "www-authenticate, dpop-nonce, x-request-id, api-version, deprecation, sunset",
        "max_age": "600",
        # Tokens travel in a header; cookies are for the login page alone, which is never called across origins.
        "allow_credentials": False,
    }
