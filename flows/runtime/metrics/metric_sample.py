"""One value of a metric, with its labels."""

from typing import NamedTuple

from flows.stream.sinks.stream_meter import HistogramCounts


class MetricSample(NamedTuple):
    """A value of a metric.

    Attributes:
        name: Of the metric, see `flows.runtime.metrics.catalogue`.
        labels: Values of its labels, in their order.
        value: The value.
    """

    name: str
    labels: tuple[str, ...]
    value: float | HistogramCounts
