"""A day of recorded video as stretches: recorded, with motion, gaps, and events; pure functions."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

from streetloop.ledger.history.recorded_hours import HOUR_S, JOIN_S, RecordedHour

Seconds = tuple[float, float]
"""Begin and end in seconds after the begin of the day."""


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


def day_of(hours: Iterable[RecordedHour], start: datetime, end: datetime) -> DayOfCamera:
    """The stretches of a camera, cut to a day.

    >>> from datetime import UTC
    >>> noon = datetime(1970, 1, 1, 12, tzinfo=UTC)
    >>> first = RecordedHour("a", 12, 60, 10, [(0.0, 120.0, 0), (300.0, 3600.0, 1)])
    >>> second = RecordedHour("a", 13, 60, 10, [(0.0, 60.0, 1)])
    >>> found = day_of([first, second], noon, datetime(1970, 1, 2, tzinfo=UTC))
    >>> found.recorded, found.motion, found.gaps
    ([(0.0, 120.0), (300.0, 3660.0)], [(300.0, 3660.0)], [(120.0, 300.0)])

    Args:
        hours: Those of the camera that the day touches, in order of time.
        start: Begin of the day (UTC).
        end: Its end.
    """
    length_s = (end - start).total_seconds()
    found = DayOfCamera()
    for hour in hours:
        offset = hour.hour * HOUR_S - start.timestamp()
        for begin, until, moves in hour.runs:
            first, last = max(0.0, round(begin + offset, 3)), min(length_s, round(until + offset, 3))
            if last > first:
                _append(found.recorded, (first, last))
                if moves:
                    _append(found.motion, (first, last))
    found.gaps = [(one[1], two[0]) for one, two in zip(found.recorded, found.recorded[1:], strict=False)]
    return found


def seconds_of(stretches: Iterable[Seconds]) -> float:
    """How long stretches that do not overlap last together.

    >>> seconds_of([(0.0, 2.5), (10.0, 11.0)])
    3.5
    """
    return round(sum(last - first for first, last in stretches), 3)


def _append(stretches: list[Seconds], one: Seconds) -> None:
    """Append a stretch, or make the last one longer if it reaches so far."""
    if stretches and one[0] - stretches[-1][1] <= JOIN_S:
        stretches[-1] = stretches[-1][0], max(stretches[-1][1], one[1])
    else:
        stretches.append(one)
