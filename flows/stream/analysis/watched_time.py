"""When a camera was looked at."""

import bisect
import statistics
from collections import deque
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import NamedTuple

from streetloop.types import Frame

_BRIDGED_S = 0.5  # a tracker finds its objects again after that
_PERIODS = 2.0  # frame periods that are bridged, too, where a camera is slow
_MAX_PERIOD_S = 5.0  # of a camera; a longer one is an outage
_MAX_STEP_S = 10.0  # of the wall clock; a recording that stood still for longer was not looked at
_KEPT_FRAMES = 1024  # for frames that come late: the detector answers after the gate has spoken
_STEPS = 15


class _Look(NamedTuple):
    pts: float
    at: datetime
    frame_id: int


class WatchedTime:
    """When one camera was looked at.

    Args:
        period_s: Least media time between frames that are to be analysed; 0 for every frame.
    """

    def __init__(self, period_s: float) -> None:
        self._period_s = period_s
        self._looks: list[_Look] = []
        self._steps: deque[float] = deque(maxlen=_STEPS)

    def add(self, frame: Frame) -> Iterator[tuple[datetime, datetime]]:
        """The stretches that this frame adds; none is there twice in whatever order they come."""
        look = _Look(frame.pts, frame.captured_at, frame.frame_id)
        place = bisect.bisect(self._looks, look)
        before = self._looks[place - 1] if place else None
        after = self._looks[place] if place < len(self._looks) else None
        self._looks.insert(place, look)
        del self._looks[:-_KEPT_FRAMES]
        if before is not None:
            self._steps.append((look.pts - before.pts) / max(1, look.frame_id - before.frame_id))
        if before is not None and after is not None and self._is_bridged(before, after):
            return
        for first, second in ((before, look), (look, after)):
            if first is not None and second is not None and self._is_bridged(first, second):
                yield first.at, second.at

    def _is_bridged(self, first: _Look, second: _Look) -> bool:
        seen_s = min(statistics.median(self._steps or [0.0]), _MAX_PERIOD_S)
        longest_s = max(_BRIDGED_S, _PERIODS * max(self._period_s, seen_s)) + 1e-6
        is_short = timedelta() < second.at - first.at <= timedelta(seconds=max(_MAX_STEP_S, longest_s))
        return second.pts - first.pts <= longest_s and is_short
