"""Renders the edge: Envoy's whole bootstrap configuration, static, from the route table and one set of options."""

from typing import Any

import yaml

from gateway_service.edge import problems
from gateway_service.edge.access_log import access_log
from gateway_service.edge.clusters import clusters
from gateway_service.edge.headers import edge_only_headers_removed, response_headers
from gateway_service.edge.options import Address, EdgeOptions
from gateway_service.edge.rate_limits import rate_limit_filter, standard_names
from gateway_service.edge.routes import MIB
from gateway_service.edge.tokens import KIND_HEADER, SUBJECT_HEADER, token_filter
from gateway_service.edge.virtual_host import virtual_host

Json = dict[str, Any]

_MOST_CONNECTIONS = 20_000
# An empty list would mean "loopback and private networks".
_NO_ADDRESS = {"address_prefix": "255.255.255.255", "prefix_len": 32}


def render(options: EdgeOptions) -> str:
    """The bootstrap as YAML."""
    return yaml.safe_dump(bootstrap(options), sort_keys=False, allow_unicode=True, width=110)


def bootstrap(options: EdgeOptions) -> Json:
    """The bootstrap as a document."""
    listeners = [_listener("edge", options.listen, _origin(options), options)]
    if options.status:
        listeners.append(_listener("status", options.status, _status(), None))
    document: Json = {
        "node": {"id": "edge", "cluster": "edge"},
        # On loopback: whoever reaches it can stop Envoy.
        "admin": {"address": _socket(Address("127.0.0.1", options.admin_port))},
        "static_resources": {"listeners": listeners, "clusters": clusters(options)},
        "overload_manager": _overload(),
        # One expression over forged headers instead of thirty comparisons; Envoy's bound on its size is meant for strangers'.
        "layered_runtime": {
            "layers": [{"name": "static", "static_layer": {"re2.max_program_size.error_level": 400}}]
        },
    }
    if options.peers:
        document["cluster_manager"] = {"local_cluster_name": "edge"}
    return document


def _socket(address: Address) -> Json:
    return {"socket_address": {"address": address.host, "port_value": address.port}}


def _listener(name: str, address: Address, manager: Json, options: EdgeOptions | None) -> Json:
    chain: Json = {
        "filters": [{"name": "envoy.filters.network.http_connection_manager", "typed_config": manager}]
    }
    if options and options.tls:
        chain["transport_socket"] = _tls(options)
    return {
        "name": name,
        "address": _socket(address),
        "per_connection_buffer_limit_bytes": 64 * 1024,
        "filter_chains": [chain],
    }


def _tls(options: EdgeOptions) -> Json:
    assert options.tls
    return {
        "name": "envoy.transport_sockets.tls",
        "typed_config": {
            "@type": "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext",
            "common_tls_context": {
                "alpn_protocols": ["h2", "http/1.1"],
                "tls_params": {"tls_minimum_protocol_version": "TLSv1_2"},
                "tls_certificates": [
                    {
                        "certificate_chain": {"filename": str(options.tls.certificate)},
                        "private_key": {"filename": str(options.tls.private_key)},
                    }
                ],
            },
        },
    }


def _manager(name: str, routes: Json, filters: list[Json]) -> Json:
    router = "type.googleapis.com/envoy.extensions.filters.http.router.v3.Router"
    manager = "envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager"
    return {
        "@type": f"type.googleapis.com/{manager}",
        "stat_prefix": name,
        "codec_type": "AUTO",  # HTTP/1.1, and HTTP/2 by ALPN or prior knowledge
        "route_config": routes,
        "http_filters": [
            *filters,
            {
                "name": "envoy.filters.http.router",
                "typed_config": {"@type": router, "suppress_envoy_headers": True},
            },
        ],
    }


