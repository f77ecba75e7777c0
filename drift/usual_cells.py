"""The cells of a view as they usually are, by hour of the day: a night is no covering."""

import numpy as np

from drift.measurement.image_features import Cells

_DAY_S, _HOUR_S = 86400, 3600
_OF_AN_HOUR = 300  # periods over which the cells of an hour are averaged: five days of minutes
_OF_ALL = 1440
_KNOWN = 15  # periods of an hour; what covers a view alarms before a tenth of them


class UsualCells:
    """Mean cells of each hour of the day (UTC), and of all: about 220 kB once all are known."""

    def __init__(self) -> None:
        self._all: Cells | None = None
        self._periods = 0
        self._hours: dict[int, tuple[Cells, int]] = {}

    def learn(self, cells: Cells, at_s: float) -> None:
        """Let cells count as usual.

        Args:
            cells: (2, 18, 32) of a period.
            at_s: When it began, seconds since 1970.
        """
        self._all = mixed(self._all, cells, _OF_ALL, self._periods)
        self._periods += 1
        mean, count = self._hours.get(_hour(at_s), (None, 0))
        self._hours[_hour(at_s)] = mixed(mean, cells, _OF_AN_HOUR, count), count + 1

    def knows(self, at_s: float) -> bool:
        """True if enough was seen of the hour of this moment to tell what is usual in it.

        Args:
            at_s: Seconds since 1970.
        """
        return _hour(at_s) in self._hours and self._hours[_hour(at_s)][1] >= _KNOWN

    def at(self, at_s: float) -> Cells | None:
        """Usual cells of the hour of this moment; of all hours until that one is known.

        Args:
            at_s: Seconds since 1970.

        Returns:
            (2, 18, 32); None before any were learned.
        """
        return self._hours[_hour(at_s)][0] if self.knows(at_s) else self._all


def _hour(at_s: float) -> int:
    return int(at_s % _DAY_S // _HOUR_S)


def mixed(mean: Cells | None, new: Cells, over: int, count: int) -> Cells:
    """A mean over about the last ``over`` of ``count`` values, and a new one."""
    if mean is None:
        return new
    share = 1 / min(over, count + 1)
    return np.asarray(mean + share * (new - mean), np.float32)
