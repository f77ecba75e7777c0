"""The metrics as text for Prometheus: an adapter of its client library."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.metrics_core import Metric as Family
from prometheus_client.registry import Collector

from flows.runtime.metrics.camera_series import camera_series
from flows.runtime.metrics.catalogue import METRICS, Kind, Metric
from flows.runtime.metrics.metric_sample import MetricSample
from flows.runtime.metrics.readings import Readings
from flows.runtime.metrics.state_series import process_series, state_series
from flows.stream.sinks.stream_meter import HistogramCounts


def expose(readings: Readings, info: Mapping[str, str], now: datetime | None = None) -> str:
    """The metrics as text, in Prometheus' format 0.0.4.

    Args:
        readings: What is known.
        info: Values of the labels of ``streetloop_info``.
        now: Time (UTC), from which ages are counted; None for now.
    """
    now = now or datetime.now(UTC)
    found = [*camera_series(readings), *process_series(readings, info), *state_series(readings, now)]
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Once(found))
    return generate_latest(registry).decode()


class _Once(Collector):
    def __init__(self, series: Iterable[MetricSample]) -> None:
        self._series = series

    def collect(self) -> Iterator[Family]:
        families: dict[str, Family] = {}
        for one in self._series:
            if one.name not in families:
                families[one.name] = _family(METRICS[one.name])
            _add(families[one.name], one)
        yield from families.values()


def _family(metric: Metric) -> Family:
    match metric.kind:
        case Kind.HISTOGRAM:
            return HistogramMetricFamily(metric.name, metric.help, labels=metric.labels)
        case Kind.COUNTER:
            return CounterMetricFamily(metric.name, metric.help, labels=metric.labels)
        case Kind.GAUGE:
            return GaugeMetricFamily(metric.name, metric.help, labels=metric.labels)
        case Kind.SUMMARY:  # of which the library has no form without a sum
            return Family(metric.name, metric.help, "summary")


def _add(family: Family, one: MetricSample) -> None:
    if isinstance(family, HistogramMetricFamily):
        assert isinstance(one.value, HistogramCounts)
        family.add_metric(one.labels, _buckets(one.value), one.value.total)
        return
    assert not isinstance(one.value, HistogramCounts)
    if isinstance(family, CounterMetricFamily | GaugeMetricFamily):
        family.add_metric(one.labels, one.value)
    else:
        labels = dict(zip(METRICS[one.name].labels, one.labels, strict=True))
        family.add_sample(one.name, labels, one.value)


def _buckets(counts: HistogramCounts) -> list[tuple[str, float]]:
    """Cumulative counts by upper bound, as Prometheus has them."""
    found, below = [], 0
    for bound, count in zip((*counts.bounds, float("inf")), counts.counts, strict=True):
        below += count
        found.append(("+Inf" if bound == float("inf") else str(float(bound)), float(below)))
    return found
