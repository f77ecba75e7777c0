"""The index of recorded video: one row a segment, whose bytes are in the object store."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any, NamedTuple, TypeAlias

from sqlalchemy import Row, Select, delete, func, select
from sqlalchemy.dialects import postgresql, sqlite

from streetloop.ledger.database import Ledger
from streetloop.ledger.schema.tables import segments

LONGEST = timedelta(hours=1)
"""No segment is longer: one that begins earlier than that before a period is not in it."""

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


class SegmentTimes(NamedTuple):
    """What a timeline needs of a segment; see `Segment`."""

    started_at: datetime
    ended_at: datetime
    motion: float | None = None
    gaps: Sequence[Stretch] = ()


def add_segment(ledger: Ledger, segment: Segment) -> None:
    """Enter a segment; one whose key is there already stays as it is."""
    values = asdict(segment) | {"gaps": [[a.isoformat(), b.isoformat()] for a, b in segment.gaps]}
    with ledger.transaction() as connection:
        kind = postgresql if connection.dialect.name == "postgresql" else sqlite
        statement = kind.insert(segments).values(values)
        connection.execute(statement.on_conflict_do_nothing(index_elements=["key"]))


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


def times_by_camera(ledger: Ledger, start: datetime, end: datetime) -> dict[str, list[SegmentTimes]]:
    """When something was recorded in a period, by camera and in order of time.

    Args:
        ledger: The ledger.
        start: Begin of the period.
        end: End of the period.
    """
    columns = (segments.c.camera_id, segments.c.started_at, segments.c.ended_at, segments.c.motion)
    query = _within(select(*columns, segments.c.gaps), None, start, end)
    found: dict[str, list[SegmentTimes]] = {}
    with ledger.snapshot() as connection:
        rows = connection.execute(query.order_by(segments.c.camera_id, segments.c.started_at)).all()
    for camera_id, started_at, ended_at, motion, gaps in rows:
        one = SegmentTimes(started_at, ended_at, motion, _stretches(gaps))
        found.setdefault(camera_id, []).append(one)
    return found


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
    """Take segments out of the index."""
    names = list(keys)
    with ledger.transaction() as connection:
        for start in range(0, len(names), _KEYS_A_STATEMENT):
            part = names[start : start + _KEYS_A_STATEMENT]
            connection.execute(delete(segments).where(segments.c.key.in_(part)))


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
    return Segment(**values | {"gaps": _stretches(values["gaps"])})


def _stretches(plain: Sequence[Sequence[str]]) -> tuple[Stretch, ...]:
    return tuple((datetime.fromisoformat(a), datetime.fromisoformat(b)) for a, b in plain)
