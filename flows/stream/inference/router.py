"""Which way each camera's frames take now, as the route table says."""

import threading
from collections.abc import Iterable, Sequence

from flows.stream.ingest.reader import CameraReader
from serve.rollout.route_table import CHALLENGER, RouteTable
from streetloop.types import Frame

_FIRST_REST_S, _LONGEST_REST_S = 2.0, 60.0


class Router:
    """Where each camera is. The caller of every method but `follow` holds ``ready``.

    A camera changes from one application to another only while none of its frames is under way, so
    that its tracker sees them in order.

    Args:
        cameras: Ids of all cameras.
        ready: Notified when a camera may have changed.
    """

    def __init__(self, cameras: Iterable[str], ready: threading.Condition) -> None:
        self.table = RouteTable()
        self._ready = ready
        self._here = {camera: self.table.application(camera) for camera in cameras}
        self._under_way = dict.fromkeys(self._here, 0)
        self._rests_until = 0.0
        self._rest_s = _FIRST_REST_S

    def follow(self, table: RouteTable) -> None:
        """A new table is in force from now on."""
        with self._ready:
            self.table = table
            self._rests_until, self._rest_s = 0.0, _FIRST_REST_S
            self._ready.notify_all()

    def of(self, application: str, readers: Sequence[CameraReader], now_s: float) -> list[CameraReader]:
        """The feeds that a lane may take frames from."""
        for reader in readers:
            camera = reader.camera.id
            if not self._under_way[camera]:
                self._here[camera] = self._wanted(camera, now_s)
        return [
            reader
            for reader in readers
            if self._here[reader.camera.id] == application == self._wanted(reader.camera.id, now_s)
        ]

    def sent(self, frames: Iterable[Frame]) -> None:
        """Frames went to the application where their cameras are."""
        for frame in frames:
            self._under_way[frame.camera_id] += 1

    def settled(self, frames: Iterable[Frame]) -> None:
        """Nothing more will come of these frames."""
        for frame in frames:
            self._under_way[frame.camera_id] -= 1
        self._ready.notify_all()

    def rest_challenger(self, now_s: float) -> None:
        """It failed: its cameras go home for a while, each time for longer, until a new table."""
        self._rests_until = now_s + self._rest_s
        self._rest_s = min(2 * self._rest_s, _LONGEST_REST_S)

    def _wanted(self, camera_id: str, now_s: float) -> str:
        application = self.table.application(camera_id)
        if application == CHALLENGER and now_s < self._rests_until:
            return self.table.champion_application(camera_id)
        return application
