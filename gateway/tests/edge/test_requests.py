"""What the edge does to requests and answers on their way."""

import asyncio
import json
from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from gateway_service.edge.options import Address

if TYPE_CHECKING:
    from gateway.tests.edge.conftest import Edge, EdgeStarter, Upstream

PRIVATE = "/acceptance/v1/cases/1"
FORGED = {
    "X-User-Id": "1",
    "x-user-roles": "operator",
    "X-Caller-Department": "1",
    "X-Edge-Subject": "1",
    "X-Edge-Kind": "client",
    "X-Edge-Client": "1",
    "X-Envoy-Retry-On": "5xx",
    "X-Envoy-Upstream-Rq-Timeout-Ms": "1",
    "X-Forwarded-Host": "evil.example",
    "X-Forwarded-Prefix": "/x",
    "X-Forwarded-User": "root",
    "X-Real-IP": "10.0.0.1",
    "Forwarded": "for=10.0.0.1",
    "X-Original-URL": "/identity/v1/profiles/1",
    "X-Http-Method-Override": "DELETE",
    "x_user_id": "1",
}


async def test_forged_headers_do_not_arrive(edge: "Edge") -> None:
    answer = await edge.http.get(PRIVATE, headers=edge.issuer.bearer() | FORGED)
    assert answer.status_code == 200
    arrived = {name.lower() for name, _ in edge.upstream.requests[0].headers}
    assert arrived & {name.lower() for name in FORGED} == {"x-edge-client"}
    assert edge.upstream.requests[0].all("x-edge-client") == ["demo-app"]  # the edge's own word
    assert not {name for name in arrived if name.startswith("x-envoy-")}


async def test_on_a_public_path_without_token_nothing_is_said_about_a_caller(edge: "Edge") -> None:
    await edge.http.get("/acceptance/v1/items", headers=FORGED)
    assert not {name for name, _ in edge.upstream.requests[0].headers if name.lower().startswith("x-edge")}


async def test_the_address_of_the_caller_is_the_peers_not_what_it_claims(edge: "Edge") -> None:
    forged = {"X-Forwarded-For": "10.1.2.3", "X-Forwarded-Proto": "https"}
    await edge.http.get(PRIVATE, headers=edge.issuer.bearer() | forged)
    seen = edge.upstream.requests[0]
    (address,) = seen.all("x-forwarded-for")  # Envoy writes a peer on loopback as the machine's own address
    assert "10.1.2.3" not in address
    assert "," not in address
    assert seen.all("x-forwarded-proto") == ["http"]


async def test_the_request_id_is_the_edges_own(edge: "Edge") -> None:
    answer = await edge.http.get(PRIVATE, headers=edge.issuer.bearer() | {"X-Request-Id": "mine"})
    assert edge.upstream.requests[0].all("x-request-id") == [answer.headers["x-request-id"]]
    assert answer.headers["x-request-id"] != "mine"


TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
THEIR_TRACE = {"traceparent": f"00-{TRACE}-00f067aa0ba902b7-01", "tracestate": "vendor=1"}


async def test_with_a_collector_a_trace_is_continued_or_begun_and_its_spans_are_sent(
    start_edge: "EdgeStarter", collector: "Upstream"
) -> None:
    async with start_edge(otlp=Address("127.0.0.1", collector.port), trace_ratio=1.0) as edge:
        await edge.http.get(PRIVATE, headers=edge.issuer.bearer() | THEIR_TRACE)
        answer = await edge.http.get(PRIVATE, headers=edge.issuer.bearer())
        continued, begun = [str(one.header("traceparent")) for one in edge.upstream.requests]
        assert continued.split("-")[1] == TRACE
        assert continued.split("-")[2] != "00f067aa0ba902b7"  # the edge's own span stands between
        assert len(begun.split("-")[1]) == 32
        assert begun.split("-")[1] != TRACE
        async with asyncio.timeout(
            90
        ):  # Envoy sends its spans every five seconds, and writes its log every one
            while not (sent := collector.to("/v1/traces")):
                await asyncio.sleep(0.1)
            while not (lines := edge.log_of(answer)):
                await asyncio.sleep(0.2)
        assert bytes.fromhex(TRACE) in sent[0].body
        assert lines[0]["trace_id"] == begun.split("-")[1]


