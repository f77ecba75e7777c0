"""Line crossings by minute of UTC, their speeds, and how much of each minute was looked at.

Every write adds to what is there, so a minute may come in parts: from reports of a growing minute,
and from several workers that read the camera one after the other.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple, Self

from sqlalchemy import ColumnElement, Connection, Integer, Select, Table, func, literal_column, select
from sqlalchemy.dialects import postgresql, sqlite

from streetloop.ledger.database import Ledger
from streetloop.ledger.schema.tables import line_counts, line_coverage, line_speeds

_MINUTE_S = 60
_MAX_CLASS_NAME = 200  # characters, as the column has them


class CountKey(NamedTuple):
    """What crossings are counted by.

    Attributes:
        camera_id: The camera.
        minute: Minutes since 1970 (UTC).
        line: Name of the line.
        direction: ``in`` or ``out``.
        class_name: Class of the tracks; empty where it is unknown.
    """

    camera_id: str
    minute: int
    line: str
    direction: str
    class_name: str


class SpeedKey(NamedTuple):
    """What timed crossings are counted by: the fields of `CountKey`, and their speed.

    Attributes:
        camera_id: The camera.
        minute: Minutes since 1970 (UTC).
        line: Name of the line.
        direction: ``in`` or ``out``.
        class_name: Class of the tracks; empty where it is unknown.
        kmh: Their speed in whole km/h.
    """

    camera_id: str
    minute: int
    line: str
    direction: str
    class_name: str
    kmh: int


class CoverageKey(NamedTuple):
    """What coverage is measured by.

    Attributes:
        camera_id: The camera.
        minute: Minutes since 1970 (UTC).
        line: Name of a line that the camera had then.
    """

    camera_id: str
    minute: int
    line: str


@dataclass(frozen=True, slots=True)
class LineCounts:
    """Crossings and coverage; sums of them are again such.

    Attributes:
        crossings: Crossings by key.
        inferred: How many of them were concluded across a gap.
        covered_ms: Milliseconds in which the camera was looked at. A line without any crossing is
            here, and not in ``crossings``.
        speeds: Those of the crossings that were timed, by key.
    """

    crossings: Counter[CountKey] = field(default_factory=Counter)
    inferred: Counter[CountKey] = field(default_factory=Counter)
    covered_ms: Counter[CoverageKey] = field(default_factory=Counter)
    speeds: Counter[SpeedKey] = field(default_factory=Counter)

    def __add__(self, other: Self) -> "LineCounts":
        return LineCounts(
            self.crossings + other.crossings,
            self.inferred + other.inferred,
            self.covered_ms + other.covered_ms,
            self.speeds + other.speeds,
        )

    @classmethod
    def total(cls, parts: Iterable[Self]) -> "LineCounts":
        """The sum of many, at the cost of one pass over each.

        >>> key = CountKey("a40", 1, "gate", "in", "car")
        >>> parts = [LineCounts(Counter({key: crossings})) for crossings in (2, 3)]
        >>> LineCounts.total(parts).crossings[key]
        5
        """
        found = LineCounts()
        for part in parts:
            found.crossings.update(part.crossings)
            found.inferred.update(part.inferred)
            found.covered_ms.update(part.covered_ms)
            found.speeds.update(part.speeds)
        return found

    def __bool__(self) -> bool:
        return bool(self.crossings or self.covered_ms)

    @property
    def minutes(self) -> int:
        """Minutes of cameras that are in it."""
        keys: Iterable[CountKey | CoverageKey] = (*self.crossings, *self.covered_ms)
        return len({(key.camera_id, key.minute) for key in keys})


def sum_crossings(ledger: Ledger, since: datetime, until: datetime) -> dict[str, int]:
    """Crossings of all lines by camera, the most first.

    Args:
        ledger: The ledger.
        since: Begin of the time (UTC), to the minute.
        until: Its end (UTC).
    """
    c = line_counts.c
    total = func.sum(c.count)
    in_time = (c.minute >= minute_of(since)) & (c.minute <= minute_of(until))
    query = (
        select(c.camera_id, total).where(in_time).group_by(c.camera_id).order_by(total.desc(), c.camera_id)
    )
    with ledger.snapshot() as connection:
        return {camera: int(count) for camera, count in connection.execute(query)}


def minute_of(moment: datetime) -> int:
    """Minutes since 1970 (UTC) of an aware time.

    >>> from datetime import UTC
    >>> minute_of(datetime(1970, 1, 1, 1, 0, 59, tzinfo=UTC))
    60
    """
    return int(moment.timestamp() // _MINUTE_S)


def add_line_counts(ledger: Ledger, found: LineCounts) -> None:
    """Add to the minutes that the ledger has; all of it, or nothing if an error is raised.

    Raises:
        LedgerError: The ledger cannot be written.
    """
    counts = [
        {**_plain(key), "count": count, "inferred": found.inferred[key]}
        for key, count in found.crossings.items()
    ]
    coverage = [{**_plain(key), "covered_ms": ms} for key, ms in found.covered_ms.items()]
    speeds = [{**_plain(key), "count": count} for key, count in found.speeds.items()]
    with ledger.transaction() as connection:
        _add(connection, line_counts, counts)
        _add(connection, line_speeds, speeds)
        _add(connection, line_coverage, coverage)


def read_line_counts(
    ledger: Ledger, camera_id: str, start: datetime, end: datetime, minutes: int = 1
) -> LineCounts:
    """Crossings and coverage of a camera in a period.

    Args:
        ledger: The ledger.
        camera_id: The camera.
        start: The first minute that counts.
        end: The first minute that does not.
        minutes: How many minutes are summed up, from multiples of it since 1970. The sum has the
            first minute as its key.

    Raises:
        LedgerError: The ledger cannot be read.
    """
    found = LineCounts()
    span = (camera_id, minute_of(start), minute_of(end))
    with ledger.snapshot() as connection:
        counts = _sums(line_counts, ("line", "direction", "class_name"), ("count", "inferred"), span, minutes)
        for part, line, direction, class_name, count, inferred in connection.execute(counts):
            key = CountKey(camera_id, part * minutes, line, direction, class_name)
            found.crossings[key], found.inferred[key] = int(count), int(inferred)
        coverage = _sums(line_coverage, ("line",), ("covered_ms",), span, minutes)
        for part, line, ms in connection.execute(coverage):
            found.covered_ms[CoverageKey(camera_id, part * minutes, line)] = int(ms)
        speeds = _sums(line_speeds, ("line", "direction", "class_name", "kmh"), ("count",), span, minutes)
        for part, line, direction, class_name, kmh, count in connection.execute(speeds):
            timed = SpeedKey(camera_id, part * minutes, line, direction, class_name, kmh)
            found.speeds[timed] = int(count)
    return found


def counted_lines(ledger: Ledger, camera_id: str) -> list[str]:
    """Names of the lines that a camera has, or had, counts of; sorted.

    Raises:
        LedgerError: The ledger cannot be read.
    """
    names: set[str] = set()
    with ledger.snapshot() as connection:
        for table in (line_coverage, line_counts):
            query = select(table.c.line).where(table.c.camera_id == camera_id).distinct()
            names.update(connection.execute(query).scalars())
    return sorted(names)


def _plain(key: CountKey | CoverageKey | SpeedKey) -> dict[str, Any]:
    plain = key._asdict()
    if "class_name" in plain:
        plain["class_name"] = plain["class_name"][:_MAX_CLASS_NAME]
    return plain


def _add(connection: Connection, table: Table, rows: list[dict[str, Any]]) -> None:
    if not rows:
        return
    kind = postgresql if connection.dialect.name == "postgresql" else sqlite
    insert = kind.insert(table)
    sums = {
        column.name: column + insert.excluded[column.name]
        for column in table.columns
        if not column.primary_key
    }
    statement = insert.on_conflict_do_update(index_elements=list(table.primary_key), set_=sums)
    connection.execute(statement, rows)


def _sums(
    table: Table, names: tuple[str, ...], values: tuple[str, ...], span: tuple[str, int, int], minutes: int
) -> Select[Any]:
    """Sums of ``values`` by part of ``minutes`` and by ``names``, within a span of minutes."""
    camera_id, first, end = span
    # Literal: a parameter in SELECT and another in GROUP BY would be two expressions to PostgreSQL.
    part: ColumnElement[int] = table.c.minute // literal_column(str(minutes), Integer)
    keys = [part, *(table.c[name] for name in names)]
    within = (table.c.camera_id == camera_id) & (table.c.minute >= first) & (table.c.minute < end)
    return select(*keys, *(func.sum(table.c[name]) for name in values)).where(within).group_by(*keys)