def _origin(options: EdgeOptions) -> Json:
    routes: Json = {
        "name": "edge",
        "virtual_hosts": [virtual_host(options)],
        "response_headers_to_add": response_headers(secure=options.issuer.startswith("https:")),
        "response_headers_to_remove": ["server"],
        # What only the edge needed; and the caller's address once more, under a name that is nobody's standard.
        "request_headers_to_remove": [SUBJECT_HEADER, KIND_HEADER, "x-envoy-external-address"],
    }
    # Envoy's tracer insists on a collector. Without one a trace passes through untouched, or begins at the service: a span
    # that nobody receives would only leave the service's an orphan.
    tracing = {"tracing": _tracing(options, options.otlp)} if options.otlp else {}
    return {
        **_manager("edge", routes, _filters(options)),
        # Who calls: the connection's peer, or what our own proxies in front of us say. Nobody is "internal", so nobody's
        # `x-envoy-…` headers are obeyed.
        "use_remote_address": True,
        "xff_num_trusted_hops": options.trusted_hops,
        "internal_address_config": {"cidr_ranges": [_NO_ADDRESS]},
        "early_header_mutation_extensions": [
            edge_only_headers_removed(behind_proxy=options.trusted_hops > 0)
        ],
        # The row is chosen by the path that the service will see: dots resolved, needless escapes undone (RFC 3986 §6.2.2).
        "normalize_path": True,
        "merge_slashes": True,
        "path_with_escaped_slashes_action": "REJECT_REQUEST",
        "common_http_protocol_options": {
            "idle_timeout": "120s",
            "headers_with_underscores_action": "DROP_HEADER",  # `x_user_id` reads as `x-user-id` in some frameworks
            "max_headers_count": 100,
        },
        "http2_protocol_options": {
            "max_concurrent_streams": 100,
            "initial_stream_window_size": 256 * 1024,
            "initial_connection_window_size": MIB,
        },
        "request_headers_timeout": "10s",
        "request_timeout": "300s",  # fifty megabytes over a bad mobile connection
        "stream_idle_timeout": "75s",
        "always_set_request_id_in_response": True,
        "server_header_transformation": "PASS_THROUGH",
        "local_reply_config": problems.local_reply_config(),
        "access_log": [access_log()],
        **tracing,
    }


def _filters(options: EdgeOptions) -> list[Json]:
    cors = "type.googleapis.com/envoy.extensions.filters.http.cors.v3.Cors"
    buffer = "type.googleapis.com/envoy.extensions.filters.http.buffer.v3.Buffer"
    return [
        standard_names(),
        {"name": "envoy.filters.http.cors", "typed_config": {"@type": cors}},
        _compressor(),
        token_filter(options.issuer),
        rate_limit_filter(options.limits, shared=options.peers is not None),
        {
            "name": "envoy.filters.http.buffer",
            "typed_config": {"@type": buffer, "max_request_bytes": MIB},
        },
    ]


def _compressor() -> Json:
    compressor = "type.googleapis.com/envoy.extensions.filters.http.compressor.v3.Compressor"
    gzip = "type.googleapis.com/envoy.extensions.compression.gzip.compressor.v3.Gzip"
    return {
        "name": "envoy.filters.http.compressor",
        "typed_config": {
            "@type": compressor,
            "response_direction_config": {
                "common_config": {
                    "min_content_length": 4096,
                    "content_type_matcher": [
                        {"prefix": kind} for kind in ("application/json", "application/javascript", "text/")
                    ],
                },
                # A version that a client will send back in If-Match must stay the strong one that it is.
                "disable_on_etag_header": True,
            },
            "compressor_library": {
                "name": "gzip",
                "typed_config": {"@type": gzip, "compression_level": "COMPRESSION_LEVEL_3"},
            },
        },
    }


def _tracing(options: EdgeOptions, collector: Address) -> Json:
    """W3C trace context: a request's own is continued, otherwise one begins here."""
    config: Json = {
        "@type": "type.googleapis.com/envoy.config.trace.v3.OpenTelemetryConfig",
        "service_name": "edge",
        "http_service": {
            "http_uri": {
                "uri": f"http://{collector.host}:{collector.port}/v1/traces",
                "cluster": "otlp",
                "timeout": "2s",
            }
        },
    }
    return {
        "random_sampling": {"value": options.trace_ratio * 100},
        "provider": {"name": "envoy.tracers.opentelemetry", "typed_config": config},
    }


def _status() -> Json:
    routes = [
        {"match": {"path": path}, "route": {"cluster": "admin"}} for path in ("/ready", "/stats/prometheus")
    ]
    return _manager(
        "status",
        {"name": "status", "virtual_hosts": [{"name": "status", "domains": ["*"], "routes": routes}]},
        [],
    )


def _overload() -> Json:
    monitor = "envoy.extensions.resource_monitors.downstream_connections.v3.DownstreamConnectionsConfig"
    return {
        "resource_monitors": [
            {
                "name": "envoy.resource_monitors.global_downstream_max_connections",
                "typed_config": {
                    "@type": f"type.googleapis.com/{monitor}",
                    "max_active_downstream_connections": _MOST_CONNECTIONS,
                },
            }
        ]
    }
