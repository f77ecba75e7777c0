"""One worker with the account of its cameras, over the lives of its process."""

import dataclasses
import logging
import threading
import time
from collections import Counter
from collections.abc import Callable, Collection, Mapping
from concurrent.futures import Future
from datetime import UTC, datetime
from math import inf

from flows.runtime.workers.planner import WorkerPlan
from flows.runtime.workers.stream_fleet import WORKER_RESTARTED, Restart, WorkerHandle, WorkerReport
from flows.stream.analysis.line_totals import LineTotals
from flows.stream.analysis.status import CameraStatus
from flows.stream.ingest.accounting import DropReason
from flows.stream.ingest.camera_state import FINISHED, CameraState
from flows.stream.sinks.stream_meter import MeterReading
from serve.rollout.route_table import RouteTable
from serve.rollout.statistics.evidence import Evidence
from streetloop.errors import ProcessDied

_log = logging.getLogger(__name__)

MAX_RESTARTS = 20
_CLOSE_S = 120.0

Spawn = Callable[[WorkerPlan], WorkerHandle]
"""Starts the process of a worker; does not wait for it."""


class SupervisedWorker:
    """Restarts a worker that dies, and keeps the account of its cameras.

    Frames that a dead process held count as failed, so the account still adds up.

    Args:
        plan: What the worker is to do.
        spawn: Starts its process.
        handle: Its process, if it runs already; else `start` starts one.

    Attributes:
        statuses: The last known status of each camera.
        finished: True if nothing is left to do.
        handle: The process, once `start` was called.
        meter: What its process last said that it has counted.
    """

    def __init__(self, plan: WorkerPlan, spawn: Spawn, handle: WorkerHandle | None = None) -> None:
        self._plan, self._spawn = plan, spawn
        self.statuses: Mapping[str, CameraStatus] = {
            c.id: plan.before.get(c.id, CameraStatus(c.id)) for c in plan.cameras
        }
        if handle is not None:
            self.handle = handle
        self.finished, self.meter = False, MeterReading()
        self._restarts = 0
        self._untold: list[Restart] = []
        self._is_closing = False
        self._lock = threading.Lock()  # of the plan: routes come from the thread of the rollout
        self._pending: Future[WorkerReport] | None = None
        self._is_evidence_stale = False
        self._reported_s = time.monotonic()

    @property
    def name(self) -> str:
        """Its name, which stays when its process is started again."""
        return self._plan.name

    @property
    def silent_s(self) -> float:
        """Seconds since its last report, or since its start; 0 once it has nothing left to do."""
        return 0.0 if self.finished else time.monotonic() - self._reported_s

    @property
    def cameras(self) -> list[str]:
        """The ids of the cameras that run here."""
        return [camera.id for camera in self._plan.cameras]

    def start(self) -> Future[None]:
        """Start the process and its cameras."""
        self.handle = self._spawn(self._plan)
        return self.handle.start()

    # Reports

    def ask(self) -> Future[WorkerReport] | None:
        """Ask for a report; None if the one before has not come yet, or none will."""
        if self._pending is not None or self._restarts > MAX_RESTARTS:
            return None
        self._pending = self.handle.report()
        return self._pending

    def take(self) -> WorkerReport | None:
        """The report that was asked for if it has come; a worker that died is started again."""
        if self._pending is None or not self._pending.done():
            return None
        pending, self._pending = self._pending, None
        is_stale, self._is_evidence_stale = self._is_evidence_stale, False
        try:
            report = pending.result()
        except ProcessDied as error:
            if not self._is_closing:
                self._replace(error)
            return None
        self._note(report.statuses)
        self.meter, self._reported_s = report.meter, time.monotonic()
        self.finished = report.finished
        return dataclasses.replace(report, evidence=Evidence()) if is_stale else report

    # Orders

    def follow(self, table: RouteTable) -> Future[None]:
        """Send each camera's frames where the table says, after a restart, too."""
        with self._lock:
            self._plan = dataclasses.replace(self._plan, routes=table)
            if not table.compared and self._pending is not None:
                self._is_evidence_stale = True  # what is on its way is about a rollout that ended
            return self.handle.follow(table)

    def drop(self, cameras: Collection[str]) -> tuple[Mapping[str, CameraStatus], list[WorkerReport]]:
        """Stop some cameras for good; the last status of each, and what the worker reported."""
        mine = [name for name in self.cameras if name in cameras]
        if not mine:
            return {}, []
        reports: list[WorkerReport] = []
        try:
            last = self.handle.drop(mine).result(_CLOSE_S)
        except (TimeoutError, ProcessDied) as error:
            _log.error("worker %s did not stop %s (%s)", self._plan.name, mine, _kind(error))
        else:
            reports = [report for report in (self.take(), last) if report is not None]
            self._note(last.statuses)
        with self._lock:
            left = [camera for camera in self._plan.cameras if camera.id not in mine]
            self._plan = dataclasses.replace(self._plan, cameras=left)
        ended = {name: _ended(self.statuses[name]) for name in mine}
        self.statuses = {name: status for name, status in self.statuses.items() if name not in ended}
        return ended, reports

    def begin_close(self) -> Future[WorkerReport]:
        """Stop all cameras; `end_close` waits until everything is written."""
        self._is_closing = True
        return self.handle.close()

    def end_close(self, closing: Future[WorkerReport], timeout_s: float = inf) -> list[WorkerReport]:
        """Wait until everything is written; what the worker reported since the last `take`."""
        last: WorkerReport | None = None
        try:
            last = closing.result(min(timeout_s, _CLOSE_S))
        except Exception as error:  # noqa: BLE001
            # The boundary of a process that ends: the frames that it still held have failed.
            _log.error("worker %s did not end cleanly: %s", self._plan.name, _kind(error))
        late = self.take()
        if last is None:
            self.statuses = {key: _died(status) for key, status in self.statuses.items()}
        else:
            self._note(last.statuses)
        return [report for report in (late, last) if report is not None]

    def take_restarts(self) -> list[Restart]:
        """The deaths of its process since the last call."""
        untold, self._untold = self._untold, []
        return untold

    def _note(self, found: Mapping[str, CameraStatus]) -> None:
        running, before = set(self.cameras), self._plan.before
        # A camera that had ended before its worker died is not in the new one.
        self.statuses = {**self.statuses} | {
            name: _after(before[name], status) if name in before else status
            for name, status in found.items()
            if name in running
        }

    def _replace(self, error: ProcessDied) -> None:
        _log.error("worker %s died (%s)", self._plan.name, error)
        self.statuses = {key: _died(status) for key, status in self.statuses.items()}
        self._restarts += 1
        restart = Restart(WORKER_RESTARTED, self._plan.name, datetime.now(UTC), str(error), self.cameras)
        self._untold.append(restart)
        if self._restarts > MAX_RESTARTS:
            self.statuses = {
                key: dataclasses.replace(status, state=CameraState.FAILED, error="its worker died too often")
                for key, status in self.statuses.items()
            }
            self.finished = True
            return
        self.handle.kill()  # out of reach is not dead: it would go on reading beside its successor
        with self._lock:
            remaining = [c for c in self._plan.cameras if self.statuses[c.id].state not in FINISHED]
            self._plan = dataclasses.replace(
                self._plan, generation=self._plan.generation + 1, cameras=remaining, before=self.statuses
            )
            self.start()


def _kind(error: Exception) -> str:
    return type(error).__name__


def _died(status: CameraStatus) -> CameraStatus:
    return dataclasses.replace(status, account=status.account.closed(DropReason.WORKER))


def _ended(status: CameraStatus) -> CameraStatus:
    return dataclasses.replace(
        _died(status), state=CameraState.ENDED, error=None, faults=(), detector_error=None
    )


def _after(before: CameraStatus, now: CameraStatus) -> CameraStatus:
    """The status of a camera that ran before, in a worker that died or was closed."""
    lines = {
        name: before.lines.get(name, LineTotals()) + now.lines.get(name, LineTotals())
        for name in {**now.lines, **before.lines}
    }
    return dataclasses.replace(
        now,
        account=before.account + now.account,
        reconnects=before.reconnects + now.reconnects,
        gaps=before.gaps + now.gaps,
        objects_by_class=dict(Counter(before.objects_by_class) + Counter(now.objects_by_class)),
        first_at=before.first_at or now.first_at,
        last_at=now.last_at or before.last_at,
        lines=lines,
    )
