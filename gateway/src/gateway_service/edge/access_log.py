"""One JSON line per request: ids and figures. No query string, no address, no subject of a token: those are people's."""

from typing import Any

from gateway_service.edge.tokens import CLIENT_HEADER

Json = dict[str, Any]


def access_log() -> Json:
    """The log on standard output."""
    stream = "type.googleapis.com/envoy.extensions.access_loggers.stream.v3.StdoutAccessLog"
    line = {
        "at": "%START_TIME%",
        "service": "edge",
        "event": "request",
        "method": "%REQ(:METHOD)%",
        "path": "%PATH(NQ)%",
        "route": "%ROUTE_NAME%",
        "protocol": "%PROTOCOL%",
        "status": "%RESPONSE_CODE%",
        "details": "%RESPONSE_CODE_DETAILS%",
        "flags": "%RESPONSE_FLAGS%",
        "milliseconds": "%DURATION%",
        "upstream": "%UPSTREAM_CLUSTER%",
        "upstream_tries": "%UPSTREAM_REQUEST_ATTEMPT_COUNT%",
        "bytes_in": "%BYTES_RECEIVED%",
        "bytes_out": "%BYTES_SENT%",
        "client_id": f"%REQ({CLIENT_HEADER})%",
        "request_id": "%REQ(X-REQUEST-ID)%",
        "trace_id": "%TRACE_ID%",
    }
    return {
        "name": "envoy.access_loggers.stdout",
        "typed_config": {
            "@type": stream,
            "log_format": {"json_format": line, "omit_empty_values": True},
        },
    }
