"""Envoy's clusters: how the edge connects to each service, and when it stops trying."""

import ipaddress
from typing import Any

from gateway_service.edge.options import Address, EdgeOptions

Json = dict[str, Any]

# Seconds an unused connection to a service is kept. uvicorn closes its side after 75: the edge must be the first, or it
# would send a request into a connection that is being closed, and could not tell whether it was read.
UPSTREAM_IDLE_SECONDS = 55

# Every address of the name is an endpoint; pods come and go within seconds.
_DNS = {
    "@type": "type.googleapis.com/envoy.extensions.clusters.dns.v3.DnsCluster",
    "dns_refresh_rate": "5s",
    "dns_lookup_family": "V4_PREFERRED",
}


def clusters(options: EdgeOptions) -> list[Json]:
    """One cluster per service, and the edge's own: admin, peers, traces."""
    rendered = [_service(name, address) for name, address in sorted(options.upstreams.items())]
    if options.status:
        rendered.append(_plain("admin", Address("127.0.0.1", options.admin_port)))
    if options.peers:
        rendered.append(_plain("edge", options.peers))
    if options.otlp:
        rendered.append(_plain("otlp", options.otlp))
    return rendered


def _plain(name: str, address: Address) -> Json:
    try:
        ipaddress.ip_address(address.host)
        discovery: Json = {"type": "STATIC"}
    except ValueError:
        discovery = {"cluster_type": {"name": "envoy.cluster.strict_dns", "typed_config": _DNS}}
    endpoint = {"address": {"socket_address": {"address": address.host, "port_value": address.port}}}
    return {
        "name": name,
        **discovery,
        "connect_timeout": "1s",
        "load_assignment": {
            "cluster_name": name,
            "endpoints": [{"lb_endpoints": [{"endpoint": endpoint}]}],
        },
    }


def _service(name: str, address: Address) -> Json:
    http = "type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions"
    return {
        **_plain(name, address),
        "lb_policy": "LEAST_REQUEST",
        "upstream_connection_options": {"tcp_keepalive": {}},
        "typed_extension_protocol_options": {
            "envoy.extensions.upstreams.http.v3.HttpProtocolOptions": {
                "@type": http,
                # uvicorn speaks HTTP/1.1 only.
                "explicit_http_config": {"http_protocol_options": {}},
                "common_http_protocol_options": {"idle_timeout": f"{UPSTREAM_IDLE_SECONDS}s"},
            }
        },
        "circuit_breakers": {
            "thresholds": [
                {
                    "max_connections": 256,
                    "max_pending_requests": 256,
                    "max_requests": 1024,
                    # Retries may add a fifth to the load, no more: they must not keep a struggling service down.
                    "retry_budget": {"budget_percent": {"value": 20}, "min_retry_concurrency": 5},
                }
            ]
        },
        # A pod that cannot be connected to, or that only ever answers 502–504, is left out for a while. With one
        # endpoint nobody is left out: then an honest 503 of the service is worth more than one of ours.
        "outlier_detection": {
            "split_external_local_origin_errors": True,
            "consecutive_local_origin_failure": 5,
            "consecutive_gateway_failure": 10,
            "consecutive_5xx": 0,
            "enforcing_success_rate": 0,
            "interval": "5s",
            "base_ejection_time": "10s",
            "max_ejection_percent": 50,
        },
    }
