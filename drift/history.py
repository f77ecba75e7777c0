"""The history of one camera: a row per drift period, the oldest forgotten."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray

from drift.measurement.features import NAMES
from drift.measurement.image_features import Cells, Edges
from drift.measurement.period import DriftPeriod
from drift.measurement.stream_faults import UsualStream
from drift.statistics.distance import Floats
from drift.usual_cells import UsualCells, mixed

MAX_PERIODS = 28 * 1440
"""Periods that are remembered: four weeks of minutes."""

_USUAL_VIEW = 1440  # periods over which the usual view is averaged
_RECENT_VIEW = 3


@dataclass(frozen=True, slots=True)
class Past:
    """Some periods of a camera, as arrays.

    Attributes:
        times: (N,) starts of the periods, seconds since 1970, rising.
        values: (N, features) as `drift.measurement.features.NAMES`, NaN where it was not measured.
        mix: (N, classes) tracks that appeared.
    """

    times: Floats
    values: NDArray[np.float32]
    mix: NDArray[np.int32]

    def __len__(self) -> int:
        return len(self.times)

    def only(self, which: NDArray[np.bool_]) -> "Past":
        """The periods of a (N,) mask.

        Args:
            which: (N,) true for the periods to keep.
        """
        return Past(self.times[which], self.values[which], self.mix[which])


class History:
    """The periods of one camera in the order of time.

    A period is *whole* if its images were usable, and *clean* if it is also fit to be a reference.

    Args:
        max_periods: How many are remembered. More knows more weeks, and takes memory: 28 days of
            minutes are about 3 MB.
    """

    def __init__(self, max_periods: int = MAX_PERIODS) -> None:
        self._max_periods = max_periods
        self._count = 0
        self._times: Floats = np.zeros(64)
        self._values: NDArray[np.float32] = np.zeros((64, len(NAMES)), np.float32)
        self._mix: NDArray[np.int32] = np.zeros((64, 0), np.int32)
        self._clean: NDArray[np.bool_] = np.zeros(64, bool)
        self._whole: NDArray[np.bool_] = np.zeros(64, bool)
        self._version: NDArray[np.int32] = np.zeros(64, np.int32)
        self._rates: list[float] = []
        self._size = (0, 0)
        self.classes: list[str] = []
        self.versions: list[str] = []
        self.usual_edges: Edges | None = None
        self.recent_edges: Edges | None = None
        self.usual_cells = UsualCells()
        self.recent_cells: Cells | None = None

    def __len__(self) -> int:
        return self._count

    @property
    def newest_s(self) -> float:
        """When the newest period began, seconds since 1970; 0 before the first."""
        return float(self._times[self._count - 1]) if self._count else 0.0

    def is_late(self, period: DriftPeriod) -> bool:
        """True if the period began no later than the newest that is remembered."""
        return bool(self._count) and (period.started_at.timestamp() <= self._times[self._count - 1])

    def append(self, period: DriftPeriod, whole: bool = True) -> None:
        """Remember a period as clean; a late one is left out.

        Args:
            period: The period.
            whole: False if its images were unusable: it is then never compared with anything.
        """
        if self.is_late(period):
            return
        self._make_room()
        row = self._count
        self._times[row] = period.started_at.timestamp()
        self._values[row] = [period.values[name] for name in NAMES]
        self._mix[row] = 0
        for name, count in period.mix.items():
            column = self._class(name)  # may replace the array
            self._mix[row, column] = count
        if period.model_version not in self.versions:
            self.versions.append(period.model_version)
        self._version[row] = self.versions.index(period.model_version)
        self._clean[row] = self._whole[row] = whole
        self._count += 1
        if whole and period.edges is not None:
            self.recent_edges = mixed(self.recent_edges, period.edges, _RECENT_VIEW, row)
        if whole and period.cells is not None:
            self.recent_cells = mixed(self.recent_cells, period.cells, _RECENT_VIEW, row)
        if self._size == (0, 0):
            self._size = (period.width, period.height)
        if period.fps > 0 and len(self._rates) < 60:
            self._rates.append(period.fps)

    def learn_view(self) -> None:
        """Let the recent view count as the camera's usual one."""
        known = min(self._count, _USUAL_VIEW)
        if self.recent_edges is not None:
            self.usual_edges = mixed(self.usual_edges, self.recent_edges, _USUAL_VIEW, known)
        if self.recent_cells is not None:
            self.usual_cells.learn(self.recent_cells, self.newest_s)

    def accept_stream(self, period: DriftPeriod) -> None:
        """Take size and rate of a period as the stream's usual ones from now on."""
        self._size, self._rates = (period.width, period.height), []

    @property
    def usual(self) -> UsualStream | None:
        """Usual size and rate of the stream; None before the first period."""
        if self._size == (0, 0) or not self._rates:
            return None
        return UsualStream(*self._size, float(np.median(self._rates)))

    def exclude_from_reference(self, since: datetime) -> None:
        """Exclude periods from the reference: they show the drift itself.

        Args:
            since: Begin of the first one (UTC).
        """
        self._clean[: self._count] &= self._times[: self._count] < since.timestamp()

    def exclude_last_from_reference(self) -> None:
        """Exclude the newest period."""
        if self._count:
            self._clean[self._count - 1] = False

    def last(self, count: int, after: float = -np.inf) -> Past:
        """The newest whole periods.

        Args:
            count: At most so many.
            after: Only those that began at this moment or later, seconds since 1970.
        """
        start = int(np.searchsorted(self._times[: self._count], after))
        return self._past(start + np.flatnonzero(self._whole[start : self._count])[-count:])

    def clean(self, before: float) -> Past:
        """Periods that are not excluded.

        Args:
            before: Seconds since 1970 (UTC) before which they began.
        """
        end = int(np.searchsorted(self._times[: self._count], before))
        return self._past(np.flatnonzero(self._clean[:end]))

    def of_version(self, past: Past, version: str) -> NDArray[np.bool_]:
        """(N,) mask of the periods of ``past`` that a model answered.

        Args:
            past: The periods.
            version: Version of the model.
        """
        number = self.versions.index(version) if version in self.versions else -1
        rows = np.searchsorted(self._times[: self._count], past.times)
        return np.asarray(self._version[rows] == number)

    def accept_all(self) -> None:
        """Take every whole period as clean: a new model has learned what went on."""
        if self._count and not self._clean[self._count - 1]:  # what is drift now will be usual
            self.usual_cells = UsualCells()
        self._clean[: self._count] = self._whole[: self._count]
        self.usual_edges = None

    def _past(self, rows: NDArray[np.intp]) -> Past:
        return Past(self._times[rows], self._values[rows], self._mix[rows])

    def _class(self, name: str) -> int:
        if name not in self.classes:
            self.classes.append(name)
            self._mix = np.pad(self._mix, ((0, 0), (0, 1)))
        return self.classes.index(name)

    def _make_room(self) -> None:
        room = len(self._times)
        if self._count < room:
            return
        if room >= self._max_periods + self._max_periods // 4:
            gone = self._count - self._max_periods
            for array in self._arrays():
                array[: self._max_periods] = array[gone : self._count].copy()
            self._count = self._max_periods
            return
        more = min(room, self._max_periods + self._max_periods // 4 - room)
        self._times = np.pad(self._times, (0, more))
        self._values = np.pad(self._values, ((0, more), (0, 0)))
        self._mix = np.pad(self._mix, ((0, more), (0, 0)))
        self._clean = np.pad(self._clean, (0, more))
        self._whole = np.pad(self._whole, (0, more))
        self._version = np.pad(self._version, (0, more))

    def _arrays(self) -> Sequence[NDArray[Any]]:
        return self._times, self._values, self._mix, self._clean, self._whole, self._version
