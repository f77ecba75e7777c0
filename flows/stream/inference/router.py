"""Routes each camera's frames to an application, as the route table says."""

import threading
from collections.abc import Iterable

from serve.rollout.route_table import CHALLENGER, CHAMPION, RouteTable
from streetloop.types import Frame

_MIN_SUSPENSION_S, _MAX_SUSPENSION_S = 2.0, 60.0


class Router:
    """Holds the route table of a pipeline, and the application that each camera is at.

    A camera changes its application only while none of its frames is in flight, so its tracker
    sees the frames in order.

    Args:
        cameras: Ids of all cameras.
        ready: Notified when a camera may have changed its application. The caller of `cameras_of`
            and `sent` holds it, so that no table comes between the two.

    Attributes:
        table: The table in force. It is replaced as a whole and never modified.
    """

    def __init__(self, cameras: Iterable[str], ready: threading.Condition) -> None:
        self.table = RouteTable()
        self._ready = ready
        self._current = {camera: self.table.application(camera) for camera in cameras}
        self._in_flight = dict.fromkeys(self._current, 0)
        self._suspended_until = 0.0
        self._suspension_s = _MIN_SUSPENSION_S

    def follow(self, table: RouteTable) -> None:
        """Put a new table in force; it also ends a suspension of the challenger."""
        with self._ready:
            self.table = table
            self._suspended_until, self._suspension_s = 0.0, _MIN_SUSPENSION_S
            self._ready.notify_all()

    def applications(self, cameras: Iterable[str]) -> set[str]:
        """The applications that frames of ``cameras`` may go to, and always `CHAMPION`."""
        routes = (self.table.application, self.table.champion_application)
        return {CHAMPION, *(route(camera) for camera in cameras for route in routes)}

    def cameras_of(self, application: str, now_s: float) -> set[str]:
        """The cameras whose frames may be sent to ``application`` at ``now_s`` (monotonic)."""
        for camera, in_flight in self._in_flight.items():
            if not in_flight:
                self._current[camera] = self._target(camera, now_s)
        return {
            camera
            for camera, current in self._current.items()
            if current == application == self._target(camera, now_s)
        }

    def sent(self, frames: Iterable[Frame]) -> None:
        """Count frames as in flight at their cameras' application."""
        for frame in frames:
            self._in_flight[frame.camera_id] += 1

    def settled(self, frames: Iterable[Frame]) -> None:
        """Count frames as no longer in flight: answered or failed."""
        with self._ready:
            for frame in frames:
                self._in_flight[frame.camera_id] -= 1
            self._ready.notify_all()

    def suspend_challenger(self, now_s: float) -> None:
        """Route the challenger's cameras to their champions for a while.

        The first suspension lasts 2 s, each further one twice as long up to 60 s, until a new
        table comes.
        """
        with self._ready:
            self._suspended_until = now_s + self._suspension_s
            self._suspension_s = min(2 * self._suspension_s, _MAX_SUSPENSION_S)

    def _target(self, camera_id: str, now_s: float) -> str:
        application = self.table.application(camera_id)
        if application == CHALLENGER and now_s < self._suspended_until:
            return self.table.champion_application(camera_id)
        return application
