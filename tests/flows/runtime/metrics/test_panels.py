"""Every query of every panel, against a real Prometheus that scrapes the endpoint of a session.

The metrics are those of `tests.support.metrics` and lines of Ray's exporter as a run shows them.
"""

import itertools
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from flows.reports.dashboards.boards import BOARDS
from flows.reports.dashboards.rules import prometheus_rules
from flows.runtime.metrics.catalogue import METRICS
from flows.runtime.metrics.endpoint import TARGETS_FILE, MetricsEndpoint, metrics_endpoint
from flows.runtime.metrics.exposition import expose
from flows.stream.sinks.stream_meter import HistogramCounts
from streetloop.settings import Settings
from tests.support.metrics import INFO, readings
from tests.support.servers.prometheus import prometheus

pytestmark = pytest.mark.prometheus

OF_RAY = """\
ray_node_cpu_utilization{{ip="127.0.0.1"}} 20.5
ray_node_mem_used{{ip="127.0.0.1"}} 7.1e+09
ray_component_rss_bytes{{Component="ray::StreamWorker",ip="127.0.0.1",pid="7"}} 2.9e+08
ray_serve_num_http_requests_total{{route="/cameras",method="GET",status_code="200"}} {count}
ray_serve_num_http_error_requests_total{{route="/cameras",error_code="404",method="GET"}} {count}
ray_serve_http_request_latency_ms_bucket{{route="/cameras",le="10.0"}} {count}
ray_serve_http_request_latency_ms_bucket{{route="/cameras",le="+Inf"}} {count}
"""


@pytest.fixture
def endpoint(tmp_path: Path) -> Iterator[MetricsEndpoint]:
    """The metrics of a session that works: each scrape finds more than the one before."""
    looks = itertools.count(1)

    def text() -> str:
        count, known = next(looks), readings()
        meters = [replace(meter, lag=_times(meter.lag, count)) for meter in known.meters]
        said = expose(replace(known, meters=meters), INFO)
        return said + OF_RAY.format(count=count)

    with metrics_endpoint(Settings(home=tmp_path), None) as endpoint:
        endpoint.text = text
        yield endpoint


def _times(lag: HistogramCounts | None, count: int) -> HistogramCounts:
    assert lag is not None
    return HistogramCounts(lag.bounds, [count * one for one in lag.counts], count * lag.total)


@pytest.mark.usefixtures("endpoint")
def test_every_query_of_every_panel_has_an_answer(tmp_path: Path) -> None:
    with prometheus(tmp_path, tmp_path / TARGETS_FILE, prometheus_rules("runbook.md")) as server:
        server.wait_for("rate(streetloop_worker_lag_seconds_count[5m]) > 0")
        for board in BOARDS:
            for panel in board.panels:
                for query in panel.queries:
                    server.wait_for(query.expr.replace("$camera", ".*"))
        for name in METRICS:
            assert server.query(f'{{__name__=~"{name}(_count)?"}}'), name
        away = 'ALERTS{alertname="DependencyAway",dependency="store"}'
        assert server.wait_for(away)[0]["metric"]["severity"] == "critical"
        assert not server.query('ALERTS{alertname="CameraLost"}')
