"""Every metric by name: its kind, labels and meaning. `docs/metrics.md` is made from it."""

from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    """The kinds of Prometheus."""

    COUNTER = "counter"
    GAUGE = "gauge"
    HISTOGRAM = "histogram"
    SUMMARY = "summary"


@dataclass(frozen=True, slots=True)
class Metric:
    """One metric.

    Attributes:
        name: As Prometheus shows it; a counter ends in ``_total``, a unit is in the name.
        kind: Its kind.
        labels: Names of its labels; none has an unbounded number of values.
        help: What it is, one sentence.
    """

    name: str
    kind: Kind
    labels: tuple[str, ...]
    help: str


_C, _G, _H, _S = Kind.COUNTER, Kind.GAUGE, Kind.HISTOGRAM, Kind.SUMMARY

CAMERAS = (
    Metric(
        "streetloop_frames_total",
        _C,
        ("camera", "fate", "reason"),
        "Frames by what became of them: detected, gated, dropped or failed, and why.",
    ),
    Metric(
        "streetloop_camera_state", _G, ("camera", "state"), "1 for the state that a camera is in, else 0."
    ),
    Metric(
        "streetloop_lag_seconds",
        _S,
        ("camera", "quantile"),
        "Time from the arrival of a frame to its result, median and 95th percentile of the last 4096 frames.",
    ),
    Metric(
        "streetloop_camera_reconnects_total", _C, ("camera",), "How often a camera came back after a loss."
    ),
    Metric("streetloop_objects_total", _C, ("camera",), "Confirmed tracks."),
    Metric("streetloop_crossings_total", _C, ("camera",), "Crossings of all lines of a camera."),
    Metric(
        "streetloop_drift_statistic",
        _G,
        ("camera", "feature"),
        "Distance from the reference, in spreads, of the feature that is nearest to its threshold.",
    ),
    Metric(
        "streetloop_drift_threshold", _G, ("camera", "feature"), "Its distance from which on it is drift."
    ),
)
"""Series of each camera: 20."""

PROCESSES = (
    Metric(
        "streetloop_worker_lag_seconds", _H, ("worker",), "Time from the arrival of a frame to its result."
    ),
    Metric(
        "streetloop_worker_report_age_seconds",
        _G,
        ("worker",),
        "Time since the last report of a worker; it grows while its process hangs.",
    ),
    Metric(
        "streetloop_replicas",
        _G,
        ("application",),
        "Replicas that an application is to have: champion, challenger, or the champion of a city.",
    ),
    Metric("streetloop_restarts_total", _C, ("process",), "Workers and detectors that were started again."),
    Metric("streetloop_errors_total", _C, ("module",), "Errors that were logged."),
    Metric(
        "streetloop_sink_frames_total",
        _C,
        ("sink", "fate"),
        "Frames whose detections an event sink was to get: sent or dropped.",
    ),
    Metric("streetloop_info", _G, ("version", "run"), "1; its labels say what runs."),
)
SINKS = (
    Metric("streetloop_sink_outbox_changes", _G, ("sink",), "Changes of events that wait for an event sink."),
    Metric(
        "streetloop_sink_outbox_age_seconds",
        _G,
        ("sink",),
        "Age of the oldest change that waits for an event sink; 0 if none does.",
    ),
    Metric("streetloop_spool_bytes", _G, (), "Recorded video in the home that waits for the object store."),
    Metric("streetloop_spool_segments", _G, (), "Its segments, with those that are still written."),
    Metric("streetloop_spool_oldest_age_seconds", _G, (), "Age of the oldest of them; 0 if there is none."),
)
MODELS = (
    Metric(
        "streetloop_detector_batch_seconds",
        _H,
        ("model",),
        "Computing time of a batch, also of a model in shadow.",
    ),
    Metric("streetloop_detector_batch_frames", _H, ("model",), "Frames of a batch."),
    Metric(
        "streetloop_detection_confidence", _H, ("model",), "Confidence of each box; its count is detections."
    ),
)
LEDGER = (
    Metric("streetloop_events_open", _G, ("kind",), "Events that go on."),
    Metric("streetloop_labels", _G, ("state",), "Frames of the review queue."),
    Metric(
        "streetloop_labels_oldest_age_seconds",
        _G,
        ("state",),
        "Age of the frame that has waited longest, chosen (pending) or handed to the labeler (pushed).",
    ),
    Metric(
        "streetloop_learning_state", _G, ("step",), "1 for the step of the open learning run, or for idle."
    ),
    Metric("streetloop_learning_runs_total", _C, ("result",), "Learning runs that have ended."),
    Metric("streetloop_rollout_phase", _G, ("phase",), "1 for the phase of the open rollout, or for none."),
    Metric("streetloop_rollout_state", _G, ("state",), "1 for the state of the open rollout."),
    Metric("streetloop_rollout_share", _G, (), "Share of the cameras that the challenger serves, 0 to 1."),
    Metric(
        "streetloop_rollout_phase_age_seconds", _G, (), "Age of the phase of the open rollout; 0 without one."
    ),
    Metric(
        "streetloop_rollout_blocks",
        _G,
        (),
        "Blocks with known truth that the open rollout has compared; without them nothing is promoted.",
    ),
    Metric("streetloop_rollouts_total", _C, ("result",), "Rollouts that have ended."),
)
SERVICES = (
    Metric(
        "streetloop_dependency_up",
        _G,
        ("dependency",),
        "1 while the ledger takes writes; of store, Label Studio and MLflow while they answer; else 0.",
    ),
    Metric("streetloop_disk_free_bytes", _G, (), "Free space of the disk that holds the home."),
    Metric("streetloop_disk_size_bytes", _G, (), "Size of that disk."),
)

SECTIONS = {
    "Cameras": CAMERAS,
    "Models": MODELS,
    "Labels, learning, rollouts and events": LEDGER,
    "Processes": PROCESSES,
    "Event sinks and recorded video": SINKS,
    "What a run depends on": SERVICES,
}
METRICS = {metric.name: metric for metrics in SECTIONS.values() for metric in metrics}
