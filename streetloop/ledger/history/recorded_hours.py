"""The index of recorded video by camera and hour of UTC.

A day of many cameras is read from it at once. A row is made anew from the
segments of its hour whenever one of them comes or goes.
"""

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import NamedTuple, TypeAlias

from sqlalchemy import Connection, delete, select
from sqlalchemy.dialects import postgresql, sqlite

from streetloop.ledger.database import Ledger
from streetloop.ledger.schema.tables import recorded_hours, segments

LONGEST = timedelta(hours=1)
"""No segment is longer: one that begins earlier than that before a period is not in it."""

JOIN_S = 1.0
"""Segments of one recording are no further apart, in seconds."""

HOUR_S = 3600

Run: TypeAlias = tuple[float, float, int]
"""Begin and end in seconds of the hour, and 1 if something moved in the segments of it."""

CameraHour: TypeAlias = tuple[str, int]
"""A camera and hours since 1970 (UTC)."""


class IndexedSegment(NamedTuple):
    """What the index of an hour needs of a segment; see `streetloop.ledger.segments.Segment`."""

    started_at: datetime
    ended_at: datetime
    bytes: int = 0
    motion: float | None = None
    gaps: Sequence[tuple[datetime, datetime]] = ()


@dataclass(frozen=True, slots=True)
class RecordedHour:
    """What is recorded of a camera in an hour.

    Attributes:
        camera_id: The camera.
        hour: Hours since 1970 (UTC).
        segments: Number of segments that begin in it.
        bytes: Their length.
        runs: Stretches with pictures, in order of their begin.
    """

    camera_id: str
    hour: int
    segments: int
    bytes: int
    runs: Sequence[Run]


def hour_number(moment: datetime) -> int:
    """Hours since 1970 (UTC) of an aware time.

    >>> hour_number(datetime(1970, 1, 2, 1, 59, tzinfo=UTC))
    25
    """
    return int(moment.timestamp() // HOUR_S)


def hours_of(started_at: datetime, ended_at: datetime) -> range:
    """The hours that a segment is in, since 1970 (UTC).

    >>> noon = datetime(1970, 1, 1, 12, tzinfo=UTC)
    >>> list(hours_of(noon - timedelta(seconds=1), noon + timedelta(seconds=59)))
    [11, 12]
    """
    first = hour_number(started_at)
    return range(first, max(first, hour_number(ended_at - timedelta(microseconds=1))) + 1)


def index_hour(found: Iterable[IndexedSegment], hour: int) -> tuple[int, int, list[Run]]:
    """Number and bytes of the segments that begin in an hour, and the stretches with pictures.

    >>> noon = datetime(1970, 1, 1, 12, tzinfo=UTC)
    >>> def at(second): return noon + timedelta(seconds=second)
    >>> before = IndexedSegment(at(-30), at(30), 10, 0.0)
    >>> hole = IndexedSegment(at(30), at(90), 20, 0.0, [(at(50), at(60))])
    >>> index_hour([before, hole, IndexedSegment(at(90), at(100), 5, 0.5)], 12)
    (2, 25, [(0.0, 50.0, 0), (60.0, 90.0, 0), (90.0, 100.0, 1)])

    Args:
        found: Those that are in the hour, in order of their begin.
        hour: Hours since 1970 (UTC).
    """
    start = datetime.fromtimestamp(hour * HOUR_S, UTC)
    count = size = 0
    pieces: list[Run] = []
    for one in found:
        if one.started_at >= start:
            count, size = count + 1, size + one.bytes
        for begin, until in _with_pictures(one):
            first = max(0.0, round((begin - start).total_seconds(), 3))
            last = min(float(HOUR_S), round((until - start).total_seconds(), 3))
            if last > first:
                pieces.append((first, last, int(bool(one.motion))))
    return count, size, _joined(pieces)


def _joined(pieces: Sequence[Run]) -> list[Run]:
    runs: list[Run] = []
    for first, last, moves in sorted(pieces):
        if runs and runs[-1][2] == moves and first - runs[-1][1] <= JOIN_S:
            runs[-1] = runs[-1][0], max(runs[-1][1], last), moves
        else:
            runs.append((first, last, moves))
    return runs


def _with_pictures(one: IndexedSegment) -> Iterator[tuple[datetime, datetime]]:
    begin = one.started_at
    for hole, until in sorted(one.gaps):
        yield begin, hole
        begin = max(begin, until)
    yield begin, one.ended_at


def find_hours(ledger: Ledger, start: datetime, end: datetime) -> dict[str, list[RecordedHour]]:
    """The hours that a period touches, in order of time, by camera.

    Raises:
        LedgerError: The ledger cannot be read.
    """
    c = recorded_hours.c
    query = select(c.camera_id, c.hour, c.segments, c.bytes, c.runs).order_by(c.camera_id, c.hour)
    touched = hours_of(start, end)
    query = query.where(c.hour >= touched[0], c.hour <= touched[-1])
    found: dict[str, list[RecordedHour]] = {}
    with ledger.snapshot() as connection:
        for row in connection.execute(query):
            found.setdefault(row[0], []).append(RecordedHour(*row))
    return found


def index_hours(connection: Connection, hours: Collection[CameraHour]) -> None:
    """Make the rows of some hours anew, in the transaction that changes their segments."""
    c = recorded_hours.c
    kind = postgresql if connection.dialect.name == "postgresql" else sqlite
    for camera_id, hour in sorted(hours):
        count, size, runs = index_hour(_segments_in(connection, camera_id, hour), hour)
        if not runs and not count:
            connection.execute(delete(recorded_hours).where(c.camera_id == camera_id, c.hour == hour))
            continue
        values = {"segments": count, "bytes": size, "runs": runs}
        new = kind.insert(recorded_hours).values(camera_id=camera_id, hour=hour, **values)
        connection.execute(new.on_conflict_do_update(index_elements=[c.camera_id, c.hour], set_=values))


def _segments_in(connection: Connection, camera_id: str, hour: int) -> list[IndexedSegment]:
    start = datetime.fromtimestamp(hour * HOUR_S, UTC)
    c = segments.c
    query = (
        select(c.started_at, c.ended_at, c.bytes, c.motion, c.gaps)
        .where(c.camera_id == camera_id, c.started_at >= start - LONGEST, c.ended_at >= start)
        .where(c.started_at < start + timedelta(seconds=HOUR_S))
        .order_by(c.started_at)
    )
    return [
        IndexedSegment(started, ended, size, motion, stretches(gaps))
        for started, ended, size, motion, gaps in connection.execute(query)
    ]


def stretches(plain: Sequence[Sequence[str]]) -> tuple[tuple[datetime, datetime], ...]:
    """Gaps as a segment's row has them."""
    return tuple((datetime.fromisoformat(a), datetime.fromisoformat(b)) for a, b in plain)
