"""Traces and metrics by OpenTelemetry: spans to a collector or a file, metrics on ``/metrics``."""

import json
from collections.abc import MutableMapping, Sequence
from pathlib import Path
from typing import Any

from fastapi.telemetry import TelemetryConfig
from opentelemetry import metrics, propagate, trace
from opentelemetry.context import Context
from opentelemetry.exporter.prometheus import PrometheusMetricReader
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, Span, SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult
from opentelemetry.sdk.trace.sampling import ParentBased, TraceIdRatioBased

from service_common.settings import ServiceSettings

tracer = trace.get_tracer("lianban")
meter = metrics.get_meter("lianban")


class JsonLinesSpanExporter(SpanExporter):
    """Appends spans to a file, one JSON object a line: traces without a collector."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        lines = [json.dumps(json.loads(span.to_json(indent=None)), ensure_ascii=False) for span in spans]
        with self._path.open("a", encoding="utf-8") as file:
            file.write("\n".join(lines) + "\n")
        return SpanExportResult.SUCCESS


class WithoutQuery(SpanProcessor):
    """Takes the query out of server spans: a log-in hint or a search may stand in it."""

    def on_start(self, span: Span, parent_context: Context | None = None) -> None:  # noqa: ARG002 - as the SDK calls it
        if "url.query" in (span.attributes or {}):
            span.set_attribute("url.query", "REDACTED")


def is_watched_elsewhere(scope: MutableMapping[str, Any]) -> bool:
    """Probes and scrapes: they come every few seconds and tell nothing of people's requests."""
    path: str = scope["path"]
    return path.startswith("/health/") or path == "/metrics"


# Of FastAPI's own instrumentation: one span and one duration for each request. Its logs would hold what people sent us, and
# a span for each dependency says less than it costs.
REQUEST_TELEMETRY = TelemetryConfig(operation_spans=False, logs=False, exclude=is_watched_elsewhere)


def configure_telemetry(service: str, settings: ServiceSettings) -> None:
    """Installs the process-wide providers. Call once, before the first span."""
    resource = Resource.create({"service.name": service})
    provider = TracerProvider(
        resource=resource, sampler=ParentBased(TraceIdRatioBased(settings.trace_sample_ratio))
    )
    provider.add_span_processor(WithoutQuery())
    if settings.otlp_endpoint:
        # Here, because a process without a collector can spare itself protobuf and requests.
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter  # noqa: PLC0415

        provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(endpoint=settings.otlp_endpoint)))
    if settings.traces_file:
        provider.add_span_processor(BatchSpanProcessor(JsonLinesSpanExporter(settings.traces_file)))
    trace.set_tracer_provider(provider)
    metrics.set_meter_provider(MeterProvider(resource=resource, metric_readers=[PrometheusMetricReader()]))


def current_traceparent() -> str | None:
    """The W3C ``traceparent`` of the running span, to travel in an event."""
    carrier: dict[str, str] = {}
    propagate.inject(carrier)
    return carrier.get("traceparent")


def context_from(traceparent: str | None) -> Context:
    """The trace context that an event brought, so that its handler continues the trace."""
    return propagate.extract({"traceparent": traceparent} if traceparent else {})
