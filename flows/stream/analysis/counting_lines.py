"""Counting lines: each track that crosses a line is counted once, with its direction and class."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeAlias

from flows.stream.analysis.line_totals import LineTally, LineTotals
from streetloop.cameras.zones import Line

Position: TypeAlias = tuple[float, float]
"""A point (x, y) in fractions of the image, x to the right, y down."""

_FORGET_S = 120.0  # longer than the tracker keeps a lost track
_GAP_S = 0.5


@dataclass(frozen=True, slots=True)
class Crossing:
    """One crossing of one line by one track.

    Attributes:
        line: Name of the line.
        track_id: The track.
        direction: ``in`` from the left of the line to its right, as seen from its first point; else
            ``out``.
        pts: Media time in seconds.
        class_name: Class of the track by the votes so far; empty if nobody voted.
        inferred: True if concluded across a gap in which the track was not seen.
        speed_kmh: Mean speed along the line in km/h; None where it was not timed.
    """

    line: str
    track_id: int
    direction: str
    pts: float
    class_name: str = ""
    inferred: bool = False
    speed_kmh: float | None = None


@dataclass(slots=True)
class _Approach:
    side: int
    position: Position
    seen: float
    gap: bool = False


def _any_class() -> str | None:
    return ""


@dataclass
class LineCounter:
    """Counts crossings of one line.

    A track is counted when its anchor has moved from beyond the margin on one side to beyond the
    margin on the other, and its path cut the line between the line's ends. A box that jitters on
    the line is counted once or not at all.

    >>> gate = LineCounter("gate", ((0.5, 0.0), (0.5, 1.0)))
    >>> crossed = [gate.update(7, (x, 0.5), t) for t, x in enumerate([0.3, 0.495, 0.505, 0.7])]
    >>> crossed[:3], crossed[3].direction, crossed[3].inferred
    ([None, None, None], 'out', True)

    Attributes:
        name: Name of the line.
        line: Its two ends, in fractions of the image.
        margin: Half the width of the undecided zone around the line, in fractions of the image.
            Higher tolerates more jitter; too high misses tracks that end or turn close to the
            line. Lower counts those, too, and may count jitter several times.
        gap_s: Seconds between two positions of a track from which a crossing between them is
            inferred.
    """

    name: str
    line: Line
    margin: float = 0.01
    gap_s: float = _GAP_S
    _tally: LineTally = field(default_factory=LineTally)
    _tracks: dict[int, _Approach] = field(default_factory=dict)

    def update(
        self, track_id: int, position: Position, pts: float, class_name: Callable[[], str | None] = _any_class
    ) -> Crossing | None:
        """Note the position of a track; positions of a track come in order of time.

        Args:
            track_id: The track.
            position: Its anchor, see `anchor`.
            pts: Media time in seconds.
            class_name: Asked for its class once it has crossed; None if that is not counted here.

        Returns:
            The crossing if this position completes one that counts, else None.
        """
        side = self._side(position)
        before = self._tracks.get(track_id)
        if before is not None:
            before.gap |= pts - before.seen > self.gap_s
            before.seen = pts
        if side == 0:
            return None
        self._tracks[track_id] = _Approach(side, position, pts)
        if before is None or before.side == side or not _between(self.line, before.position, position):
            return None
        found = class_name()
        if found is None:
            return None
        way = "in" if side > 0 else "out"
        return self._count(Crossing(self.name, track_id, way, pts, found, before.gap))

    def totals(self) -> LineTotals:
        """Crossings so far."""
        return self._tally.totals()

    def forget(self, pts: float) -> None:
        """Forget the tracks that were not seen for two minutes at ``pts``."""
        gone = [track for track, at in self._tracks.items() if at.seen < pts - _FORGET_S]
        for track in gone:
            del self._tracks[track]

    def _count(self, crossing: Crossing) -> Crossing:
        self._tally.add(crossing.class_name, crossing.direction, crossing.inferred)
        return crossing

    def _side(self, position: Position) -> int:
        """1 right of the line, -1 left of it, 0 within the margin."""
        (ax, ay), (bx, by) = self.line
        length = ((bx - ax) ** 2 + (by - ay) ** 2) ** 0.5
        # y points down, so a positive cross product is to the right of the direction of travel.
        distance = _cross((ax, ay), (bx, by), position) / length
        return 0 if abs(distance) < self.margin else (1 if distance > 0 else -1)


def _cross(a: Position, b: Position, p: Position) -> float:
    return (b[0] - a[0]) * (p[1] - a[1]) - (b[1] - a[1]) * (p[0] - a[0])


def _between(line: Line, start: Position, end: Position) -> bool:
    """True if the path from ``start`` to ``end`` passes between the ends of the line."""
    return _cross(start, end, line[0]) * _cross(start, end, line[1]) <= 0


def anchor(xyxy: tuple[float, float, float, float], width: int, height: int) -> Position:
    """The ground point of a box: the middle of its lower edge, in fractions of the image.

    Args:
        xyxy: Left, top, right, bottom in pixels.
        width: Width of the image in pixels.
        height: Height of the image in pixels.

    >>> anchor((10, 0, 30, 50), 100, 100)
    (0.2, 0.5)
    """
    return ((xyxy[0] + xyxy[2]) / 2 / width, xyxy[3] / height)
