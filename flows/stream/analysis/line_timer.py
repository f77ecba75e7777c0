"""Lines along the road whose length is known: what drives along them is counted and timed."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from flows.stream.analysis.counting_lines import Crossing
from flows.stream.analysis.line_totals import LineTally, LineTotals
from streetloop.cameras.zones import Line
from streetloop.types import Floats

_FORGET_S = 120.0  # longer than the tracker keeps a lost track
_GAP_S = 0.5
_NEAR = 0.5  # of the shorter side of a box; more lets in who drives on the next lane
_KMH = 3.6  # a metre a second


class _Place(NamedTuple):
    """Where an object is, relative to a line.

    Attributes:
        along: 0 at the line's start, 1 at its end.
        beside: Whether the object is on the line.
        pts: Media time in seconds.
        gap: Whether nobody saw how it came here.
    """

    along: float
    beside: bool
    pts: float
    gap: bool = False


@dataclass(slots=True)
class _Passage:
    """What a track has passed of a line: where it was last, and where its way along began."""

    last: _Place
    begun: tuple[str, _Place] | None = None


def _any_class() -> str | None:
    return ""


@dataclass
class LineTimer:
    """Counts and times what drives along one line.

    A track is counted when its ground point has passed both ends of the line, ``in`` from the
    first to the second and ``out`` the other way, and was no farther from the line at either than
    half the shorter side of its box. An end is passed where a right angle to the line, in the
    picture, is crossed; the time of it is interpolated between frames. The speed is the mean over
    the whole line, so perspective does not matter.

    >>> timer = LineTimer("stretch", ((0.5, 0.2), (0.5, 0.8)), 20.0)
    >>> boxes = [np.array([45, 10 * t - 10, 55, 10 * t], np.float32) for t in range(1, 10)]
    >>> passed = [timer.update(7, box, (100, 100), t / 4) for t, box in enumerate(boxes)]
    >>> [(one.direction, round(one.speed_kmh)) for one in passed if one is not None]
    [('in', 48)]

    Attributes:
        name: Name of the line.
        line: Its two ends, in fractions of the image.
        length_m: Its length on the road in metres.
        gap_s: Seconds between two boxes of a track from which an end that was passed between them
            is inferred, and the passage is not timed.
    """

    name: str
    line: Line
    length_m: float
    gap_s: float = _GAP_S
    _tally: LineTally = field(default_factory=LineTally)
    _tracks: dict[int, _Passage] = field(default_factory=dict)

    def update(
        self,
        track_id: int,
        xyxy: Floats,
        size: tuple[int, int],
        pts: float,
        class_name: Callable[[], str | None] = _any_class,
    ) -> Crossing | None:
        """Note the box of a track; boxes of a track come in order of time.

        Args:
            track_id: The track.
            xyxy: (4,) left, top, right, bottom in pixels.
            size: Width and height of the image in pixels.
            pts: Media time in seconds.
            class_name: Asked for its class once it has passed; None if that is not counted here.

        Returns:
            The passage, as a crossing, if this box completes one that counts, else None.
        """
        spot = self._spot(xyxy, size, pts)
        track = self._tracks.setdefault(track_id, _Passage(spot))
        before, track.last = track.last, spot
        for end, direction in _ends_passed(before.along, spot.along):
            at = self._passed(before, spot, end)
            if (end == 0.0) == (direction == "in"):
                track.begun = (direction, at) if at.beside else None
                continue
            begun, track.begun = track.begun, None
            if begun is not None and begun[0] == direction and at.beside:
                return self._count(track_id, direction, begun[1], at, class_name())
        return None

    def totals(self) -> LineTotals:
        """What passed so far."""
        return self._tally.totals()

    def forget(self, pts: float) -> None:
        """Forget the tracks that were not seen for two minutes at ``pts``."""
        gone = [track for track, passage in self._tracks.items() if passage.last.pts < pts - _FORGET_S]
        for track in gone:
            del self._tracks[track]

    def _count(
        self, track_id: int, direction: str, begun: _Place, ended: _Place, class_name: str | None
    ) -> Crossing | None:
        if class_name is None:
            return None
        is_timed = not (begun.gap or ended.gap) and ended.pts > begun.pts
        speed = _KMH * self.length_m / (ended.pts - begun.pts) if is_timed else None
        found = Crossing(self.name, track_id, direction, ended.pts, class_name, not is_timed, speed)
        self._tally.add(class_name, direction, found.inferred, speed)
        return found

    def _spot(self, xyxy: Floats, size: tuple[int, int], pts: float) -> _Place:
        left, top, right, bottom = xyxy.tolist()
        start, end = (np.multiply(point, size) for point in self.line)
        (x, y), length = (end - start).tolist(), float(np.hypot(*(end - start)))
        ground_x, ground_y = (left + right) / 2 - start[0], bottom - start[1]
        aside = abs(x * ground_y - y * ground_x) / length
        along = (x * ground_x + y * ground_y) / length**2
        return _Place(float(along), bool(aside <= _NEAR * min(right - left, bottom - top)), pts)

    def _passed(self, before: _Place, after: _Place, end: float) -> _Place:
        """Where and when a track passed an end between two boxes."""
        share = (end - before.along) / (after.along - before.along)
        pts = before.pts + share * (after.pts - before.pts)
        is_gap = after.pts - before.pts > self.gap_s
        return _Place(end, before.beside and after.beside, pts, is_gap)


def _ends_passed(before: float, after: float) -> Iterator[tuple[float, str]]:
    """The ends between two places, in the order in which they are passed, and which way."""
    if before < after:
        yield from ((end, "in") for end in (0.0, 1.0) if before < end <= after)
    else:
        yield from ((end, "out") for end in (1.0, 0.0) if after <= end < before)
