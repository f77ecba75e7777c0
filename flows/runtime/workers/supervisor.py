"""Keeps the workers running, and puts their reports together."""

import contextlib
import dataclasses
import threading
import time
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from concurrent.futures import wait
from datetime import UTC, datetime
from math import inf
from typing import Any

from flows.runtime.replica_scaler import FrameTotals
from flows.runtime.workers.planner import WorkerPlan
from flows.runtime.workers.stream_fleet import (
    DETECTOR_RESTARTED,
    FleetReport,
    Restart,
    WorkerHandle,
    WorkerReport,
)
from flows.runtime.workers.supervised_worker import MAX_RESTARTS, Spawn, SupervisedWorker
from flows.stream.analysis.status import CameraStatus
from flows.stream.inference.batch import DetectorProcess
from serve.rollout.route_table import RouteTable
from serve.rollout.statistics.evidence import Evidence
from streetloop.errors import ProcessDied
from streetloop.ledger.line_counts import LineCounts

_REPORT_S = 1.0
_FOLLOW_S = 10.0
_NO_EVIDENCE = Evidence()


class Supervisor:
    """Starts a worker for each plan, and another in the place of one that dies.

    It is a `StreamFleet`. `follow`, `application` and `collect_evidence` may be called from another
    thread than the rest.

    Args:
        plans: What the workers are to do that run from the start.
        spawn: Starts the process of a worker.
        replicas: Processes of each application, unless `expect_replicas` says otherwise.
        adopted: Workers that run already, each with its plan.
    """

    def __init__(
        self,
        plans: Sequence[WorkerPlan],
        spawn: Spawn,
        replicas: int = 1,
        adopted: Sequence[tuple[WorkerPlan, WorkerHandle]] = (),
    ) -> None:
        self._spawn, self._least_replicas = spawn, replicas
        self._new = [SupervisedWorker(plan, spawn) for plan in plans]
        self._workers = [SupervisedWorker(plan, spawn, handle) for plan, handle in adopted] + self._new
        self._past: dict[str, CameraStatus] = {}
        self._reports: list[WorkerReport] = []
        self._evidence = Evidence()
        self._generation = max((plan.generation for plan, _ in adopted), default=0)
        self._restarts: list[Restart] = []
        self._detectors: defaultdict[tuple[str, str], set[int]] = defaultdict(set)
        self._replicas: dict[str, int] = {}
        self._routes = RouteTable()
        self._lock = threading.Lock()

    def start(self) -> None:
        """Start all workers; returns once all cameras are being read.

        Raises:
            ProcessDied: A worker could not be started.
        """
        for started in [worker.start() for worker in self._new]:
            started.result()

    def add(self, plan: WorkerPlan) -> None:
        """Start a worker beside those that run; a camera that ran before keeps its account."""
        before = {c.id: self._past.pop(c.id) for c in plan.cameras if c.id in self._past}
        self._generation += MAX_RESTARTS + 1  # track ids stay apart
        with self._lock:
            plan = dataclasses.replace(plan, generation=self._generation, routes=self._routes, before=before)
            worker = SupervisedWorker(plan, self._spawn)
            started = worker.start()
            self._workers.append(worker)
        with contextlib.suppress(ProcessDied):  # `poll` starts another in its place
            started.result()

    def drop(self, cameras: Collection[str]) -> None:
        """Stop cameras for good; their last status stays in what `poll` and `close` report."""
        for worker in self._workers:
            ended, reports = worker.drop(cameras)
            self._past |= ended
            self._keep(reports)
        with self._lock:
            empty = [worker for worker in self._workers if not worker.cameras]
            self._workers = [worker for worker in self._workers if worker.cameras]
        for worker in empty:
            self._keep(worker.end_close(worker.begin_close()))
            worker.handle.kill()

    def hosts(self) -> dict[str, Any]:
        """By camera that runs, what the web app asks for its pictures."""
        return {name: worker.handle.host for worker in self._workers for name in worker.cameras}

    def application(self, camera_id: str) -> str:
        """The application that answers for a camera."""
        return self._routes.application(camera_id)

    def totals(self) -> dict[str, FrameTotals]:
        """See `flows.runtime.replica_scaler.ScaledFleet.totals`."""
        with self._lock:
            statuses = [status for worker in self._workers for status in worker.statuses.values()]
            routes = self._routes
        found: dict[str, FrameTotals] = {}
        for status in statuses:
            application, account = routes.application(status.camera_id), status.account
            decoded, dropped = found.get(application, FrameTotals(0, 0))
            found[application] = FrameTotals(
                decoded + account.decoded - account.gated, dropped + account.dropped
            )
        return found

    def expect_replicas(self, application: str, started: int) -> None:
        """See `flows.runtime.replica_scaler.ScaledFleet.expect_replicas`."""
        self._replicas[application] = started

    def poll(self) -> FleetReport:
        """Take what all workers report, and start another in the place of one that died.

        All workers are asked at once, and have a second together. The report of one that needs
        longer is taken by the first call after it has come; nobody waits for it until then.
        """
        asked = [worker.ask() for worker in self._workers]
        wait([report for report in asked if report is not None], timeout=_REPORT_S)
        self._keep(report for worker in self._workers if (report := worker.take()) is not None)
        return self._hand_out()

    def collect_evidence(self) -> Evidence:
        """Evidence about a challenger that reports brought since the last call."""
        with self._lock:
            found, self._evidence = self._evidence, Evidence()
        return found

    def follow(self, table: RouteTable) -> None:
        """Send each camera's frames where the table says; returns once all workers do.

        A table that compares nobody ends a rollout: what was found about its challenger is dropped.
        """
        with self._lock:
            self._routes = table
            if not table.compared:
                self._evidence = Evidence()
            told = [worker.follow(table) for worker in self._workers]
        for answer in wait(told, timeout=_FOLLOW_S).done:
            with contextlib.suppress(ProcessDied):  # `poll` replaces it; its successor is told, too
                answer.result()

    @property
    def finished(self) -> bool:
        """True if no worker has anything left to do."""
        return all(worker.finished for worker in self._workers)

    def close(self, timeout_s: float = inf) -> FleetReport:
        """Stop all workers, wait until everything is written, and take their last reports.

        Args:
            timeout_s: Longest wait in seconds for all together; the frames that a worker still
                holds then have failed.
        """
        end = time.monotonic() + timeout_s
        closing = [(worker, worker.begin_close()) for worker in self._workers]
        for worker, closed in closing:
            self._keep(worker.end_close(closed, max(0.0, end - time.monotonic())))
        return self._hand_out()

    def kill(self) -> None:
        """End the processes of all workers, which were closed before."""
        for worker in self._workers:
            worker.handle.kill()

    def note_restart(self, restart: Restart) -> None:
        """Report the death of a process that is not a worker's."""
        self._restarts.append(restart)

    def _keep(self, reports: Iterable[WorkerReport]) -> None:
        for report in reports:
            self._reports.append(report)
            self._notice(report.detectors)
            if report.evidence != _NO_EVIDENCE:
                with self._lock:
                    self._evidence += report.evidence

    def _notice(self, detectors: Mapping[str, DetectorProcess]) -> None:
        """Note detectors that were started again: more processes answer than were started."""
        for application, (version, process) in detectors.items():
            known = self._detectors[application, version]
            replicas = self._replicas.get(application, self._least_replicas)
            if process not in known and len(known) >= replicas:
                cause = f"a process of {version} died, or did not answer any more"
                self._restarts.append(Restart(DETECTOR_RESTARTED, application, datetime.now(UTC), cause))
            known.add(process)  # a worker that is late may name the one before

    def _hand_out(self) -> FleetReport:
        reports, self._reports = self._reports, []
        restarts, self._restarts = self._restarts, []
        restarts += [one for worker in self._workers for one in worker.take_restarts()]
        statuses = dict(self._past)
        for worker in self._workers:
            statuses |= worker.statuses
        return FleetReport(
            statuses,
            [period for report in reports for period in report.periods],
            [review for report in reports for review in report.candidates],
            LineCounts.total(report.counts for report in reports),
            restarts,
            [worker.meter for worker in self._workers],
            [anomaly for report in reports for anomaly in report.anomalies],
            {worker.name: worker.silent_s for worker in self._workers},
        )
