"""Spans for OpenTelemetry: the only place that knows it. Without an endpoint they cost nothing.

Spans hold methods, routes, status codes and numbers: no query, no header and no body.
"""

import contextlib
import hashlib
import logging
import os
from collections.abc import Iterator, Mapping
from datetime import datetime
from importlib.metadata import version

from opentelemetry import trace
from opentelemetry.propagate import extract
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import NonRecordingSpan, Span, SpanContext, SpanKind, Status, StatusCode, TraceFlags

from streetloop.errors import ConfigError

_ENDPOINT, _PATH = "OTEL_EXPORTER_OTLP_ENDPOINT", "/v1/traces"
_EXPORT_S = 5.0
_SERVER_ERROR = 500

_provider: TracerProvider | None = None


def traces_to(setting: str | None) -> str | None:
    """Where spans go: the setting, else OpenTelemetry's own variable; None for nowhere."""
    return setting or os.environ.get(_ENDPOINT) or None


def require_exporter(setting: str | None) -> None:
    """Refuse an endpoint where the extra ``tracing`` is missing.

    Raises:
        ConfigError: It is missing.
    """
    if traces_to(setting) is None:
        return
    try:
        import opentelemetry.exporter.otlp.proto.http.trace_exporter  # noqa: F401
    except ImportError:
        name = "STREETLOOP_OTLP_URL" if setting else _ENDPOINT
        raise ConfigError(
            f"{name} is set, and spans need the extra `tracing`: pip install 'streetloop[tracing]', "
            "or unset it"
        ) from None


def start_tracing(setting: str | None, **about: str) -> None:
    """Send the spans of this process; a second call, or one without an endpoint, does nothing.

    Args:
        setting: ``otlp_url`` of the settings.
        about: What all spans have, such as the run.
    """
    global _provider
    endpoint = traces_to(setting)
    if endpoint is None or _provider is not None:
        return
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter

    # What it cannot send it would log each time, and the message may have the address.
    logging.getLogger("opentelemetry").setLevel(logging.CRITICAL)
    address = endpoint.rstrip("/")
    exporter = OTLPSpanExporter(
        endpoint=address if address.endswith(_PATH) else f"{address}{_PATH}", timeout=_EXPORT_S
    )
    named = {"service.name": "streetloop", "service.version": version("streetloop")}
    _provider = TracerProvider(
        resource=Resource.create({**named, **{f"streetloop.{key}": value for key, value in about.items()}})
    )
    _provider.add_span_processor(BatchSpanProcessor(exporter))


def stop_tracing() -> None:
    """Send what is left; spans cost nothing again."""
    global _provider
    if _provider is not None:
        _provider.shutdown()
    _provider = None


def span_ids() -> dict[str, str]:
    """Ids of the open span, for the log; empty without one."""
    context = trace.get_current_span().get_span_context()
    if not context.is_valid:
        return {}
    return {"trace_id": f"{context.trace_id:032x}", "span_id": f"{context.span_id:016x}"}


class RequestSpan:
    """The span of a request.

    Args:
        span: It; None where no spans are sent.
        method: Of the request.
    """

    def __init__(self, span: Span | None, method: str) -> None:
        self._span, self._method = span, method

    def answered(self, route: str | None, status: int) -> None:
        """Note how it was answered.

        Args:
            route: The template of its path; None if there is none.
            status: Of HTTP.
        """
        if self._span is None:
            return
        self._span.update_name(f"{self._method} {route}" if route else self._method)
        self._span.set_attribute("http.response.status_code", status)
        if route:
            self._span.set_attribute("http.route", route)
        if status >= _SERVER_ERROR:
            self._span.set_status(Status(StatusCode.ERROR))


@contextlib.contextmanager
def request_span(method: str, headers: Mapping[str, str]) -> Iterator[RequestSpan]:
    """A span for a request, a part of the caller's trace if it names one (``traceparent``)."""
    if _provider is None:
        yield RequestSpan(None, method)
        return
    tracer = _provider.get_tracer("streetloop")
    with tracer.start_as_current_span(
        method,
        extract({"traceparent": headers.get("traceparent", "")}),
        SpanKind.SERVER,
        {"http.request.method": method},
        record_exception=False,  # its message may hold what a user sent
        set_status_on_exception=False,
    ) as span:
        yield RequestSpan(span, method)


def record_span(
    name: str, begin: datetime, end: datetime, trace_of: str, failed: bool = False, **attributes: str | int
) -> None:
    """Record what took from one moment to another, also over several processes.

    Args:
        name: Such as ``learning.training``.
        begin: Its begin (UTC).
        end: Its end (UTC).
        trace_of: Spans of the same text are one trace.
        failed: Whether it failed.
        attributes: What it was about.
    """
    if _provider is None:
        return
    digest = hashlib.sha256(trace_of.encode()).digest()
    parent = SpanContext(
        int.from_bytes(digest[:16]), int.from_bytes(digest[16:24]), is_remote=True, trace_flags=TraceFlags(1)
    )
    span = _provider.get_tracer("streetloop").start_span(
        name,
        trace.set_span_in_context(NonRecordingSpan(parent)),
        attributes={f"streetloop.{key}": value for key, value in attributes.items()},
        start_time=_nanoseconds(begin),
    )
    if failed:
        span.set_status(Status(StatusCode.ERROR))
    span.end(_nanoseconds(end))


def _nanoseconds(moment: datetime) -> int:
    return round(moment.timestamp() * 1e9)
