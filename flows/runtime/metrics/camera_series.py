"""The series of each camera."""

from collections.abc import Iterator

from drift.watch import NearestFeature
from flows.runtime.metrics.metric_sample import MetricSample
from flows.runtime.metrics.readings import Readings
from flows.stream.analysis.status import CameraStatus
from flows.stream.ingest.accounting import DropReason, Fate
from flows.stream.ingest.camera_state import CameraState

_REASONS = {
    Fate.GATED: (DropReason.STILL, DropReason.RATE),
    Fate.DROPPED: (DropReason.STALE, DropReason.SUPERSEDED, DropReason.STOPPED),
    Fate.FAILED: (DropReason.DETECTOR, DropReason.WORKER),
}


def camera_series(readings: Readings) -> Iterator[MetricSample]:
    """The series of all cameras."""
    for name, status in readings.statuses.items():
        yield from _of_status(name, status)
        nearest = readings.drift.get(name)
        if nearest is not None:
            yield from _of_drift(name, nearest)


def _of_status(name: str, status: CameraStatus) -> Iterator[MetricSample]:
    yield from _frames(name, status)
    for state in CameraState:
        yield MetricSample("streetloop_camera_state", (name, state.value), float(status.state is state))
    if status.account.detected:
        yield MetricSample("streetloop_lag_seconds", (name, "0.5"), status.lag_p50_s)
        yield MetricSample("streetloop_lag_seconds", (name, "0.95"), status.lag_p95_s)
    crossings = sum(sum(totals.directions().values()) for totals in status.lines.values())
    yield MetricSample("streetloop_camera_reconnects_total", (name,), status.reconnects)
    yield MetricSample("streetloop_objects_total", (name,), status.objects)
    yield MetricSample("streetloop_crossings_total", (name,), crossings)


def _frames(name: str, status: CameraStatus) -> Iterator[MetricSample]:
    account = status.account
    yield MetricSample("streetloop_frames_total", (name, Fate.DETECTED.value, ""), account.detected)
    for fate, reasons in _REASONS.items():
        for reason in reasons:
            count = account.reasons.get(reason.value, 0)
            yield MetricSample("streetloop_frames_total", (name, fate.value, reason.value), count)


def _of_drift(name: str, nearest: NearestFeature) -> Iterator[MetricSample]:
    yield MetricSample("streetloop_drift_statistic", (name, nearest.name), nearest.effect_size)
    yield MetricSample("streetloop_drift_threshold", (name, nearest.name), nearest.threshold)
