"""Envoy with nothing of ours: one route, no filter, log, trace or limit. What the data plane itself could do at most."""

import json

_TYPES = "type.googleapis.com/envoy.extensions.filters"


def bare(port: int, admin_port: int, upstream_port: int) -> str:
    """A bootstrap that proxies everything to one upstream."""
    manager = {
        "@type": f"{_TYPES}.network.http_connection_manager.v3.HttpConnectionManager",
        "stat_prefix": "bare",
        "route_config": {
            "virtual_hosts": [
                {
                    "name": "all",
                    "domains": ["*"],
                    "routes": [{"match": {"prefix": "/"}, "route": {"cluster": "upstream"}}],
                }
            ]
        },
        "http_filters": [
            {
                "name": "envoy.filters.http.router",
                "typed_config": {"@type": f"{_TYPES}.http.router.v3.Router"},
            }
        ],
    }
    listener = {
        "address": _socket(port),
        "filter_chains": [
            {"filters": [{"name": "envoy.filters.network.http_connection_manager", "typed_config": manager}]}
        ],
    }
    cluster = {
        "name": "upstream",
        "type": "STATIC",
        "load_assignment": {
            "cluster_name": "upstream",
            "endpoints": [{"lb_endpoints": [{"endpoint": {"address": _socket(upstream_port)}}]}],
        },
    }
    return json.dumps(
        {
            "admin": {"address": _socket(admin_port)},
            "static_resources": {"listeners": [listener], "clusters": [cluster]},
        }
    )


def _socket(port: int) -> dict[str, dict[str, object]]:
    return {"socket_address": {"address": "127.0.0.1", "port_value": port}}
