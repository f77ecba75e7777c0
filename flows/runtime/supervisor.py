"""Keeps the worker actors running and puts their accounts together."""

import contextlib
import dataclasses
import logging
import threading
from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING

import ray
from ray.exceptions import GetTimeoutError, RayActorError, RayError

from drift.measurement.period import DriftPeriod
from flows.runtime.worker import WorkerPlan, spawn
from flows.stream.analysis.status import CameraStatus
from flows.stream.ingest.accounting import DropReason
from flows.stream.ingest.camera_state import FINISHED, CameraState
from serve.rollout.route_table import RouteTable
from serve.rollout.statistics.evidence import Evidence
from streetloop.ledger.reviews import Review

if TYPE_CHECKING:
    from ray.actor import ActorHandle

    from flows.runtime.worker import StreamWorker

_log = logging.getLogger(__name__)

_ANSWER_S = 10.0
_CLOSE_S = 120.0
_MOST_RESTARTS = 20


class Supervisor:
    """Starts one worker for each plan, and another in the place of one that dies.

    Frames that a dead worker held count as failed, so the accounts go on adding up.
    """

    def __init__(self, plans: list[WorkerPlan]) -> None:
        self._workers = [_Worker(plan) for plan in plans]
        self._past: dict[str, CameraStatus] = {}
        self._generation = 0
        self._routes = RouteTable()
        self._lock = threading.Lock()

    def start(self) -> None:
        """Begin; returns once all cameras are being read."""
        ray.get([worker.start() for worker in self._workers])

    def add(self, plan: WorkerPlan) -> None:
        """Start cameras beside those that run; one that ran before goes on with its account."""
        before = {c.id: self._past.pop(c.id) for c in plan.cameras if c.id in self._past}
        self._generation += _MOST_RESTARTS + 1  # track ids stay apart
        with self._lock:
            plan = dataclasses.replace(plan, generation=self._generation, routes=self._routes)
            worker = _Worker(plan, before)
            started = worker.start()
            self._workers.append(worker)
        with contextlib.suppress(RayActorError):  # `poll` starts another in its place
            ray.get(started)

    def drop(self, cameras: Collection[str]) -> None:
        """Stop cameras for good; their accounts stay in what `poll` and `close` say."""
        for worker in self._workers:
            self._past |= worker.drop(cameras)
        with self._lock:
            empty = [worker for worker in self._workers if not worker.cameras]
            self._workers = [worker for worker in self._workers if worker.cameras]
        for worker in empty:
            worker.end()

    def hosts(self) -> "dict[str, ActorHandle[StreamWorker]]":
        """The worker of each camera that runs."""
        return {name: worker.actor for worker in self._workers for name in worker.cameras}

    def application(self, camera_id: str) -> str:
        """The application that answers for a camera."""
        return self._routes.application(camera_id)

    def poll(self) -> dict[str, CameraStatus]:
        """Every camera now; restarts what died."""
        statuses = dict(self._past)
        for worker in self._workers:
            statuses.update(worker.poll())
        return statuses

    def collect_periods(self) -> list[DriftPeriod]:
        """What cameras showed in the minutes that ended since the last call."""
        return [minute for worker in self._workers for minute in worker.collect_periods()]

    def collect_candidates(self) -> list[Review]:
        """Frames worth asking about that were found since the last call."""
        return [review for worker in self._workers for review in worker.collect_candidates()]

    def collect_evidence(self) -> Evidence:
        """What was found about a challenger since the last call."""
        return sum((worker.collect_evidence() for worker in self._workers), Evidence())

    def follow(self, table: RouteTable) -> None:
        """Send each camera's frames where the table says; returns once all workers do."""
        with self._lock:
            self._routes = table
            told = [worker.follow(table) for worker in self._workers]
        for reference in told:
            # One that does not answer is replaced by `poll`, and its successor is told, too.
            with contextlib.suppress(GetTimeoutError, RayActorError):
                ray.get(reference, timeout=_ANSWER_S)

    @property
    def finished(self) -> bool:
        """True if no worker has anything left to do."""
        return all(worker.finished for worker in self._workers)

    def close(self) -> dict[str, CameraStatus]:
        """Stop all, wait until everything is written, and give the last word on every camera."""
        statuses = dict(self._past)
        closing = [(worker, worker.begin_close()) for worker in self._workers]
        for worker, reference in closing:
            statuses.update(worker.end_close(reference))
        return statuses


