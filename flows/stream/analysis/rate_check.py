"""Whether a street is too fast for the rate at which its frames are analysed."""

import math
import statistics
from collections import deque
from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np

from flows.stream.tracking.tracker import Track
from streetloop.boxes import iou
from streetloop.types import Floats

_MAX_STEP = 0.75  # scales of a box a frame; beyond it tracks break and crossings are missed
_GOOD_STEP = 0.5  # at it none of the measured lines missed more than one crossing
_MAX_SPEEDS, _MIN_SPEEDS = 1000, 12
_STEPS = 15  # between frames in which something moves, whose median is their period
_RATE_TOLERANCE = 0.8  # of the rate that was asked for; above it that rate is meant
_MAX_ENDED, _MIN_ENDED, _LOST_SHARE = 20, 4, 0.5
_MAX_BLIND_FPS = 6.0  # above it objects that are seen once are rather false boxes
_MAX_PLACES, _SAME_PLACE_IOU = 4, 0.5  # of the last lost boxes; what comes again there does not drive


class RateShortfall(NamedTuple):
    """A rate that does not suffice, and one that does.

    Attributes:
        fps: Frames that are analysed a second.
        needed: Frames that should be.
    """

    fps: float
    needed: float


class RateCheck:
    """Compares the speed of a camera's objects with its frame rate.

    Speeds are in scales of the box (the square root of its area) a second, as the tracker has them,
    since what an object may move between two frames depends on its size. The rate is that of frames
    in which something moves: a motion gate passes few others. Where most objects are so fast that
    they are never seen twice, no speed is known; then they say so by themselves.

    Args:
        asked_fps: The camera's own limit of frames a second; None if it has none.
    """

    def __init__(self, asked_fps: float | None) -> None:
        self._asked_fps = asked_fps
        self._steps: deque[float] = deque(maxlen=_STEPS)
        self._moved_at: float | None = None
        self._speeds: deque[float] = deque(maxlen=_MAX_SPEEDS)
        self._lost: deque[bool] = deque(maxlen=_MAX_ENDED)
        self._places: deque[Floats] = deque(maxlen=_MAX_PLACES)

    def add(self, pts: float, seen: Iterable[Track], ended: int, lost: Sequence[Floats]) -> None:
        """Take one analysed frame.

        Args:
            pts: Its media time in seconds.
            seen: Confirmed tracks that were detected in it.
            ended: Number of confirmed tracks that ended with it.
            lost: Boxes (4,) of the tracks that ended before they were confirmed.
        """
        speeds = [track.recent[-1].scales_per_s for track in seen if track.moved]
        if speeds and self._moved_at is not None:
            self._steps.append(pts - self._moved_at)
        self._moved_at = pts if speeds else None
        self._speeds.extend(speeds)
        self._lost.extend([False] * ended)
        for box in lost:
            if not self._is_known_place(box):
                self._lost.append(True)
            self._places.append(box)

    def too_fast(self) -> RateShortfall | None:
        """The rate and the one that this street needs; None if it suffices, or nobody knows yet."""
        fps, asked = self._fps(), self._asked_fps
        if fps is not None and len(self._speeds) >= _MIN_SPEEDS:
            speed = float(np.percentile(list(self._speeds), 95))
            if speed > _MAX_STEP * fps:
                return RateShortfall(fps, math.ceil(speed / _GOOD_STEP))
        lost = list(self._lost)
        if asked is None or asked > _MAX_BLIND_FPS or len(lost) < _MIN_ENDED:
            return None
        return RateShortfall(asked, math.ceil(2 * asked)) if np.mean(lost) > _LOST_SHARE else None

    def _fps(self) -> float | None:
        """Frames analysed a second while something moves: as asked for, unless it is less."""
        period, asked = statistics.median(list(self._steps) or [0.0]), self._asked_fps
        if period <= 0:
            return None
        return asked if asked is not None and asked * _RATE_TOLERANCE <= 1 / period else 1 / period

    def _is_known_place(self, box: Floats) -> bool:
        if not self._places:
            return False
        return bool(iou(box[None], np.array(self._places, np.float32)).max() >= _SAME_PLACE_IOU)
