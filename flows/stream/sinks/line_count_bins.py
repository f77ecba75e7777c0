"""Line crossings by minute, with the time in which each camera was looked at."""

import threading
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta

from flows.stream.analysis.results import Result
from flows.stream.analysis.watched_time import WatchedTime
from streetloop.cameras.camera_file import Camera
from streetloop.cameras.speed_summary import whole_kmh
from streetloop.ledger.line_counts import CountKey, CoverageKey, LineCounts, SpeedKey, minute_of
from streetloop.types import Frame


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
        self._watched = {c.id: WatchedTime(1 / c.fps if c.fps else 0.0) for c in cameras if c.lines}
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
                if one.speed_kmh is not None:
                    self._found.speeds[SpeedKey(*key, whole_kmh(one.speed_kmh))] += 1
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