async def test_without_a_collector_a_trace_passes_untouched_and_nothing_is_complained_of(
    start_edge: "EdgeStarter",
) -> None:
    async with start_edge(trace_ratio=1.0) as edge:
        await edge.http.get(PRIVATE, headers=edge.issuer.bearer() | THEIR_TRACE)
        await edge.http.get(PRIVATE, headers=edge.issuer.bearer())
        theirs, none = edge.upstream.requests
        assert {name: theirs.header(name) for name in THEIR_TRACE} == THEIR_TRACE
        assert none.header("traceparent") is None  # the service begins the trace
        await asyncio.sleep(6)  # an exporter of spans would have tried by now
        assert [line for line in edge.server.log.read_text().splitlines() if not line.startswith("{")] == []


@pytest.mark.parametrize(
    "path",
    [
        "/nothing/here",
        "/acceptance",
        "/acceptance/v2/items",
        "/acceptance/v1x",
        "/acceptancex/v1/items",
        "/health/ready",
        "/metrics",
        "/identity/v1/profiles/1",
        "/identity/v1/org/snapshot",
        "/identity/v1/x/../org/snapshot",
        "//identity/v1//org/snapshot",
        "/identity/v1/%6Frg/snapshot",
    ],
)
async def test_what_no_row_names_is_not_there(edge: "Edge", path: str) -> None:
    url = edge.http.base_url.copy_with(raw_path=path.encode())
    answer = await edge.http.get(url, headers=edge.issuer.bearer())
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
    assert edge.upstream.requests == []


async def test_an_escaped_slash_is_refused(edge: "Edge") -> None:
    url = edge.http.base_url.copy_with(raw_path=b"/acceptance/v1%2Fcases")
    answer = await edge.http.get(url, headers=edge.issuer.bearer())
    assert answer.status_code == 400
    assert answer.headers["content-type"] == "application/problem+json"
    assert edge.upstream.requests == []


async def test_a_needlessly_escaped_path_is_the_same_path(edge: "Edge") -> None:
    """Otherwise it would slip into a more general row, and be decoded by the service behind."""
    await edge.http.get(edge.http.base_url.copy_with(raw_path=b"/identity/%6Cogin"))
    assert edge.upstream.requests[0].path == "/identity/login"


async def test_chinese_in_a_path_is_welcome(edge: "Edge") -> None:
    answer = await edge.http.get("/acceptance/v1/items/便利店", headers=edge.issuer.bearer())
    assert answer.status_code == 200


async def test_a_services_own_405_passes_through(edge: "Edge") -> None:
    answer = await edge.http.put("/acceptance/v1/only-get", headers=edge.issuer.bearer())
    assert answer.status_code == 405
    assert answer.headers["allow"] == "GET"
    assert answer.json() == {"code": "method_not_allowed"}


async def test_a_body_larger_than_any_form_is_refused(edge: "Edge") -> None:
    answer = await edge.http.post(PRIVATE, headers=edge.issuer.bearer(), content=b"x" * (1024 * 1024 + 1))
    assert (answer.status_code, answer.json()["code"]) == (413, "content_too_large")
    assert edge.upstream.requests == []


async def test_a_body_without_length_is_bounded_too(edge: "Edge") -> None:
    async def endless() -> "object":
        for _ in range(40):
            yield b"x" * 65536

    answer = await edge.http.post(PRIVATE, headers=edge.issuer.bearer(), content=endless())  # type: ignore[arg-type]
    assert answer.status_code == 413
    assert edge.upstream.requests == []


async def test_an_upload_of_some_megabytes_passes_through(edge: "Edge") -> None:
    answer = await edge.http.post(
        "/acceptance/v1/files", headers=edge.issuer.bearer(), content=b"x" * (8 * 1024 * 1024)
    )
    assert answer.json()["length"] == 8 * 1024 * 1024


async def test_an_upload_that_announces_too_much_is_refused_at_once(edge: "Edge") -> None:
    head = (
        "POST /acceptance/v1/files HTTP/1.1\r\nHost: localhost\r\n"
        f"Authorization: Bearer {edge.issuer.token()}\r\nContent-Length: {1024**3}\r\n\r\n"
    )
    answer = await _raw(edge, head.encode(), enough=lambda answer: b"content_too_large" in answer)
    assert answer.startswith(b"HTTP/1.1 413")
    assert b"content_too_large" in answer


