"""Spans reach a real receiver of OTLP over HTTP, with no more in them than they should have."""

import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from flows.learning.learning_spans import record_step
from serve.web.traced_requests import TracedRequests
from streetloop.errors import ConfigError
from streetloop.host import tracing
from streetloop.host.tracing import (
    record_span,
    request_span,
    require_exporter,
    span_ids,
    start_tracing,
    stop_tracing,
)
from streetloop.ledger.learning import LearningRun, Step

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
CALLER = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


class Collector:
    """A receiver of spans.

    Attributes:
        raw: Bodies that came.
        url: Its address.
    """

    def __init__(self) -> None:
        self.raw: list[bytes] = []
        self.paths: list[str] = []
        collector = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                collector.raw.append(self.rfile.read(int(self.headers["Content-Length"])))
                collector.paths.append(self.path)
                self.send_response(200)
                self.end_headers()

            def log_message(self, *_: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"

    def spans(self) -> list[Span]:
        """All that came, once the process has sent what it had."""
        stop_tracing()
        found = []
        for body in self.raw:
            request = ExportTraceServiceRequest.FromString(body)
            for resource in request.resource_spans:
                named = {one.key: one.value.string_value for one in resource.resource.attributes}
                assert named["service.name"] == "streetloop"
                found += [span for scope in resource.scope_spans for span in scope.spans]
        return found


@pytest.fixture
def collector() -> Iterator[Collector]:
    collector = Collector()
    yield collector
    stop_tracing()
    collector.server.shutdown()
    collector.server.server_close()


def attributes(span: Span) -> dict[str, Any]:
    return {one.key: one.value.string_value or one.value.int_value for one in span.attributes}


@pytest.fixture
def api() -> TestClient:
    app = FastAPI()
    app.add_middleware(TracedRequests, answered=lambda *_: None)

    @app.get("/cameras/{camera}")
    def camera(camera: str) -> dict[str, str]:
        if camera == "broken":
            raise ValueError("rtsp://admin:hunter2@10.0.0.7")
        return span_ids()

    return TestClient(app, raise_server_exceptions=False)


def test_a_request_is_a_span_with_its_route_and_nothing_secret(collector: Collector, api: TestClient) -> None:
    start_tracing(collector.url, run="r-1")
    headers = {"Authorization": "Bearer hunter2", "traceparent": CALLER}
    seen = api.get("/cameras/a40?token=hunter2", headers=headers).json()
    api.get("/cameras/broken")
    api.get("/nothing")
    good, broken, missing = collector.spans()
    assert set(collector.paths) == {"/v1/traces"}
    assert (good.name, good.kind) == ("GET /cameras/{camera}", Span.SPAN_KIND_SERVER)
    assert attributes(good) == {
        "http.request.method": "GET",
        "http.route": "/cameras/{camera}",
        "http.response.status_code": 200,
    }
    assert (good.trace_id.hex(), good.parent_span_id.hex()) == tuple(CALLER.split("-")[1:3])
    assert seen == {"trace_id": good.trace_id.hex(), "span_id": good.span_id.hex()}
    assert (broken.status.code, attributes(broken)["http.response.status_code"]) == (2, 500)
    assert (missing.name, attributes(missing)["http.response.status_code"]) == ("GET", 404)
    assert not any(b"hunter2" in body for body in collector.raw)


def test_the_steps_of_a_learning_run_are_one_trace(collector: Collector) -> None:
    start_tracing(f"{collector.url}/v1/traces")
    labeled, trained = NOON + timedelta(hours=1), NOON + timedelta(hours=3)
    run = LearningRun(7, "learn-1", Step.LABELING, {"kind": "drift"}, {}, 0, None, NOON, NOON, None, None)
    record_step(run, Step.TRAINING, labeled, {})
    later = LearningRun(7, "learn-1", Step.TRAINING, {}, {}, 0, None, NOON, labeled, None, None)
    record_step(later, Step.REFUSED, trained, {"version": 3})
    labeling, training, whole = collector.spans()
    assert [one.name for one in (labeling, training, whole)] == [
        "learning.labeling",
        "learning.training",
        "learning",
    ]
    assert len({one.trace_id for one in (labeling, training, whole)}) == 1
    assert training.end_time_unix_nano - training.start_time_unix_nano == 2 * 3600 * 10**9
    assert whole.end_time_unix_nano - whole.start_time_unix_nano == 3 * 3600 * 10**9
    assert attributes(training)["streetloop.version"] == 3
    assert attributes(training)["streetloop.learning"] == 7


def test_the_variable_of_opentelemetry_is_heard(
    collector: Collector, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", collector.url)
    start_tracing(None)
    record_span("learning", NOON, NOON, "x", failed=True)
    (span,) = collector.spans()
    assert (span.name, span.status.code) == ("learning", 2)


def test_without_an_endpoint_nothing_is_made(api: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OTEL_EXPORTER_OTLP_ENDPOINT", raising=False)
    start_tracing(None)
    assert tracing._provider is None
    assert api.get("/cameras/a40").json() == {}
    with request_span("GET", {}) as span:
        span.answered("/", 200)
    record_span("learning", NOON, NOON, "x")


def test_an_endpoint_that_is_away_hinders_nobody(api: TestClient, capsys: pytest.CaptureFixture[str]) -> None:
    start_tracing("http://user:hunter2@127.0.0.1:9")
    assert api.get("/cameras/a40").status_code == 200
    stop_tracing()
    assert "hunter2" not in "".join(capsys.readouterr())


def test_an_endpoint_without_the_extra_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    name = "opentelemetry.exporter.otlp.proto.http.trace_exporter"
    monkeypatch.setitem(__import__("sys").modules, name, None)
    with pytest.raises(ConfigError, match=r"STREETLOOP_OTLP_URL is set.*streetloop\[tracing\]"):
        require_exporter("http://127.0.0.1:4318")
