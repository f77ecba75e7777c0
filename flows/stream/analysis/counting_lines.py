"""Counting lines: who crossed, which way, once."""

from collections import Counter
from dataclasses import dataclass, field
from typing import TypeAlias

from streetloop.cameras import Line

Position: TypeAlias = tuple[float, float]
"""A point in fractions of the image, x to the right, y down."""

_FORGET_S = 60.0  # a track that was not seen for so long does not come back


@dataclass(frozen=True, slots=True)
class Crossing:
    """One track crossed one line.

    Attributes:
        line: Name of the line.
        track_id: Who.
        direction: ``in`` from the line's left to its right, seen from its first point; or ``out``.
        pts: When, in seconds of media time.
    """

    line: str
    track_id: int
    direction: str
    pts: float


@dataclass(slots=True)
class _Approach:
    side: int
    position: Position
    seen: float


@dataclass
class LineCounter:
    """Counts crossings of one line.

    A track counts when it has come from clearly on one side to clearly on the other, and its way
    cut the line between the line's ends. "Clearly" is the margin: a box that trembles on the line
    counts once or not at all.

    >>> gate = LineCounter("gate", ((0.5, 0.0), (0.5, 1.0)))
    >>> [gate.update(7, (x, 0.5), t) for t, x in enumerate([0.3, 0.495, 0.505, 0.7])]
    ... # doctest: +NORMALIZE_WHITESPACE
    [None, None, None, Crossing(line='gate', track_id=7, direction='out', pts=3)]

    Attributes:
        name: Name of the line.
        line: Its two ends.
        margin: Distance from the line that is clearly on a side, in fractions of the image.
        counts: Crossings so far by direction.
    """

    name: str
    line: Line
    margin: float = 0.01
    counts: Counter[str] = field(default_factory=Counter)
    _tracks: dict[int, _Approach] = field(default_factory=dict)

    def update(self, track_id: int, position: Position, pts: float) -> Crossing | None:
        """Note where a track is at ``pts``; the crossing, if this completes one."""
        side = self._side(position)
        before = self._tracks.get(track_id)
        if before is not None:
            before.seen = pts
        if side == 0:
            return None
        self._tracks[track_id] = _Approach(side, position, pts)
        if before is None or before.side == side:
            return None
        if not _between(self.line, before.position, position):
            return None
        crossing = Crossing(self.name, track_id, "in" if side > 0 else "out", pts)
        self.counts[crossing.direction] += 1
        return crossing

    def forget(self, pts: float) -> None:
        """Let go of tracks that are gone for good at ``pts``."""
        gone = [track for track, at in self._tracks.items() if at.seen < pts - _FORGET_S]
        for track in gone:
            del self._tracks[track]

    def _side(self, position: Position) -> int:
        """1 clearly right of the line, -1 clearly left, 0 on it."""
        (ax, ay), (bx, by) = self.line
        length = ((bx - ax) ** 2 + (by - ay) ** 2) ** 0.5
        # y points down, so a positive cross product is to the right of the direction of travel.
        distance = _cross((ax, ay), (bx, by), position) / length
        return 0 if abs(distance) < self.margin else (1 if distance > 0 else -1)


def _cross(a: Position, b: Position, p: Position) -> float:
    return (b[0] - a[0]) * (p[1] - a[1]) - (b[1] - a[1]) * (p[0] - a[0])


def _between(line: Line, start: Position, end: Position) -> bool:
    """True if the way from ``start`` to ``end`` passes between the ends of the line."""
    return _cross(start, end, line[0]) * _cross(start, end, line[1]) <= 0


def anchor(xyxy: tuple[float, float, float, float], width: int, height: int) -> Position:
    """Where a box stands on the ground: the middle of its lower edge, in fractions.

    >>> anchor((10, 0, 30, 50), 100, 100)
    (0.2, 0.5)
    """
    return ((xyxy[0] + xyxy[2]) / 2 / width, xyxy[3] / height)
