"""What passes between the workers, the supervisor and the session loop, without Ray."""

from collections.abc import Collection, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from drift.measurement.period import DriftPeriod
from flows.runtime.workers.planner import WorkerPlan
from flows.stream.analysis.status import CameraStatus
from flows.stream.anomalies.anomaly_watch import Anomaly
from flows.stream.inference.batch import DetectorProcess
from flows.stream.sinks.stream_meter import MeterReading
from serve.rollout.control.ports import Fleet
from serve.rollout.route_table import RouteTable
from serve.rollout.statistics.evidence import Evidence
from streetloop.ledger.line_counts import LineCounts
from streetloop.ledger.reviews import FrameRecord

WORKER_RESTARTED, DETECTOR_RESTARTED = "worker_restarted", "detector_restarted"
CONTROL_RESTARTED, APP_RESTARTED = "control_restarted", "app_restarted"


@dataclass(frozen=True, slots=True)
class Restart:
    """A process that died and was started again.

    Attributes:
        kind: `WORKER_RESTARTED`, `DETECTOR_RESTARTED`, `CONTROL_RESTARTED` or `APP_RESTARTED`.
        process: Name of the process, such as ``worker0`` or ``champion``.
        at: When it was noticed (UTC).
        cause: Why it died, as far as known.
        cameras: Ids of the cameras that it served; none if it served all.
    """

    kind: str
    process: str
    at: datetime
    cause: str
    cameras: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class WorkerReport:
    """The state of a worker's cameras, and what the worker found since its last report.

    A worker hands everything out once: whoever drops a report loses what is in it.

    Attributes:
        statuses: Every camera of the worker now, by id.
        finished: True if every camera has ended by itself and everything is written.
        periods: Drift periods that ended.
        candidates: Frames worth labeling.
        evidence: Evidence about a challenger.
        counts: Line crossings by minute, and coverage.
        detectors: The process that answered last, by application.
        meter: What its process has counted for metrics.
        anomalies: Anomalies that began or are over, those of a camera in order.
    """

    statuses: Mapping[str, CameraStatus]
    finished: bool = False
    periods: Sequence[DriftPeriod] = ()
    candidates: Sequence[FrameRecord] = ()
    evidence: Evidence = field(default_factory=Evidence)
    counts: LineCounts = field(default_factory=LineCounts)
    detectors: Mapping[str, DetectorProcess] = field(default_factory=dict)
    meter: MeterReading = field(default_factory=MeterReading)
    anomalies: Sequence[Anomaly] = ()


@dataclass(frozen=True, slots=True)
class FleetReport:
    """The state of all cameras, and what all workers found since the last report.

    Attributes:
        statuses: Every camera that runs or ran, by id.
        periods: Drift periods that ended, those of a camera in order of time.
        candidates: Frames worth labeling.
        counts: Line crossings by minute, and coverage.
        restarts: Processes that died and were started again.
        meters: The newest reading of each worker that runs.
        anomalies: Anomalies that began or are over, those of a camera in order.
        silent_s: Seconds since the last report of each worker that runs, by its name.
    """

    statuses: Mapping[str, CameraStatus]
    periods: Sequence[DriftPeriod] = ()
    candidates: Sequence[FrameRecord] = ()
    counts: LineCounts = field(default_factory=LineCounts)
    restarts: Sequence[Restart] = ()
    meters: Sequence[MeterReading] = ()
    anomalies: Sequence[Anomaly] = ()
    silent_s: Mapping[str, float] = field(default_factory=dict)


class WorkerHandle(Protocol):
    """A worker in a process of its own.

    No method waits: the future has the answer, or `ProcessDied` if the process ended before it.
    """

    @property
    def host(self) -> Any:
        """What the web app asks for pictures."""

    def start(self) -> Future[None]:
        """Start reading the cameras."""

    def report(self) -> Future[WorkerReport]:
        """Take the state of the cameras, and what was found since the last report."""

    def follow(self, table: RouteTable) -> Future[None]:
        """Send each camera's frames where the table says."""

    def drop(self, cameras: Collection[str]) -> Future[WorkerReport]:
        """Stop some cameras for good; a report with the last status of each of them."""

    def close(self) -> Future[WorkerReport]:
        """Stop all cameras and write everything out; the last report."""

    def kill(self) -> None:
        """End the process at once."""


class StreamFleet(Fleet, Protocol):
    """The workers of a run, as the session loop sees them."""

    @property
    def finished(self) -> bool:
        """True if no worker has anything left to do."""

    def add(self, plan: WorkerPlan) -> None:
        """Start a worker beside those that run."""

    def drop(self, cameras: Collection[str]) -> None:
        """Stop cameras for good; their last status stays in what `poll` reports."""

    def poll(self) -> FleetReport:
        """Take what all workers report; a worker that does not answer soon reports later."""

    def hosts(self) -> Mapping[str, Any]:
        """By camera that runs, what the web app asks for its pictures."""

    def application(self, camera_id: str) -> str:
        """The application that answers for a camera."""
