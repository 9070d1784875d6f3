from typing import Any

import httpx
from fastapi import FastAPI
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from service_common.telemetry import REQUEST_TELEMETRY, WithoutQuery


async def _spans_of(*addresses: str) -> list[dict[str, Any]]:
    kept = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(WithoutQuery())
    provider.add_span_processor(SimpleSpanProcessor(kept))
    app = FastAPI(telemetry={**REQUEST_TELEMETRY, "tracer_provider": provider})

    @app.get("/identity/{page}")
    async def show(page: str) -> str:
        return page

    transport = httpx.ASGITransport(app, client=("192.0.2.7", 4711))
    async with httpx.AsyncClient(transport=transport, base_url="http://host") as client:
        for address in addresses:
            await client.get(address)
    return [dict(span.attributes or {}) | {"name": span.name} for span in kept.get_finished_spans()]


async def test_a_span_tells_neither_query_nor_address() -> None:
    [span] = await _spans_of("/identity/authorize?login_hint=19900000001")
    assert (span["name"], span["url.path"]) == ("GET /identity/{page}", "/identity/authorize")
    assert "19900000001" not in str(span)
    assert "192.0.2.7" not in str(span)


async def test_probes_leave_no_span() -> None:
    assert await _spans_of("/health/live", "/metrics") == []
