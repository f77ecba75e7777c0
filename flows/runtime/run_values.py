"""What a run is asked for, and what came of it."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from flows.stream.analysis.faults import joined
from flows.stream.analysis.status import CameraStatus
from flows.stream.ingest.accounting import Fate
from flows.stream.ingest.camera_state import CameraState
from serve.rollout.policy import Policy
from streetloop.alerting.mute import Mute
from streetloop.alerting.sink_config import EventSinks
from streetloop.causes import Cause, causes_to_json
from train.fine_tuning.recipe import Progress


@dataclass(frozen=True, slots=True)
class RunOptions:
    """What one run is asked for.

    Attributes:
        duration_s: When to end, in seconds after the cameras have started; None to run until
            every camera ends or someone stops it.
        annotate: Folder for annotated videos, or None.
        metrics_port: TCP port where Prometheus finds the metrics, or None for a free port.
        policy: What a rollout that the learning flow starts must show.
        until: Asked twice a second; True ends the run.
        progress: Called with how far a training is.
        app: Whether the app and the API are served meanwhile.
        dashboard: Whether Ray's dashboard is served, if a Ray is started.
        address: ``HOST:PORT`` of a Ray to join, or ``auto``; see
            `flows.runtime.cluster.ray_address`.
        sinks: Who is told of events, by name, with the values of variables.
        mutes: Events that nobody is told of.
    """

    duration_s: float | None = None
    annotate: Path | None = None
    metrics_port: int | None = None
    policy: Policy = field(default_factory=Policy)
    until: Callable[[], bool] = lambda: False
    progress: Callable[[Progress], None] = lambda _: None
    app: bool = False
    dashboard: bool = False
    address: str | None = None
    sinks: EventSinks = field(default_factory=dict)
    mutes: Sequence[Mute] = ()


@dataclass(frozen=True, slots=True)
class RunSummary:
    """What a run came to.

    Attributes:
        cameras: The last status of every camera, by id.
        log: URI of the detection log.
        frames: URI of the frame log.
        model: What the detector said of itself at the start.
        seconds: How long cameras were read.
        drift: Causes of the drift that was found last, likeliest first, by camera.
        faults: What could not be written about counts and drift.
        covered_s: Seconds in which each line was looked at, by camera and name.
        removed: Cameras that were removed before the end.
        ray_died: Why Ray ended before the run did; None if it did not.
    """

    cameras: Mapping[str, CameraStatus]
    log: str
    frames: str
    model: Mapping[str, Any]
    seconds: float
    drift: Mapping[str, Sequence[Cause]] = field(default_factory=dict)
    faults: Sequence[str] = ()
    covered_s: Mapping[tuple[str, str], float] = field(default_factory=dict)
    removed: Collection[str] = ()
    ray_died: str | None = None

    def as_json(self) -> dict[str, Any]:
        """Plain values for JSON; ``fps`` is frames detected per second of the run."""
        return {
            "cameras": {key: self._camera(key, status) for key, status in self.cameras.items()},
            "log": self.log,
            "frames": self.frames,
            "model": dict(self.model),
            "drift": {camera: causes_to_json(causes) for camera, causes in self.drift.items()},
            "seconds": round(self.seconds, 3),
            "problems": self.problems,
        }

    def _camera(self, key: str, status: CameraStatus) -> dict[str, Any]:
        account = status.account
        return {
            "state": status.state.value,
            "error": status.error,
            **asdict(account),
            "reconnects": status.reconnects,
            "gaps": status.gaps,
            "fps": round(account.detected / self.seconds, 3) if self.seconds > 0 else 0.0,
            "lag_p95_s": round(status.lag_p95_s, 4),
            "objects": status.objects,
            "objects_by_class": status.objects_by_class,
            "lines": self._lines(key, status),
        }

    def _lines(self, key: str, status: CameraStatus) -> dict[str, Any]:
        """Totals by line; ``coverage`` is the share of the time in which the line was watched."""
        silent = status.state in {CameraState.LOST, CameraState.FAILED, CameraState.CONNECTING}
        period_s = 0.0
        if status.first_at is not None and status.last_at is not None:
            period_s = (status.last_at - status.first_at).total_seconds()
        period_s = max(period_s, self.seconds) if silent else period_s
        found = {}
        for name, totals in status.lines.items():
            covered_s = self.covered_s.get((key, name), 0.0)
            coverage = min(covered_s / period_s, 1.0) if period_s > 0 else 0.0
            found[name] = {**totals.as_json(), "coverage": round(coverage, 4)}
        return found

    @property
    def problems(self) -> list[str]:
        """One sentence for each reason why the run failed; none if it did not.

        A camera of which nothing was detected is one, with the reason.
        """
        failed = [
            f"camera {key!r}: {problem}"
            for key, status in self.cameras.items()
            if (problem := self._problem(key, status)) is not None
        ]
        found = {str(fault) for fault in joined(f for s in self.cameras.values() for f in s.faults)}
        faults = set(self.faults) | found
        died = [] if self.ray_died is None else [self.ray_died]
        return died + failed + sorted(faults)

    def _problem(self, key: str, status: CameraStatus) -> str | None:
        account, why = status.account, status.detector_error
        if status.state is CameraState.FAILED:
            return status.error
        if why is not None:
            sent = account.detected + account.failed
            return f"the detector failed on {account.failed} of {sent} frames, also on the last: {why}"
        if account.detected or key in self.removed:
            return None
        if not account.decoded:
            why = status.error or status.waiting_for or f"none came within {self.seconds:.0f} s"
            return f"no picture was decoded: {why}"
        fates = ", ".join(f"{getattr(account, fate)} {fate}" for fate in Fate if fate is not Fate.DETECTED)
        return f"none of its {account.decoded} frames was detected: {fates}"
