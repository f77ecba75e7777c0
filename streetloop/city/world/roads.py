"""Ways through the city, and the signals on them.

The ground is flat: x east and y north in metres, headings in radians counter-clockwise from east.
"""

import bisect
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import NamedTuple, TypeAlias

XY: TypeAlias = tuple[float, float]


class Pose(NamedTuple):
    """Where something stands on the ground and where it points."""

    x: float
    y: float
    heading: float


@dataclass(frozen=True)
class Path:
    """A way along points, measured in metres from its start.

    >>> Path(((0, 0), (10, 0))).at(4.0, offset=1.0)
    Pose(x=4.0, y=1.0, heading=0.0)
    """

    points: tuple[XY, ...]

    @cached_property
    def _marks(self) -> list[float]:
        marks = [0.0]
        for start, end in zip(self.points, self.points[1:], strict=False):
            marks.append(marks[-1] + math.dist(start, end))
        return marks

    @cached_property
    def _straight(self) -> Pose:
        """Direction, as a unit vector and as a heading, of a way of one piece."""
        (x0, y0), (x1, y1) = self.points
        span = math.dist((x0, y0), (x1, y1))
        return Pose((x1 - x0) / span, (y1 - y0) / span, math.atan2(y1 - y0, x1 - x0))

    @property
    def length(self) -> float:
        """Length in metres."""
        return self._marks[-1]

    def at(self, s: float, offset: float = 0.0) -> Pose:
        """A place on the way, and the direction of the way there.

        Args:
            s: Metres along the way.
            offset: Metres to the left of the way.
        """
        marks = self._marks
        if len(marks) == 2:
            (x, y), _ = self.points
            ux, uy, heading = self._straight
            return Pose(x + ux * s - uy * offset, y + uy * s + ux * offset, heading)
        k = min(max(bisect.bisect_right(marks, s) - 1, 0), len(marks) - 2)
        (x0, y0), (x1, y1) = self.points[k], self.points[k + 1]
        span = marks[k + 1] - marks[k]
        ux, uy = (x1 - x0) / span, (y1 - y0) / span
        along = s - marks[k]
        return Pose(x0 + ux * along - uy * offset, y0 + uy * along + ux * offset, self._heading(k, along))

    def _heading(self, k: int, along: float) -> float:
        """The heading, turned smoothly from one piece into the next."""
        (x0, y0), (x1, y1) = self.points[k], self.points[k + 1]
        heading = math.atan2(y1 - y0, x1 - x0)
        span = self._marks[k + 1] - self._marks[k]
        if along < span / 2 and k > 0:
            (xp, yp), share = self.points[k - 1], 0.5 + along / span
            other = math.atan2(y0 - yp, x0 - xp)
        elif along > span / 2 and k + 2 < len(self.points):
            (xn, yn), share = self.points[k + 2], 1.5 - along / span
            other = math.atan2(yn - y1, xn - x1)
        else:
            return heading
        turn = (heading - other + math.pi) % math.tau - math.pi
        return other + turn * share

    def reversed(self) -> "Path":
        """The same way from its end to its start."""
        return Path(tuple(reversed(self.points)))

    def shifted(self, offset: float) -> "Path":
        """A parallel way.

        Args:
            offset: In metres; negative shifts to the right.
        """
        poses = [self.at(mark, offset) for mark in self._marks]
        return Path(tuple((pose.x, pose.y) for pose in poses))


def straight(start: XY, end: XY) -> Path:
    """A straight way.

    Args:
        start: In metres (x, y).
        end: In metres (x, y).
    """
    return Path((start, end))


def bend(start: XY, corner: XY, end: XY, pieces: int = 10) -> list[XY]:
    """Points of a turn that leaves and arrives straight (Bezier).

    Args:
        start: In metres (x, y).
        corner: Where both straights would meet.
        end: In metres (x, y).
        pieces: Straight pieces; more are smoother.
    """
    points = []
    for k in range(pieces + 1):
        t = k / pieces
        a, b, c = (1 - t) ** 2, 2 * t * (1 - t), t * t
        points.append((a * start[0] + b * corner[0] + c * end[0], a * start[1] + b * corner[1] + c * end[1]))
    return points


def curve(centre: XY, radius: float, start_deg: float, end_deg: float, step_m: float = 6.0) -> Path:
    """An arc; its angles count counter-clockwise from east.

    Args:
        centre: In metres (x, y).
        radius: In metres.
        start_deg: Angle of the begin in degrees.
        end_deg: Angle of the end; below ``start_deg`` turns clockwise.
        step_m: Longest straight piece in metres; lower is smoother.
    """
    sweep = math.radians(end_deg - start_deg)
    pieces = max(2, math.ceil(abs(sweep) * radius / step_m))
    angles = (math.radians(start_deg) + sweep * k / pieces for k in range(pieces + 1))
    return Path(tuple((centre[0] + radius * math.cos(a), centre[1] + radius * math.sin(a)) for a in angles))


@dataclass(frozen=True)
class Signal:
    """A traffic light that repeats itself.

    Attributes:
        cycle_s: Length of the cycle.
        green: Seconds of the cycle at which it turns green and amber.
        amber_s: How long it is amber before red.
    """

    cycle_s: float
    green: tuple[float, float]
    amber_s: float = 3.0

    def colour(self, t: float) -> str:
        """``green``, ``amber`` or ``red``.

        >>> Signal(60, (0, 30)).colour(91)
        'amber'

        Args:
            t: Second of the city.
        """
        phase = t % self.cycle_s
        start, end = self.green
        if start <= phase < end:
            return "green"
        return "amber" if end <= phase < end + self.amber_s else "red"

    def next_green(self, t: float) -> float:
        """The first second at which it is green.

        Args:
            t: Second of the city to begin at.
        """
        if self.colour(t) == "green":
            return t
        base = t - t % self.cycle_s + self.green[0]
        return base if base >= t else base + self.cycle_s


@dataclass(frozen=True)
class Stream:
    """A lane that vehicles enter at its start, one behind the other.

    Attributes:
        name: Unique in the city.
        routes: Ways that begin alike, each with its share of the vehicles.
        speed: Usual speed in m/s.
        headway_s: Mean seconds between vehicles in normal traffic.
        kinds: What drives here, with weights.
        signal: The light that holds here, and where its stop line is along the way.
        slow: Stretches (from, to, m/s) that are taken slower, such as turns, by route number.
    """

    name: str
    routes: tuple[tuple[Path, float], ...]
    speed: float
    headway_s: float
    kinds: dict[str, float]
    signal: Signal | None = None
    stop_at: float = 0.0
    slow: dict[int, tuple[float, float, float]] = field(default_factory=dict)


@dataclass(frozen=True)
class Walk:
    """A way for people on foot; they wait at ``hold_at`` until ``signal`` is green."""

    name: str
    path: Path
    headway_s: float
    signal: Signal | None = None
    hold_at: float = 0.0
    width: float = 1.6


def polyline(*parts: Iterable[XY] | Sequence[XY]) -> Path:
    """One way out of several runs of points, without points on top of each other."""
    points: list[XY] = []
    for part in parts:
        for point in part:
            if not points or math.dist(point, points[-1]) > 1e-6:
                points.append(point)
    return Path(tuple(points))
