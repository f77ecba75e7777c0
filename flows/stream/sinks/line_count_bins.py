"""Line crossings by minute, with the time in which each camera was looked at."""

import bisect
import statistics
import threading
from collections import deque
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from flows.stream.analysis.results import Result
from streetloop.cameras import Camera
from streetloop.ledger.line_counts import CountKey, CoverageKey, LineCounts, minute_of
from streetloop.types import Frame

_BRIDGED_S = 0.5  # a tracker finds its objects again after that
_PERIODS = 2.0  # frame periods that are bridged, too, where a camera is slow
_MAX_PERIOD_S = 5.0  # of a camera; a longer one is an outage
_MAX_STEP_S = 10.0  # of the wall clock; a recording that stood still for longer was not looked at
_KEPT_FRAMES = 1024  # for frames that come late: the detector answers after the gate has spoken
_STEPS = 15


class LineCountBins:
    """A `Sink` that counts crossings by minute of UTC until they are collected.

    A camera counts as looked at between two frames that were detected, or skipped because nothing
    moves, if they are at most half a second or two frame periods of media time apart. Frames that
    were dropped or failed, and times without frames, are not covered. Frames may come from several
    threads, and late.

    Args:
        cameras: The cameras; those without lines are left out.
    """

    def __init__(self, cameras: Sequence[Camera]) -> None:
        self._lines = {camera.id: tuple(camera.lines) for camera in cameras if camera.lines}
        self._watched = {c.id: _Watched(1 / c.fps if c.fps else 0.0) for c in cameras if c.lines}
        self._found = LineCounts()
        self._lock = threading.Lock()

    def take(self, result: Result) -> None:
        """See `Sink.take`."""
        frame = result.frame
        if frame.camera_id not in self._lines:
            return
        minute = minute_of(frame.captured_at)
        with self._lock:
            for one in result.crossings:
                key = CountKey(frame.camera_id, minute, one.line, one.direction, one.class_name)
                self._found.crossings[key] += 1
                self._found.inferred[key] += one.inferred
            self._look_at(frame)

    def skip(self, frame: Frame) -> None:
        """Note a frame that was not detected because nothing moves; any thread may call it."""
        if frame.camera_id in self._lines:
            with self._lock:
                self._look_at(frame)

    def collect(self) -> LineCounts:
        """Crossings and coverage since the last call."""
        with self._lock:
            found, self._found = self._found, LineCounts()
        return found

    def close(self) -> None:
        """See `Sink.close`: what is left waits for `collect`."""

    def _look_at(self, frame: Frame) -> None:
        camera = frame.camera_id
        for start, end in self._watched[camera].add(frame):
            for minute, ms in _by_minute(start, end):
                for line in self._lines[camera]:
                    self._found.covered_ms[CoverageKey(camera, minute, line)] += ms


class _Look(NamedTuple):
    pts: float
    at: datetime
    frame_id: int


class _Watched:
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


def _by_minute(start: datetime, end: datetime) -> Iterator[tuple[int, int]]:
    """Minutes since 1970, and milliseconds of a stretch in each; the parts add up to the whole."""
    begin, until = (_milliseconds(moment) for moment in (start, end))
    while begin < until:
        minute = begin // 60_000
        part = min(until, (minute + 1) * 60_000)
        yield minute, part - begin
        begin = part


def _milliseconds(moment: datetime) -> int:
    return (moment - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(milliseconds=1)