async def test_an_upload_must_say_its_length(edge: "Edge") -> None:
    async def chunks() -> "object":
        yield b"x"

    answer = await edge.http.post("/acceptance/v1/files", headers=edge.issuer.bearer(), content=chunks())  # type: ignore[arg-type]
    assert (answer.status_code, answer.json()["code"]) == (411, "length_required")


async def test_http2_is_spoken_without_tls(edge: "Edge") -> None:
    settings_frame_type = 4
    greeting = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\x00\x00\x00\x04\x00\x00\x00\x00\x00"
    answer = await _raw(edge, greeting, enough=lambda answer: len(answer) > 3)
    assert answer[3] == settings_frame_type


async def test_a_preflight_of_the_app_needs_no_token(edge: "Edge") -> None:
    asked = {
        "Origin": "http://localhost:5173",
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "authorization,idempotency-key",
    }
    answer = await edge.http.options(PRIVATE, headers=asked)
    assert answer.status_code == 200
    assert answer.headers["access-control-allow-origin"] == "http://localhost:5173"
    assert "idempotency-key" in answer.headers["access-control-allow-headers"]
    assert "access-control-allow-credentials" not in answer.headers
    assert edge.upstream.requests == []


async def test_the_edges_refusals_are_readable_for_the_app(edge: "Edge") -> None:
    answer = await edge.http.get(PRIVATE, headers={"Origin": "http://localhost:5173"})
    assert answer.status_code == 401
    assert answer.headers["access-control-allow-origin"] == "http://localhost:5173"


async def test_a_foreign_page_gets_no_permission(edge: "Edge") -> None:
    asked = {"Origin": "https://evil.example", "Access-Control-Request-Method": "POST"}
    answer = await edge.http.options(PRIVATE, headers=asked)
    assert "access-control-allow-origin" not in answer.headers


async def test_a_long_answer_is_compressed_but_a_versioned_one_keeps_its_etag(edge: "Edge") -> None:
    asked = edge.issuer.bearer() | {"Accept-Encoding": "gzip"}
    plain = await edge.http.get("/acceptance/v1/long", headers=asked)
    versioned = await edge.http.get("/acceptance/v1/long-versioned", headers=asked)
    assert plain.headers["content-encoding"] == "gzip"
    assert "content-encoding" not in versioned.headers
    assert versioned.headers["etag"] == '"7"'


async def test_answers_say_nosniff_and_hide_the_server(edge: "Edge") -> None:
    answer = await edge.http.get(PRIVATE, headers=edge.issuer.bearer())
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert "server" not in answer.headers
    assert not [name for name in answer.headers if name.startswith("x-envoy")]


async def test_the_log_has_ids_and_no_personal_data(edge: "Edge") -> None:
    subject = "0190aaaa-0000-7000-8000-000000000001"
    answer = await edge.http.get(
        PRIVATE, params={"phone": "19900001234"}, headers=edge.issuer.bearer(sub=subject)
    )
    async with asyncio.timeout(60):  # Envoy writes its log every second
        while not (lines := edge.log_of(answer)):
            await asyncio.sleep(0.2)
    (line,) = lines
    assert (line["method"], line["path"], line["status"], line["upstream"]) == (
        "GET",
        PRIVATE,
        200,
        "acceptance",
    )
    assert line["client_id"] == "demo-app"
    text = json.dumps(line)
    assert "19900001234" not in text
    assert subject not in text
    assert "127.0.0.1" not in text


async def _raw(edge: "Edge", request: bytes, *, enough: Callable[[bytes], bool]) -> bytes:
    """Sends bytes as they are and returns what comes back, up to its end or as much as is enough. Raises: TimeoutError."""
    reader, writer = await asyncio.open_connection("127.0.0.1", edge.server.port)
    writer.write(request)
    answer = b""
    async with asyncio.timeout(30):
        while not enough(answer) and (part := await reader.read(65536)):
            answer += part
    writer.close()
    return answer
