"""What a worker counts for its metrics: lags, batches and confidences. Plain numbers, no vendor."""

import bisect
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from flows.stream.analysis.results import Result
from flows.stream.inference.batch import SourceAnswer
from streetloop.clock import Clock

LAG_BOUNDS_S = (0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0)
BATCH_BOUNDS_S = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5)
BATCH_BOUNDS = (1.0, 2.0, 4.0, 8.0, 16.0, 32.0)
CONFIDENCE_BOUNDS = (0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)
_MAX_MODELS = 8  # versions that answered last; a worker that runs for months has met more


@dataclass(frozen=True, slots=True)
class HistogramCounts:
    """A histogram so far.

    Attributes:
        bounds: Upper bounds of the buckets, rising; one more bucket takes all above.
        counts: Values by bucket, one more than there are bounds.
        total: Sum of all values.
    """

    bounds: Sequence[float]
    counts: Sequence[int]
    total: float


@dataclass(frozen=True, slots=True)
class ModelReading:
    """What was counted of one model version.

    Attributes:
        seconds: Computing time of a batch.
        frames: Frames of a batch.
        confidences: Of all boxes.
    """

    seconds: HistogramCounts
    frames: HistogramCounts
    confidences: HistogramCounts


@dataclass(frozen=True, slots=True)
class MeterReading:
    """What a worker's process has counted since it started.

    Attributes:
        worker: Name of the worker.
        lag: Seconds from the arrival of a frame to its result, over all cameras of the worker.
        models: By model version.
        errors: Errors that were logged, by module.
        sinks: Frames whose detections an event sink was to get, by its name and their fate,
            ``sent`` or ``dropped``.
    """

    worker: str = ""
    lag: HistogramCounts | None = None
    models: Mapping[str, ModelReading] = field(default_factory=dict)
    errors: Mapping[str, int] = field(default_factory=dict)
    sinks: Mapping[tuple[str, str], int] = field(default_factory=dict)


class Histogram:
    """Counts values by bucket.

    >>> lags = Histogram((0.1, 1.0))
    >>> lags.add([0.05, 0.1, 3.0])
    >>> lags.read().counts
    [2, 0, 1]

    Args:
        bounds: Upper bounds of the buckets, rising; a value on a bound is below it.
    """

    def __init__(self, bounds: Sequence[float]) -> None:
        self._bounds = bounds
        self._counts = [0] * (len(bounds) + 1)
        self._total = 0.0

    def add(self, values: Sequence[float]) -> None:
        """Count some values."""
        for value in values:
            self._counts[bisect.bisect_left(self._bounds, value)] += 1
            self._total += value

    def read(self) -> HistogramCounts:
        """The counts now."""
        return HistogramCounts(self._bounds, list(self._counts), self._total)


class _ModelMeter:
    def __init__(self) -> None:
        self.seconds, self.frames = Histogram(BATCH_BOUNDS_S), Histogram(BATCH_BOUNDS)
        self.confidences = Histogram(CONFIDENCE_BOUNDS)


class StreamMeter:
    """A `Sink` that counts for the metrics of a worker. Thread-safe.

    Args:
        worker: Name of the worker.
        clock: Time.
    """

    def __init__(self, worker: str, clock: Clock) -> None:
        self._worker, self._clock = worker, clock
        self._lag = Histogram(LAG_BOUNDS_S)
        self._models: dict[str, _ModelMeter] = {}
        self._lock = threading.Lock()

    def take(self, result: Result) -> None:
        """See `Sink.take`."""
        lag_s = self._clock.monotonic() - result.frame.arrived_s
        with self._lock:
            self._lag.add([lag_s])

    def answered(self, answer: SourceAnswer) -> None:
        """Count a batch that a model answered; any thread may call it."""
        confidences = [found.confidence for found in answer.detections]
        with self._lock:
            meter = self._models.pop(answer.model_version, None) or _ModelMeter()
            self._models[answer.model_version] = meter  # the newest is the last
            meter.seconds.add([answer.seconds])
            meter.frames.add([float(len(answer.detections))])
            if confidences:
                meter.confidences.add(np.concatenate(confidences).tolist())
            while len(self._models) > _MAX_MODELS:
                del self._models[next(iter(self._models))]

    def read(self, errors: Mapping[str, int], sinks: Mapping[tuple[str, str], int]) -> MeterReading:
        """What was counted so far.

        Args:
            errors: Errors that were logged, by module.
            sinks: See `MeterReading`.
        """
        with self._lock:
            models = {
                version: ModelReading(m.seconds.read(), m.frames.read(), m.confidences.read())
                for version, m in self._models.items()
            }
            return MeterReading(self._worker, self._lag.read(), models, dict(errors), dict(sinks))

    def close(self) -> None:
        """See `Sink.close`: nothing is held back."""
