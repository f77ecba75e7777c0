"""What is done twice a second while cameras run. Plain Python: no signal, no console, no Ray."""

import dataclasses
import threading
import time
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Protocol

from flows.runtime.workers.planner import WorkerPlan
from flows.runtime.workers.stream_fleet import FleetReport, Restart, StreamFleet
from flows.stream.analysis.status import CameraStatus
from streetloop.cameras.camera_file import Camera
from streetloop.cameras.camera_set import CameraSetWatcher
from streetloop.errors import ConfigError, StreetloopError
from streetloop.host.polling import SayOnce

_PERIOD_S = 0.5


class Observer(Protocol):
    """Reads what the cameras report."""

    def observe(self, report: FleetReport) -> None:
        """Take a report."""

    def leave(self, cameras: Collection[str]) -> None:
        """Cameras were removed, and everything that they reported was observed."""


class Publisher(Protocol):
    """Shows people the state of the cameras."""

    def publish(
        self, cameras: Iterable[Camera], statuses: Mapping[str, CameraStatus], fleet: StreamFleet
    ) -> None:
        """Take the state of all cameras."""

    def take_restarts(self) -> Sequence[Restart]:
        """Restarts of its own process since the last call."""


class SessionLoop:
    """Starts and stops cameras as the camera set says, and passes reports on.

    Args:
        cameras: The cameras that are to run.
        fleet: Runs them.
        observer: Is given every report.
        publisher: Is given the state of the cameras; None if no app is served.
        plan: Plans the workers for added cameras.
        check: Raises `ConfigError` for a camera that cannot run.
        say: Called with a sentence for people.
    """

    def __init__(
        self,
        cameras: CameraSetWatcher,
        fleet: StreamFleet,
        observer: Observer,
        publisher: Publisher | None,
        plan: Callable[[Sequence[Camera]], Sequence[WorkerPlan]],
        check: Callable[[Camera], object],
        say: Callable[[str], None],
    ) -> None:
        self._cameras, self._fleet, self._observer = cameras, fleet, observer
        self._publisher, self._plan, self._check, self._say = publisher, plan, check, say
        self._say_once = SayOnce(say)
        self._removed: set[str] = set()
        self._failing: set[str] = set()

    def run(
        self,
        stop: threading.Event,
        duration_s: float | None,
        until: Callable[[], bool],
        show: Callable[[Mapping[str, CameraStatus]], None],
    ) -> None:
        """Repeat `step` until there is nothing left to do.

        Args:
            stop: Ends the loop at once when it is set.
            duration_s: Ends it after so many seconds; None for no limit.
            until: Asked after each step; True ends it.
            show: Called after each step with the state of all cameras.
        """
        end = None if duration_s is None else time.monotonic() + duration_s
        while not stop.is_set():
            show(self.step())
            left = _PERIOD_S if end is None else min(_PERIOD_S, end - time.monotonic())
            if self.finished or until() or left <= 0:
                return
            stop.wait(left)

    def step(self) -> Mapping[str, CameraStatus]:
        """Adjust the cameras, and pass a report on; the state of all cameras that run or ran."""
        try:
            self._adjust()
            self._say_once.forget()
        except StreetloopError as error:
            self._say_once(str(error))  # the next step tries again
        report = self._fleet.poll()
        if self._publisher is not None:
            restarts = [*report.restarts, *self._publisher.take_restarts()]
            report = dataclasses.replace(report, restarts=restarts)
        self._say_failures(report.statuses)
        self._observer.observe(report)
        if self._removed:
            self._observer.leave(self._removed)
            self._removed = set()
        if self._publisher is not None:
            self._publisher.publish(self._cameras.current, report.statuses, self._fleet)
        return report.statuses

    @property
    def finished(self) -> bool:
        """True if nothing will happen any more; with an app, people may still add a camera."""
        return self._publisher is None and self._fleet.finished

    def _adjust(self) -> None:
        diff = self._cameras.poll()
        if diff.removed:
            self._fleet.drop(diff.removed)
        added = [camera for camera in diff.added if self._can_run(camera)]
        for plan in self._plan(added):
            self._fleet.add(plan)
        started = {camera.id for camera in added}
        stopped = set(diff.removed) - started
        self._removed |= stopped
        for names, what in ((started, "started"), (stopped, "stopped")):
            if names:
                self._say(f"cameras: {', '.join(sorted(names))} {what}")

    def _say_failures(self, statuses: Mapping[str, CameraStatus]) -> None:
        """Say of which cameras the detector begins to fail, and why, and that it answers again."""
        reasons = {key: s.detector_error for key, s in statuses.items() if s.detector_error is not None}
        for key in sorted(reasons.keys() - self._failing):
            self._say(f"camera {key!r}: the detector fails: {reasons[key]}")
        for key in sorted(self._failing - reasons.keys()):
            self._say(f"camera {key!r}: the detector answers again")
        self._failing = set(reasons)

    def _can_run(self, camera: Camera) -> bool:
        """False, and said, of a camera that another version of this program may have written."""
        try:
            self._check(camera)
        except ConfigError as error:
            self._say(str(error))
            return False
        return True
