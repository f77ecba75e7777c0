"""Whether a street is too fast for the rate at which its frames are analysed."""

import math
from collections import deque
from collections.abc import Iterable

import numpy as np

from flows.stream.analysis.tracker import Track

_MAX_STEP = 0.75  # scales of a box a frame; beyond it tracks break and crossings are missed
_GOOD_STEP = 0.5  # at it none of the measured lines missed more than one crossing
_MAX_SPEEDS, _MIN_SPEEDS = 1000, 12
_MAX_ENDED, _MIN_ENDED, _LOST_SHARE = 20, 4, 0.5
_MAX_BLIND_FPS = 6.0  # above it objects that are seen once are rather false boxes


class RateCheck:
    """Compares the speed of a camera's objects with its frame rate.

    Speeds are in scales of the box (the square root of its area) a second, as the tracker has them,
    since what an object may move between two frames depends on its size. Where objects are so fast
    that most of them are never seen twice, no speed is known; then they say so by themselves.
    """

    def __init__(self) -> None:
        self._speeds: deque[float] = deque(maxlen=_MAX_SPEEDS)
        self._lost: deque[bool] = deque(maxlen=_MAX_ENDED)

    def add(self, seen: Iterable[Track], ended: int, lost: int) -> None:
        """Take one analysed frame.

        Args:
            seen: Confirmed tracks that were detected in it.
            ended: Number of confirmed tracks that ended with it.
            lost: Number of tracks that ended before they were confirmed.
        """
        for track in seen:
            if track.moved:
                self._speeds.append(track.recent[-1].scales_per_s)
        self._lost.extend([False] * ended + [True] * lost)

    def needed_fps(self, fps: float) -> float | None:
        """The rate that this street needs, if it is above ``fps``; None if that suffices.

        Args:
            fps: Frames that are analysed a second.
        """
        if len(self._speeds) >= _MIN_SPEEDS:
            speed = float(np.percentile(list(self._speeds), 95))
            if speed > _MAX_STEP * fps:
                return math.ceil(speed / _GOOD_STEP)
        lost = list(self._lost)
        if fps <= _MAX_BLIND_FPS and len(lost) >= _MIN_ENDED and np.mean(lost) > _LOST_SHARE:
            return math.ceil(2 * fps)
        return None
