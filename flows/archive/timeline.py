"""A day of recorded video as stretches: recorded, with motion, gaps, and events; pure functions."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from streetloop.ledger.segments import SegmentTimes

Seconds = tuple[float, float]
"""Begin and end in seconds after the begin of the day."""

_JOIN_S = 1.0  # segments of one recording are no further apart


@dataclass(slots=True)
class DayOfCamera:
    """What is recorded of one camera in a day.

    Attributes:
        recorded: Stretches with pictures, in order of time.
        motion: Those of the segments in which something moved.
        gaps: Between the first picture and the last of the day: stretches without one.
    """

    recorded: list[Seconds] = field(default_factory=list)
    motion: list[Seconds] = field(default_factory=list)
    gaps: list[Seconds] = field(default_factory=list)


def day_of(times: Iterable[SegmentTimes], start: datetime, end: datetime) -> DayOfCamera:
    """The stretches of a camera's segments, cut to a day.

    >>> from datetime import UTC, timedelta
    >>> noon = datetime(2026, 3, 1, 12, tzinfo=UTC)
    >>> def at(minute): return noon + timedelta(minutes=minute)
    >>> def minute(first): return SegmentTimes(at(first), at(first + 1))
    >>> found = day_of([minute(0), minute(1), minute(5)], noon, noon + timedelta(days=1))
    >>> found.recorded, found.gaps
    ([(0.0, 120.0), (300.0, 360.0)], [(120.0, 300.0)])

    Args:
        times: Of the segments, in order of their start.
        start: Begin of the day (UTC).
        end: Its end.
    """
    length_s = (end - start).total_seconds()
    found = DayOfCamera()
    holes: list[Seconds] = []
    for one in times:
        stretch = _cut(one.started_at, one.ended_at, start, length_s)
        if stretch is None:
            continue
        _append(found.recorded, stretch)
        if one.motion:
            _append(found.motion, stretch)
        cut = (_cut(begin, until, start, length_s) for begin, until in one.gaps)
        holes += [hole for hole in cut if hole is not None]
    between = [(one[1], other[0]) for one, other in zip(found.recorded, found.recorded[1:], strict=False)]
    found.gaps = sorted([*between, *holes])
    found.recorded = _without(found.recorded, holes)
    return found


def _cut(begin: datetime, until: datetime, start: datetime, length_s: float) -> Seconds | None:
    first = max(0.0, round((begin - start).total_seconds(), 3))
    last = min(length_s, round((until - start).total_seconds(), 3))
    return (first, last) if last > first else None


def _append(stretches: list[Seconds], one: Seconds) -> None:
    """Append a stretch, or make the last one longer if it reaches so far."""
    if stretches and one[0] - stretches[-1][1] <= _JOIN_S:
        stretches[-1] = stretches[-1][0], max(stretches[-1][1], one[1])
    else:
        stretches.append(one)


def _without(stretches: Sequence[Seconds], holes: Sequence[Seconds]) -> list[Seconds]:
    found = list(stretches)
    for begin, until in holes:
        parts = [part for a, b in found for part in ((a, min(b, begin)), (max(a, until), b))]
        found = [(a, b) for a, b in parts if b > a]
    return found
