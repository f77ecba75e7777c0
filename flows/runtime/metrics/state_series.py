"""The series of processes and models, and of what the ledger says."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime

from flows.runtime.metrics.ledger_reading import LedgerReading, RolloutReading
from flows.runtime.metrics.metric_sample import MetricSample
from flows.runtime.metrics.readings import Readings
from flows.stream.sinks.stream_meter import HistogramCounts, MeterReading, ModelReading
from serve.rollout.policy import PhaseKind
from streetloop.ledger.learning import ENDED, Step
from streetloop.ledger.rollouts import OVER, RolloutState

_KINDS = (
    "camera_lost",
    "detector_failed",
    "drift",
    "flow_failed",
    "recording_failed",
    "sink_failed",
    "store_failed",
    "too_fast",
    "unknown_class",
    "upload_failed",
)
"""Kinds that are shown with 0, so that an alert sees them come."""


def process_series(readings: Readings, info: Mapping[str, str]) -> Iterator[MetricSample]:
    """The series of processes and models."""
    for meter in readings.meters:
        if meter.lag is not None:
            yield MetricSample("streetloop_worker_lag_seconds", (meter.worker,), meter.lag)
    for version, model in _models(readings.meters).items():
        yield MetricSample("streetloop_detector_batch_seconds", (version,), model.seconds)
        yield MetricSample("streetloop_detector_batch_frames", (version,), model.frames)
        yield MetricSample("streetloop_detection_confidence", (version,), model.confidences)
    for worker, seconds in readings.silent_s.items():
        yield MetricSample("streetloop_worker_report_age_seconds", (worker,), seconds)
    for application, count in readings.replicas.items():
        yield MetricSample("streetloop_replicas", (application,), count)
    for process, count in readings.restarts.items():
        yield MetricSample("streetloop_restarts_total", (process,), count)
    errors = Counter(readings.errors)
    for meter in readings.meters:
        errors.update(meter.errors)
    for module, count in errors.items():
        yield MetricSample("streetloop_errors_total", (module,), count)
    sinks = sum((Counter(meter.sinks) for meter in readings.meters), Counter[tuple[str, str]]())
    for key in {key for meter in readings.meters for key in meter.sinks}:
        yield MetricSample("streetloop_sink_frames_total", key, sinks[key])
    yield MetricSample("streetloop_info", (info["version"], info["run"]), 1)


def state_series(readings: Readings, now: datetime) -> Iterator[MetricSample]:
    """The series of the ledger, of what a run depends on, and of the disk.

    Args:
        readings: What is known.
        now: Time (UTC), from which ages are counted.
    """
    if readings.ledger is not None:
        yield from _of_ledger(readings.ledger, now)
        yield from _of_rollout(readings.ledger.rollout, now)
    for name, answers in readings.dependencies.items():
        yield MetricSample("streetloop_dependency_up", (name,), float(answers))
    if readings.disk is not None:
        yield MetricSample("streetloop_disk_free_bytes", (), readings.disk[0])
        yield MetricSample("streetloop_disk_size_bytes", (), readings.disk[1])
    if readings.spool is not None:
        yield MetricSample("streetloop_spool_bytes", (), readings.spool.bytes)
        yield MetricSample("streetloop_spool_segments", (), readings.spool.segments)
        yield MetricSample("streetloop_spool_oldest_age_seconds", (), _age(readings.spool.oldest_at, now))


def _of_ledger(ledger: LedgerReading, now: datetime) -> Iterator[MetricSample]:
    for kind, count in {**dict.fromkeys(_KINDS, 0), **ledger.events}.items():
        yield MetricSample("streetloop_events_open", (kind,), count)
    for state, count in ledger.labels.items():
        yield MetricSample("streetloop_labels", (state,), count)
    for state, since in ledger.oldest.items():
        yield MetricSample("streetloop_labels_oldest_age_seconds", (state,), _age(since, now))
    steps = ["idle", *(step.value for step in Step if step not in ENDED)]
    yield from _one_of("streetloop_learning_state", steps, ledger.learning or "idle")
    for step, count in ledger.learned.items():
        yield MetricSample("streetloop_learning_runs_total", (step,), count)
    for state, count in ledger.rolled_out.items():
        yield MetricSample("streetloop_rollouts_total", (state,), count)
    for sink, outbox in ledger.outboxes.items():
        yield MetricSample("streetloop_sink_outbox_changes", (sink,), outbox.waiting)
        yield MetricSample("streetloop_sink_outbox_age_seconds", (sink,), _age(outbox.oldest_at, now))


def _of_rollout(rollout: RolloutReading | None, now: datetime) -> Iterator[MetricSample]:
    phases = ["none", *(kind.value for kind in PhaseKind)]
    yield from _one_of("streetloop_rollout_phase", phases, "none" if rollout is None else rollout.phase)
    states = [state.value for state in RolloutState if state not in OVER]
    yield from _one_of("streetloop_rollout_state", states, "" if rollout is None else rollout.state)
    yield MetricSample("streetloop_rollout_share", (), 0 if rollout is None else rollout.share)
    since = None if rollout is None else rollout.phase_at
    yield MetricSample("streetloop_rollout_phase_age_seconds", (), _age(since, now))
    yield MetricSample("streetloop_rollout_blocks", (), 0 if rollout is None else rollout.blocks)


def _one_of(name: str, values: Iterable[str], current: str) -> Iterator[MetricSample]:
    for value in values:
        yield MetricSample(name, (value,), float(value == current))


def _age(since: datetime | None, now: datetime) -> float:
    return 0.0 if since is None else max(0.0, (now - since).total_seconds())


def _models(meters: Iterable[MeterReading]) -> dict[str, ModelReading]:
    """What all workers counted of each model."""
    found: dict[str, ModelReading] = {}
    for meter in meters:
        for version, model in meter.models.items():
            known = found.get(version)
            found[version] = model if known is None else _sum(known, model)
    return found


def _sum(first: ModelReading, second: ModelReading) -> ModelReading:
    return ModelReading(
        _added(first.seconds, second.seconds),
        _added(first.frames, second.frames),
        _added(first.confidences, second.confidences),
    )


def _added(first: HistogramCounts, second: HistogramCounts) -> HistogramCounts:
    counts = [a + b for a, b in zip(first.counts, second.counts, strict=True)]
    return HistogramCounts(first.bounds, counts, first.total + second.total)
