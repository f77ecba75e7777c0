"""The alerts: what is watched, and since when it is worth a person's time."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Alert:
    """One alert.

    Attributes:
        name: Its name; the runbook has a section of that name.
        expr: In PromQL; each series of its answer is one alert.
        lasts: How long that must hold, such as ``5m``.
        severity: ``critical`` wakes somebody, ``warning`` is for the day.
        summary: What is wrong, one sentence; ``{{ $labels.camera }}`` is a label.
    """

    name: str
    expr: str
    lasts: str
    severity: str
    summary: str

    @property
    def anchor(self) -> str:
        """The anchor of its section in the runbook."""
        return self.name.lower()


ALERTS = (
    Alert(
        "CameraLost",
        'streetloop_camera_state{state=~"lost|failed"} == 1',
        "30s",
        "warning",
        "Camera {{ $labels.camera }} is {{ $labels.state }}.",
    ),
    Alert(
        "LagHigh",
        'streetloop_lag_seconds{quantile="0.95"} > 1',
        "2m",
        "warning",
        "Results of camera {{ $labels.camera }} come {{ $value | humanizeDuration }} late.",
    ),
    Alert(
        "FramesDropped",
        'sum by (camera) (rate(streetloop_frames_total{fate="dropped",reason!="stopped"}[5m]))'
        " / sum by (camera) (rate(streetloop_frames_total[5m])) > 0.1",
        "2m",
        "warning",
        "{{ $value | humanizePercentage }} of the frames of camera {{ $labels.camera }} are dropped.",
    ),
    Alert(
        "DetectorFailing",
        'sum by (camera) (rate(streetloop_frames_total{fate="failed",reason="detector"}[5m])) > 0',
        "30s",
        "critical",
        "The detector fails on frames of camera {{ $labels.camera }}.",
    ),
    Alert(
        "DetectorRestarting",
        'increase(streetloop_restarts_total{process="detector"}[15m]) > 1.5',
        "0s",
        "critical",
        "The detector was restarted {{ $value | humanize }} times within 15 minutes.",
    ),
    Alert(
        "WorkerRestarting",
        'increase(streetloop_restarts_total{process="worker"}[15m]) > 1.5',
        "0s",
        "critical",
        "Workers were restarted {{ $value | humanize }} times within 15 minutes.",
    ),
    Alert(
        "WorkerHanging",
        "streetloop_worker_report_age_seconds > 15",
        "15s",
        "critical",
        "Worker {{ $labels.worker }} has reported nothing for {{ $value | humanizeDuration }}.",
    ),
    Alert(
        "ErrorsLogged",
        "increase(streetloop_errors_total[5m]) > 0"
        " or (streetloop_errors_total > 0 unless streetloop_errors_total offset 5m)",
        "0s",
        "warning",
        "{{ $labels.module }} logs errors.",
    ),
    Alert(
        "DriftOpen",
        'streetloop_events_open{kind="drift"} > 0',
        "1m",
        "warning",
        "{{ $value }} cameras differ from their past.",
    ),
    Alert(
        "WritesFailing",
        'streetloop_events_open{kind=~"(store|sink|flow|recording|upload)_failed"} > 0',
        "30s",
        "critical",
        "What streams find is not written: {{ $labels.kind }}.",
    ),
    Alert(
        "DependencyAway",
        "streetloop_dependency_up == 0",
        "30s",
        "critical",
        "{{ $labels.dependency }} does not answer.",
    ),
    Alert(
        "SinkAway",
        "streetloop_sink_outbox_age_seconds > 300",
        "0s",
        "warning",
        "Event sink {{ $labels.sink }} has not taken an event for {{ $value | humanizeDuration }}.",
    ),
    Alert(
        "SpoolWaiting",
        "streetloop_spool_oldest_age_seconds > 3600",
        "1m",
        "warning",
        "Recorded video has waited for the object store for {{ $value | humanizeDuration }}.",
    ),
    Alert(
        "DiskFull",
        "streetloop_disk_free_bytes / streetloop_disk_size_bytes < 0.1",
        "1m",
        "critical",
        "{{ $value | humanizePercentage }} of the disk of the home is free.",
    ),
    Alert(
        "RolloutHeld",
        "streetloop_rollout_phase_age_seconds > 6 * 3600"
        ' and on () streetloop_rollout_phase{phase="none"} == 0',
        "1m",
        "warning",
        "The rollout has been in its phase for {{ $value | humanizeDuration }}.",
    ),
    Alert(
        "RolloutRolledBack",
        'increase(streetloop_rollouts_total{result="rolled back"}[1h]) > 0',
        "0s",
        "warning",
        "A rollout was rolled back.",
    ),
    Alert(
        "NoPromotionEvidence",
        "streetloop_rollout_blocks == 0 and on () streetloop_rollout_phase_age_seconds > 3600",
        "1m",
        "warning",
        "The rollout has no frames of known truth, so nothing can be promoted.",
    ),
    Alert(
        "LabelsWaiting",
        "streetloop_labels_oldest_age_seconds > 24 * 3600",
        "1m",
        "warning",
        "Frames that are {{ $labels.state }} have waited for {{ $value | humanizeDuration }}.",
    ),
    Alert(
        "LearningParked",
        'streetloop_learning_state{step="parked"} == 1',
        "1m",
        "warning",
        "A learning run has failed and is parked.",
    ),
    Alert(
        "MetricsAway",
        "absent(streetloop_info)",
        "1m",
        "critical",
        "No streetloop is scraped: it does not run, or Prometheus does not reach it.",
    ),
)
