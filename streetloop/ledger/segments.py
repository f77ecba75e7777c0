"""The index of recorded video: one row a segment, whose bytes are in the object store."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any, TypeAlias

from sqlalchemy import Row, Select, delete, func, select
from sqlalchemy.dialects import postgresql, sqlite

from streetloop.ledger.database import Ledger
from streetloop.ledger.history.recorded_hours import LONGEST, hours_of, index_hours, stretches
from streetloop.ledger.schema.tables import segments

_KEYS_A_STATEMENT = 500

Stretch: TypeAlias = tuple[datetime, datetime]


@dataclass(frozen=True, slots=True)
class Segment:
    """A recorded stretch of one camera.

    Attributes:
        key: Its key in the object store.
        camera_id: The camera.
        started_at: When its first picture was captured (UTC).
        ended_at: When its last one ends.
        bytes: Its length.
        sha256: SHA-256 of its bytes, hexadecimal.
        codec: FFmpeg's name, such as ``h264``.
        width: In pixels.
        height: In pixels.
        gaps: Stretches within it without pictures.
        motion: Share of it in which something moved, 0 to 1; None if unknown.
        events: Share of it in which an event was on, as of its upload, 0 to 1; None if unknown.
        run: The run whose log has its frames; None if unknown.
        frame_id: Number of its first picture in that run; None if unknown.
        pts_offset: A picture at second t of it has the media time t + ``pts_offset`` in that run;
            None if unknown.
    """

    key: str
    camera_id: str
    started_at: datetime
    ended_at: datetime
    bytes: int
    sha256: str
    codec: str
    width: int
    height: int
    gaps: Sequence[Stretch] = ()
    motion: float | None = None
    events: float | None = None
    run: str | None = None
    frame_id: int | None = None
    pts_offset: float | None = None


def add_segment(ledger: Ledger, segment: Segment) -> None:
    """Enter a segment, and its hours; one whose key is there already stays as it is."""
    values = asdict(segment) | {"gaps": [[a.isoformat(), b.isoformat()] for a, b in segment.gaps]}
    with ledger.transaction() as connection:
        kind = postgresql if connection.dialect.name == "postgresql" else sqlite
        statement = kind.insert(segments).values(values)
        connection.execute(statement.on_conflict_do_nothing(index_elements=["key"]))
        hours = hours_of(segment.started_at, segment.ended_at)
        index_hours(connection, [(segment.camera_id, hour) for hour in hours])


def find_segments(
    ledger: Ledger, camera_id: str | None = None, start: datetime | None = None, end: datetime | None = None
) -> list[Segment]:
    """Segments that overlap a period, in order of their start.

    Args:
        ledger: The ledger.
        camera_id: Only of this camera; None for all.
        start: Begin of the period; None from the first.
        end: End of the period; None to the last.
    """
    query = select(segments).order_by(segments.c.started_at, segments.c.id)
    with ledger.snapshot() as connection:
        return [_segment(row) for row in connection.execute(_within(query, camera_id, start, end))]


def find_segment(ledger: Ledger, key: str) -> Segment | None:
    """The segment of a key; None if there is none."""
    with ledger.snapshot() as connection:
        row = connection.execute(select(segments).where(segments.c.key == key)).first()
    return None if row is None else _segment(row)


def has_segments(ledger: Ledger, camera_id: str) -> bool:
    """True if a camera was ever recorded, and not all of it is gone."""
    query = select(segments.c.id).where(segments.c.camera_id == camera_id).limit(1)
    with ledger.snapshot() as connection:
        return connection.execute(query).first() is not None


def remove_segments(ledger: Ledger, keys: Collection[str]) -> None:
    """Take segments out of the index, and out of its hours."""
    names = list(keys)
    with ledger.transaction() as connection:
        for start in range(0, len(names), _KEYS_A_STATEMENT):
            is_gone = segments.c.key.in_(names[start : start + _KEYS_A_STATEMENT])
            query = select(segments.c.camera_id, segments.c.started_at, segments.c.ended_at).where(is_gone)
            gone = connection.execute(query).all()
            connection.execute(delete(segments).where(is_gone))
            index_hours(connection, {(one, hour) for one, *times in gone for hour in hours_of(*times)})


def recorded_cameras(ledger: Ledger) -> dict[str, int]:
    """Bytes by camera, of all cameras with segments."""
    query = select(segments.c.camera_id, func.sum(segments.c.bytes)).group_by(segments.c.camera_id)
    with ledger.snapshot() as connection:
        return {camera: int(size) for camera, size in connection.execute(query)}


def share_of(stretch: Stretch, others: Iterable[Stretch]) -> float:
    """The share of a stretch that others cover, 0 to 1.

    >>> from datetime import UTC
    >>> def at(second): return datetime(2026, 3, 1, 12, 0, second, tzinfo=UTC)
    >>> share_of((at(0), at(10)), [(at(2), at(4)), (at(3), at(7)), (at(9), at(30))])
    0.6
    """
    start, end = stretch
    covered, reached = timedelta(), start
    for one, other in sorted(others):
        begin, until = max(one, reached), min(other, end)
        if until > begin:
            covered += until - begin
            reached = until
    return covered / (end - start) if end > start else 0.0


def _within(
    query: Select[Any], camera_id: str | None, start: datetime | None, end: datetime | None
) -> Select[Any]:
    if camera_id is not None:
        query = query.where(segments.c.camera_id == camera_id)
    if start is not None:
        # The first bound lets the index find the rows, the second says which count.
        query = query.where(segments.c.started_at >= start - LONGEST, segments.c.ended_at > start)
    return query if end is None else query.where(segments.c.started_at < end)


def _segment(row: Row[Any]) -> Segment:
    values = dict(row._mapping)
    del values["id"]
    return Segment(**values | {"gaps": stretches(values["gaps"])})
