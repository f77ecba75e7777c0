"""Line counts as bars over time, and as a table."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby
from typing import Any

from serve.web.app.render import render
from streetloop.control.history.count_view import CountView

HEIGHT = 40.0
"""Height of a chart in units of its own; a bin is one unit wide."""

_COLORS = ("#14b8a6", "#f59e0b", "#3b82f6", "#f43f5e", "#8b5cf6", "#94a3b8")
_UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class BarSegment:
    """The crossings of one class in a bar.

    Attributes:
        color: Of the class.
        top: From the upper edge of the chart.
        height: In units of the chart.
    """

    color: str
    top: float
    height: float


@dataclass(frozen=True, slots=True)
class Bar:
    """One bin of one line and direction.

    Attributes:
        hint: Its time, counts and coverage, for people.
        uncovered: Share of the bin in which nobody looked, 0 to 1.
        parts: From the lower edge up.
    """

    hint: str
    uncovered: float
    parts: Sequence[BarSegment]


@dataclass(frozen=True, slots=True)
class Chart:
    """One line and direction.

    Attributes:
        line: Name of the line.
        direction: ``in`` or ``out``.
        total: Crossings of all bins.
        bars: In order of time.
    """

    line: str
    direction: str
    total: int
    bars: Sequence[Bar]


def draw_counts(views: Sequence[CountView]) -> str:
    """Bars for each line and direction, on one scale, and a table with the newest bin first; HTML.

    Args:
        views: As `streetloop.control.port.Control.line_counts` gives them.
    """
    if not views:
        return render("counts_over_time", charts=[])
    classes = sorted({_class_of(view) for view in views if view.count})
    colors = {name: _COLORS[min(k, len(_COLORS) - 1)] for k, name in enumerate(classes)}
    highest = max(1, max(sum(view.count for view in bin_) for bin_ in _by_bin(views).values()))
    lines: dict[tuple[str, str], list[list[CountView]]] = defaultdict(list)
    for (_, line, direction), bin_ in _by_bin(views).items():
        lines[line, direction].append(bin_)
    charts = [
        Chart(*name, sum(v.count for b in bins for v in b), [_bar(b, colors, highest) for b in bins])
        for name, bins in lines.items()
    ]
    return render(
        "counts_over_time",
        charts=charts,
        colors=colors,
        highest=highest,
        height=HEIGHT,
        ticks=_ticks(views),
        names=list(lines),
        rows=_rows(views),
        looked_at=any(view.coverage for view in views),
    )


_Bins = Mapping[tuple[datetime, str, str], list[CountView]]


def _by_bin(views: Sequence[CountView]) -> _Bins:
    keyed = groupby(views, lambda view: (view.start, view.line, view.direction))
    return {key: list(group) for key, group in keyed}


def _bar(views: Sequence[CountView], colors: Mapping[str, str], highest: int) -> Bar:
    parts: list[BarSegment] = []
    top = HEIGHT
    for view in views:
        if view.count:
            height = HEIGHT * view.count / highest
            top -= height
            parts.append(BarSegment(colors[_class_of(view)], top, height))
    counts = (
        ", ".join(f"{_class_of(view)} {view.count}{_speed(view)}" for view in views if view.count) or "none"
    )
    first = views[0]
    inferred = sum(view.inferred for view in views)
    guessed = f", {inferred} of them inferred" if inferred else ""
    hint = f"{_span(first)}: {counts}{guessed}; looked at {first.coverage:.0%} of the time"
    return Bar(hint, 1 - first.coverage, parts)


def _rows(views: Sequence[CountView]) -> list[dict[str, Any]]:
    """The bins that were looked at, newest first: time, counts by line and direction, coverage."""
    rows = []
    for _, bin_ in groupby(views, lambda view: view.start):
        found = list(bin_)
        counts: dict[tuple[str, str], int] = defaultdict(int)
        speeds: dict[tuple[str, str], list[str]] = defaultdict(list)
        for view in found:
            counts[view.line, view.direction] += view.count
            if view.speed is not None:
                speeds[view.line, view.direction].append(f"{_class_of(view)}{_speed(view)}")
        coverage = max(view.coverage for view in found)
        if coverage or any(counts.values()):
            rows.append({"when": _span(found[0]), "counts": counts, "speeds": speeds, "coverage": coverage})
    return rows[::-1]


def _ticks(views: Sequence[CountView]) -> list[str]:
    """Times of the left edge, the middle and the right edge."""
    starts = list(dict.fromkeys(view.start for view in views))
    is_long = views[-1].end - views[0].start > timedelta(days=1, hours=1)
    style = "%d %b" if is_long else "%H:%M"
    edges = starts[0], starts[len(starts) // 2], views[-1].end
    return [f"{edge:{style}}" for edge in edges]


def _span(view: CountView) -> str:
    if view.end - view.start > timedelta(hours=2):
        return f"{view.start:%a %d %b %Y}"
    return f"{view.start:%a %d %b %H:%M}-{view.end:%H:%M %Z}"


def _speed(view: CountView) -> str:
    if view.speed is None:
        return ""
    return f" at {view.speed.mean_kmh:.0f} km/h, V85 {view.speed.p85_kmh}"


def _class_of(view: CountView) -> str:
    return view.class_name or _UNKNOWN
