"""The street: where vehicles usually drive, in which direction, and how fast.

It is learned from the tracks, cell by cell of the picture. A track counts once in each cell that
it enters, so that traffic that stands does not outweigh traffic that flows.
"""

import math
from collections import deque
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from flows.stream.anomalies.scene import Mask, Scene
from flows.stream.tracking.box_motion import Array

_CELLS = 24
_MEMORY = 300.0  # vehicles of a cell; older ones fade
_LEAST = 5.0  # vehicles from which a cell is known
_AGREED = 0.9  # length of the mean direction from which a cell has one
_HEADINGS = 12  # sectors of 30 degrees
_KNOWN = 20.0  # vehicles from which a cell's headings are known
_UNUSUAL = 0.02  # share of its vehicles that drive so
_WAITS, _LEAST_WAITS = 200, 20  # waits of a stop line that are kept, and from which one is usual
_LONG_WAIT, _PATIENCE, _SLACK_S = 0.95, 1.2, 3.0  # quantile, and what is added to it
_STOPS, _LEAST_WAVES = 40, 3  # stops of a cell that are kept, and from which one is usual
_NEXT_WAVE_S = 20.0  # who stops so long after the last one had gone did not stop because of it
_MOVES = 0.3  # scales a second from which a vehicle has a direction


class Street:
    """What is usual at a camera.

    Args:
        width: Width of the picture in pixels.
        height: Its height.
    """

    def __init__(self, width: int, height: int) -> None:
        self._size = np.array([width, height])
        self._vehicles = np.zeros(_CELLS * _CELLS)
        self._direction = np.zeros((_CELLS * _CELLS, 2))
        self._speed = np.zeros(_CELLS * _CELLS)
        self._headings = np.zeros((_CELLS * _CELLS, _HEADINGS))
        self._entered: dict[int, int] = {}
        self._waits: dict[int, deque[float]] = {}
        self._longest: dict[int, float] = {}
        self._stops: dict[int, deque[tuple[float, float]]] = {}
        self._last: tuple[Array, NDArray[np.intp]] | None = None

    def learn(self, scene: Scene, usual: Mask) -> None:
        """Add the vehicles that entered another cell.

        Args:
            scene: What is seen.
            usual: (N,) true for vehicles that do what is usual.
        """
        speed = scene.speed
        cells = self.cells(scene.ground)
        rows = np.flatnonzero(usual & scene.vehicles & (speed > _MOVES))
        present = dict(zip(scene.track_id[rows].tolist(), cells[rows].tolist(), strict=True))
        for row, (track, cell) in zip(rows.tolist(), present.items(), strict=True):
            if self._entered.get(track) == cell:
                continue
            self._entered[track] = cell
            weight = min(float(self._vehicles[cell]) + 1, _MEMORY)
            self._vehicles[cell] = weight
            unit = scene.velocity[row] / (speed[row] * scene.scale[row])
            self._direction[cell] += (unit - self._direction[cell]) / weight
            self._speed[cell] += (speed[row] - self._speed[cell]) / weight
            shares = self._headings[cell]
            shares -= shares / weight
            shares[_sector(*unit.tolist())] += 1 / weight
        if len(self._entered) > 4 * len(present) + 100:
            self._entered = {t: c for t, c in self._entered.items() if t in present}

    def direction(self, ground: Array) -> Array:
        """(N, 2) unit vectors of where vehicles usually drive at (N, 2) places; 0 where unknown."""
        cells = self.cells(ground)
        mean = self._direction[cells]
        length = np.hypot(mean[:, 0], mean[:, 1])
        known = (length > _AGREED) & (self._vehicles[cells] >= _LEAST)
        unit: Array = np.where(known[:, None], mean / np.maximum(length, 1e-9)[:, None], 0.0)
        return unit

    def is_unusual(self, ground: Sequence[float], velocity: Sequence[float]) -> bool:
        """True if hardly anybody drives in that direction at that place, of those seen so far.

        Other than a mean direction it holds where several are usual, as on a junction.

        Args:
            ground: x and y in pixels.
            velocity: The same a second.
        """
        cell = int(self.cells(np.array([ground]))[0])
        k = _sector(*velocity)
        near = self._headings[cell, [k - 1, k, (k + 1) % _HEADINGS]].sum()
        return bool(self._vehicles[cell] >= _KNOWN and near < _UNUSUAL)

    def note_wait(self, stop_line: int, seconds: float) -> None:
        """Note how long a vehicle stood in the queue of a stop line."""
        waits = self._waits.setdefault(stop_line, deque(maxlen=_WAITS))
        waits.append(seconds)
        if len(waits) >= _LEAST_WAITS:
            self._longest[stop_line] = _PATIENCE * float(np.quantile(waits, _LONG_WAIT)) + _SLACK_S

    def longest_wait_s(self, stop_line: int) -> float | None:
        """Seconds that hardly anybody waits at a stop line; None while few have waited there."""
        return self._longest.get(stop_line)

    def note_stop(self, ground: Array, began: float, ended: float) -> None:
        """Note that a vehicle stood at a place (2,) in pixels; both times are media seconds."""
        cell = int(self.cells(ground[None])[0])
        self._stops.setdefault(cell, deque(maxlen=_STOPS)).append((began, ended))

    def longest_stop_s(self, ground: Array) -> float | None:
        """Seconds that hardly anybody stands at a place (2,); None where it is not usual to stand.

        It is where vehicles have stood again and again, such as before a signal. Those that stand
        together, as behind one that broke down, count once.
        """
        cell = int(self.cells(ground[None])[0])
        row, column = divmod(cell, _CELLS)
        near = [
            self._stops.get(y * _CELLS + x, ())
            for y in range(max(0, row - 1), min(_CELLS, row + 2))
            for x in range(max(0, column - 1), min(_CELLS, column + 2))
        ]
        waves, gone, longest = 0, -math.inf, 0.0
        for began, ended in sorted(stop for cell_stops in near for stop in cell_stops):
            waves += began > gone + _NEXT_WAVE_S
            gone, longest = max(gone, ended), max(longest, ended - began)
        return _PATIENCE * longest + _SLACK_S if waves >= _LEAST_WAVES else None

    def speed(self, ground: Array) -> Array:
        """(N,) usual speed in scales a second at (N, 2) places; NaN where unknown."""
        cells = self.cells(ground)
        found: Array = np.where(self._vehicles[cells] >= _LEAST, self._speed[cells], np.nan)
        return found

    def cells(self, ground: Array) -> NDArray[np.intp]:
        """(N,) number of the cell of each place."""
        if self._last is not None and self._last[0] is ground:
            return self._last[1]  # rules ask for the same places one after the other
        cells = (ground * (_CELLS / self._size)).astype(np.intp)
        places = np.minimum(np.maximum(cells, 0), _CELLS - 1)
        found: NDArray[np.intp] = places[:, 1] * _CELLS + places[:, 0]
        self._last = ground, found
        return found


def _sector(x: float, y: float) -> int:
    """The sector of a direction."""
    return int((math.atan2(y, x) / (2 * math.pi) + 1) * _HEADINGS) % _HEADINGS
