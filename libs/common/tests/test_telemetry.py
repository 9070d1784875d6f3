from opentelemetry.sdk.trace import ReadableSpan, TracerProvider

from service_common.telemetry import keep_people_out


def test_a_span_tells_neither_query_nor_address() -> None:
    span = TracerProvider().get_tracer("test").start_span("request")
    span.set_attribute("http.url", "http://host/identity/authorize?login_hint=19900000001")
    span.set_attribute("http.target", "/identity/authorize?login_hint=19900000001")
    span.set_attribute("net.peer.ip", "192.0.2.7")
    keep_people_out(span, {"headers": [(b"host", b"host")], "scheme": "http", "path": "/identity/authorize"})
    assert isinstance(span, ReadableSpan)
    told = str(dict(span.attributes or {}))
    assert "19900000001" not in told
    assert "192.0.2.7" not in told
    assert "http://host/identity/authorize" in told
