"""What a scrape reads, kept at hand: no scrape waits for a worker, the ledger or a server."""

import threading
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field

from drift.watch import NearestFeature
from flows.runtime.metrics.ledger_reading import LedgerReading
from flows.runtime.metrics.spool_reading import SpoolReading
from flows.runtime.session_loop import Observer
from flows.runtime.workers.stream_fleet import FleetReport
from flows.stream.analysis.status import CameraStatus
from flows.stream.sinks.stream_meter import MeterReading


@dataclass(frozen=True, slots=True)
class Readings:
    """Everything that metrics are made of, at one moment.

    Attributes:
        statuses: By camera.
        meters: Of each worker that runs.
        drift: By camera, the feature that is nearest to its threshold.
        restarts: Processes that were started again, by kind.
        errors: Errors that this process logged, by module.
        ledger: What the ledger says; None while it does not answer.
        dependencies: Whether each answers.
        disk: Free bytes and size of the disk of the home; None while unknown.
        spool: Recorded segments that wait for the object store; None while unknown.
        silent_s: Seconds since the last report of each worker, by its name.
        replicas: How many replicas each application is to have.
    """

    statuses: Mapping[str, CameraStatus] = field(default_factory=dict)
    meters: Sequence[MeterReading] = ()
    drift: Mapping[str, NearestFeature] = field(default_factory=dict)
    restarts: Mapping[str, int] = field(default_factory=dict)
    errors: Mapping[str, int] = field(default_factory=dict)
    ledger: LedgerReading | None = None
    dependencies: Mapping[str, bool] = field(default_factory=dict)
    disk: tuple[int, int] | None = None
    spool: SpoolReading | None = None
    silent_s: Mapping[str, float] = field(default_factory=dict)
    replicas: Mapping[str, int] = field(default_factory=dict)


class MeteredObserver:
    """An `Observer` that keeps the newest report for metrics, and passes it on.

    Args:
        observer: Is given every report.
        drift: Called for the drift of each camera.
    """

    def __init__(self, observer: Observer, drift: Callable[[], Mapping[str, NearestFeature]]) -> None:
        self._observer, self._drift = observer, drift
        self._report = FleetReport({})
        self._removed: set[str] = set()
        self._restarts: dict[str, int] = {"worker": 0, "detector": 0}
        self._lock = threading.Lock()

    def observe(self, report: FleetReport) -> None:
        """See `Observer.observe`."""
        with self._lock:
            self._report = report
            for restart in report.restarts:
                kind = restart.kind.removesuffix("_restarted")
                self._restarts[kind] = self._restarts.get(kind, 0) + 1
        self._observer.observe(report)

    def leave(self, cameras: Collection[str]) -> None:
        """See `Observer.leave`."""
        self._observer.leave(cameras)

    def read(self, running: Collection[str], errors: Mapping[str, int]) -> Readings:
        """The newest report of the cameras that run; any thread may call it.

        Args:
            running: Ids of the cameras that are to run; series of removed ones end.
            errors: Errors that this process logged, by module.
        """
        with self._lock:
            report, restarts = self._report, dict(self._restarts)
        statuses = {name: status for name, status in report.statuses.items() if name in running}
        drift = {name: one for name, one in self._drift().items() if name in running}
        return Readings(statuses, report.meters, drift, restarts, dict(errors), silent_s=report.silent_s)