class _Worker:
    def __init__(self, plan: WorkerPlan, before: Mapping[str, CameraStatus] | None = None) -> None:
        self._plan = plan
        self._before: Mapping[str, CameraStatus] = before or {}
        self._latest: dict[str, CameraStatus] = {
            c.id: self._before.get(c.id, CameraStatus(c.id)) for c in plan.cameras
        }
        self.finished = False
        self._restarts = 0

    @property
    def cameras(self) -> list[str]:
        """Those that run here."""
        return [camera.id for camera in self._plan.cameras]

    def start(self) -> "ray.ObjectRef[None]":
        self.actor = spawn(self._plan)
        started: ray.ObjectRef[None] = self.actor.start.remote()
        return started

    def drop(self, cameras: Collection[str]) -> dict[str, CameraStatus]:
        """The last word on those that ran here."""
        mine = [name for name in self.cameras if name in cameras]
        if not mine:
            return {}
        try:
            asked: ray.ObjectRef[dict[str, CameraStatus]] = self.actor.drop.remote(mine)
            self._note(ray.get(asked, timeout=_CLOSE_S))
        except (GetTimeoutError, RayActorError) as error:
            _log.error("worker %s did not stop %s (%s)", self._plan.name, mine, error)
        left = [camera for camera in self._plan.cameras if camera.id not in mine]
        self._plan = dataclasses.replace(self._plan, cameras=left)
        return {
            name: dataclasses.replace(_died(self._latest.pop(name)), state=CameraState.ENDED, error=None)
            for name in mine
        }

    def end(self) -> None:
        """Write everything out, and end the process."""
        self.end_close(self.begin_close())
        ray.kill(self.actor)

    def poll(self) -> Mapping[str, CameraStatus]:
        try:
            asked: ray.ObjectRef[dict[str, CameraStatus]] = self.actor.snapshot.remote()
            found = ray.get(asked, timeout=_ANSWER_S)
            finished: bool = ray.get(self.actor.finished.remote(), timeout=_ANSWER_S)
        except GetTimeoutError:
            return self._latest
        except RayActorError as error:
            self._replace(error)
            return self._latest
        self._note(found)
        self.finished = finished
        return self._latest

    def collect_periods(self) -> list[DriftPeriod]:
        """None from a worker that does not answer; `poll` replaces one that died."""
        try:
            found: list[DriftPeriod] = ray.get(self.actor.minutes.remote(), timeout=_ANSWER_S)
        except (GetTimeoutError, RayActorError):
            return []
        return found

    def collect_candidates(self) -> list[Review]:
        """None from a worker that does not answer; their frames stay in the store, unasked."""
        try:
            found: list[Review] = ray.get(self.actor.candidates.remote(), timeout=_ANSWER_S)
        except (GetTimeoutError, RayActorError):
            return []
        return found

    def collect_evidence(self) -> Evidence:
        """None from a worker that does not answer."""
        try:
            asked: ray.ObjectRef[Evidence] = self.actor.evidence.remote()
            found = ray.get(asked, timeout=_ANSWER_S)
        except (GetTimeoutError, RayActorError):
            return Evidence()
        return found

    def follow(self, table: RouteTable) -> "ray.ObjectRef[None]":
        self._plan = dataclasses.replace(self._plan, routes=table)
        told: ray.ObjectRef[None] = self.actor.follow.remote(table)
        return told

    def begin_close(self) -> "ray.ObjectRef[dict[str, CameraStatus]]":
        reference: ray.ObjectRef[dict[str, CameraStatus]] = self.actor.close.remote()
        return reference

    def end_close(self, reference: "ray.ObjectRef[dict[str, CameraStatus]]") -> Mapping[str, CameraStatus]:
        try:
            found: dict[str, CameraStatus] = ray.get(reference, timeout=_CLOSE_S)
            self._note(found)
        except RayError as error:
            _log.error("worker %s did not end cleanly: %s", self._plan.name, type(error).__name__)
            self._latest = {key: _died(status) for key, status in self._latest.items()}
        return self._latest

    def _note(self, found: Mapping[str, CameraStatus]) -> None:
        merged = {
            key: _after(self._before[key], status) if key in self._before else status
            for key, status in found.items()
        }
        # A camera that had ended before its worker died is not in the new one.
        running = set(self.cameras)
        here = {key: status for key, status in merged.items() if key in running}
        self._latest = {**self._latest, **here}  # another one: `_before` may be the last

    def _replace(self, error: RayActorError) -> None:
        _log.error("worker %s died (%s)", self._plan.name, type(error).__name__)
        self._latest = {key: _died(status) for key, status in self._latest.items()}
        self._before = self._latest
        generation = self._plan.generation + 1
        self._restarts += 1
        if self._restarts > _MOST_RESTARTS:
            self._latest = {
                key: dataclasses.replace(status, state=CameraState.FAILED, error="its worker died too often")
                for key, status in self._latest.items()
            }
            self.finished = True
            return
        remaining = [c for c in self._plan.cameras if self._latest[c.id].state not in FINISHED]
        self._plan = dataclasses.replace(self._plan, generation=generation, cameras=remaining)
        self.start()


def _died(status: CameraStatus) -> CameraStatus:
    return dataclasses.replace(status, account=status.account.closed(DropReason.WORKER))


def _after(before: CameraStatus, now: CameraStatus) -> CameraStatus:
    """The status of a camera whose earlier part ran in a worker that died."""
    lines = {
        name: {way: before.lines.get(name, {}).get(way, 0) + crossed for way, crossed in count.items()}
        for name, count in now.lines.items()
    }
    return dataclasses.replace(
        now,
        account=before.account + now.account,
        reconnects=before.reconnects + now.reconnects,
        objects=before.objects + now.objects,
        lines=lines,
    )
