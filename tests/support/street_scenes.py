"""Scenes of a straight street for tests of rules: a carriageway from left to right."""

import copy
from dataclasses import replace
from functools import cache

import numpy as np

from flows.stream.anomalies.scene import ObjectRole, Scene
from flows.stream.anomalies.street import Street
from flows.stream.anomalies.waiting import queues

SIZE = (640, 360)
ROAD = (150.0, 250.0)  # rows of the carriageway
CAR = (50.0, 36.0)
PERSON = (12.0, 36.0)
SPEED = 120.0  # pixels a second of ordinary traffic
_PERIOD_S = 4.0


class StreetScenes:
    """Builds one scene after another.

    Attributes:
        stop_line: Columns of a stop line zone; None for none.
    """

    def __init__(self, stop_line: tuple[float, float] | None = None) -> None:
        self.stop_line = stop_line
        self._rows: list[tuple[float, ...]] = []
        self._pts, self._step = 0.0, 0.0
        self._began: float | None = None

    def begin(self, pts: float) -> None:
        """Start the scene of media time ``pts`` in seconds, with nobody in it."""
        step = 0.0 if self._began is None else pts - self._began
        self._step = step if step <= 5 else 0.0
        self._began = self._pts = pts
        self._rows = []

    def add(
        self,
        track: int,
        x: float,
        y: float,
        *,
        role: ObjectRole = ObjectRole.VEHICLE,
        velocity: tuple[float, float] = (0.0, 0.0),
        still_s: float = 0.0,
        size: tuple[float, float] = CAR,
    ) -> None:
        """Add an object by the middle of its lower edge; lengths in pixels."""
        w, h = size
        box = (x - w / 2, y - h, x + w / 2, y)
        self._rows.append((track, role, *box, x, y, (w * h) ** 0.5, *velocity, still_s))

    def drive_by(self, pts: float, *, speed: float = SPEED) -> None:
        """Add ordinary traffic: a vehicle enters every four seconds in the upper lane."""
        for number in range(int(pts // _PERIOD_S) + 1):
            x = (pts - number * _PERIOD_S) * speed
            if x < SIZE[0]:
                self.add(1000 + number, x, 180.0, velocity=(speed, 0.0))

    def scene(self, street: Street | None = None) -> Scene:
        """The scene as it is now; queues are those of a street."""
        table = np.array(self._rows, np.float64).reshape(-1, 12)
        x, y = table[:, 6], table[:, 7]
        on_road = (y >= ROAD[0]) & (y <= ROAD[1])
        first, last = self.stop_line or (1.0, 0.0)
        waits = on_road & (x >= first) & (x <= last)
        none = np.zeros(len(table), np.bool_)
        found = Scene(
            self._pts,
            self._step,
            table[:, 0].astype(np.int64),
            table[:, 1].astype(np.int64),
            table[:, 2:6].astype(np.float32),
            table[:, 6:8],
            table[:, 8],
            table[:, 9:11],
            table[:, 11],
            np.full(len(table), 0.8),
            np.ones(len(table)),
            np.where(on_road, 0, -1),
            np.where(waits, 1, -1),
            none,
            none,
            np.full(len(table), -1),
        )
        return found if street is None else replace(found, queue=queues(found, street))


def learned() -> Street:
    """A street that has seen ordinary traffic in both lanes."""
    return copy.deepcopy(_learned())


@cache
def _learned() -> Street:
    street, scenes = Street(*SIZE), StreetScenes()
    for number in range(25):
        for frame in range(28):
            pts = number * 10 + frame / 5
            scenes.begin(pts)
            for lane, y in enumerate((180.0, 220.0)):
                scenes.add(2 * number + lane, frame / 5 * SPEED, y, velocity=(SPEED, 0.0))
            scene = scenes.scene()
            street.learn(scene, scene.vehicles)
    return street
