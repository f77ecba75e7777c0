"""Line counts of a camera in bins of local time."""

import bisect
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta, tzinfo
from itertools import islice, pairwise, product

from flows.stream.analysis.line_totals import DIRECTIONS
from streetloop.cameras.camera_file import Camera
from streetloop.cameras.speed_summary import SpeedSummary
from streetloop.control.history.count_view import CountView
from streetloop.errors import ConfigError, NotFound
from streetloop.ledger import Ledger
from streetloop.ledger.line_counts import LineCounts, counted_lines, read_line_counts
from streetloop.local_time import BINS, bin_edges, parse_moment

_MAX_BINS = 12_000  # more than a week of minutes
_MAX_SUM = 15  # minutes; every bin of 15 minutes and more begins at a multiple of it, in any zone

_Cell = tuple[int, str, str, str]
"""Number of the bin, line, direction, class."""


def line_counts(
    ledger: Ledger,
    camera_id: str,
    camera: Camera | None,
    since: str,
    bin_name: str,
    line: str | None,
    zone: tzinfo,
    now: datetime,
) -> list[CountView]:
    """See `streetloop.control.port.Control.line_counts`.

    Args:
        ledger: The ledger.
        camera_id: The camera.
        camera: Its configuration; None if it is not known, as after it was removed.
        since: See `streetloop.local_time.parse_moment`.
        bin_name: One of `BINS`.
        line: Only this line; None for all.
        zone: The time zone of the bins.
        now: The current time.
    """
    minutes = _minutes(bin_name)
    edges = _edges(parse_moment(since, now, zone), now, minutes, zone)
    known = _known_lines(ledger, camera_id, camera)
    if line is not None and line not in known:
        raise ConfigError(f"camera {camera_id!r} has no line {line[:40]!r}; it has {', '.join(known)}")
    found = read_line_counts(ledger, camera_id, edges[0], edges[-1], min(minutes, _MAX_SUM))
    lines = sorted({*(k.line for k in found.covered_ms), *(k.line for k in found.crossings)}) or known
    return list(_rows(found, edges, [line] if line is not None else lines, zone))


def _minutes(bin_name: str) -> int:
    if bin_name not in BINS:
        raise ConfigError(f"there is no bin {bin_name[:40]!r}; bins are {', '.join(BINS)}")
    return BINS[bin_name]


def _edges(since: datetime, now: datetime, minutes: int, zone: tzinfo) -> list[datetime]:
    found = bin_edges(since, now + timedelta(microseconds=1), minutes, zone)
    edges = list(islice(found, _MAX_BINS + 2))
    if len(edges) > _MAX_BINS + 1:
        raise ConfigError(f"the period has more than {_MAX_BINS} bins; begin later, or take a longer bin")
    return edges


def _known_lines(ledger: Ledger, camera_id: str, camera: Camera | None) -> list[str]:
    known = sorted({*counted_lines(ledger, camera_id), *(() if camera is None else camera.lines)})
    if known:
        return known
    if camera is None:
        raise NotFound(f"there is no camera {camera_id[:64]!r}, and there are no counts of one")
    raise ConfigError(
        f"camera {camera_id!r} has no counting lines; "
        f"`streetloop camera edit {camera_id} --line NAME=X1,Y1,X2,Y2` adds one"
    )


def _rows(
    found: LineCounts, edges: Sequence[datetime], lines: Sequence[str], zone: tzinfo
) -> Iterator[CountView]:
    counts: Counter[_Cell] = Counter()
    inferred: Counter[_Cell] = Counter()
    covered_ms: Counter[tuple[int, str]] = Counter()
    speeds: defaultdict[_Cell, Counter[int]] = defaultdict(Counter)
    classes: dict[str, set[str]] = {line: set() for line in lines}
    for key, count in found.crossings.items():
        cell = (_bin_of(key.minute, edges), key.line, key.direction, key.class_name)
        counts[cell] += count
        inferred[cell] += found.inferred[key]
        classes.setdefault(key.line, set()).add(key.class_name)
    for timed, count in found.speeds.items():
        cell = (_bin_of(timed.minute, edges), timed.line, timed.direction, timed.class_name)
        speeds[cell][timed.kmh] += count
    for covered, ms in found.covered_ms.items():
        covered_ms[_bin_of(covered.minute, edges), covered.line] += ms
    for number, (start, end) in enumerate(pairwise(edges)):
        for line, direction in product(lines, DIRECTIONS):
            share = covered_ms[number, line] / ((end - start) / timedelta(milliseconds=1))
            for class_name in sorted(classes[line]) or [""]:
                cell = (number, line, direction, class_name)
                yield CountView(
                    start=start.astimezone(zone),
                    end=end.astimezone(zone),
                    line=line,
                    direction=direction,
                    class_name=class_name or None,
                    count=counts[cell],
                    inferred=inferred[cell],
                    coverage=round(min(share, 1.0), 4),
                    speed=SpeedSummary.of(speeds.get(cell, {})),
                )


def _bin_of(minute: int, edges: Sequence[datetime]) -> int:
    return bisect.bisect(edges, datetime.fromtimestamp(minute * 60, UTC)) - 1
