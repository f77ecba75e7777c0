"""How the stream of each camera fared, by minute of UTC.

Every write adds to what is there: a minute comes in parts, from reports of a growing minute and
from two runs that share it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import delete, func, literal_column, select, tuple_
from sqlalchemy.dialects import postgresql, sqlite

from streetloop.ledger.database import Ledger
from streetloop.ledger.line_counts import minute_of
from streetloop.ledger.schema.tables import camera_minutes
from streetloop.summable import Summable

_COUNTS = ("watched_ms", "decoded", "detected", "objects")
_MAPPINGS = ("reasons", "classes")
_PER_STATEMENT = 300
_REMOVED_AT_ONCE = 60  # minutes


@dataclass(frozen=True, slots=True)
class CameraMinute(Summable):
    """How a camera fared in a minute, or in several that are summed up.

    Attributes:
        watched_ms: Milliseconds in which its stream was there.
        decoded: Frames that were decoded.
        detected: Frames that the detector answered.
        objects: Tracks that were confirmed.
        lag_ms: 95th percentile of the time from arrival to result; the highest of those summed up.
        reasons: Frames that were not detected, by reason.
        classes: The confirmed tracks by class.
    """

    watched_ms: int = 0
    decoded: int = 0
    detected: int = 0
    objects: int = 0
    lag_ms: int = 0
    reasons: Mapping[str, int] = field(default_factory=dict)
    classes: Mapping[str, int] = field(default_factory=dict)

    def __add__(self, other: "CameraMinute") -> "CameraMinute":
        sums = super(CameraMinute, self).__add__(other)
        return CameraMinute(
            sums.watched_ms,
            sums.decoded,
            sums.detected,
            sums.objects,
            max(self.lag_ms, other.lag_ms),
            sums.reasons,
            sums.classes,
        )


def add_camera_minutes(ledger: Ledger, found: Mapping[tuple[str, int], CameraMinute]) -> None:
    """Add to the minutes that the ledger has; all of it, or nothing if an error is raised.

    Args:
        ledger: The ledger.
        found: By camera and minute since 1970 (UTC).

    Raises:
        LedgerError: The ledger cannot be written.
    """
    if not found:
        return
    c = camera_minutes.c
    keys = list(found)
    with ledger.transaction() as connection:
        before: dict[tuple[str, int], CameraMinute] = {}
        for start in range(0, len(keys), _PER_STATEMENT):
            part = keys[start : start + _PER_STATEMENT]
            query = select(camera_minutes).where(tuple_(c.camera_id, c.minute).in_(part))
            stored = connection.execute(query).mappings()
            before |= {(row["camera_id"], row["minute"]): _read(dict(row)) for row in stored}
        rows = [_row(key, before[key] + one if key in before else one) for key, one in found.items()]
        kind = postgresql if connection.dialect.name == "postgresql" else sqlite
        new = kind.insert(camera_minutes)
        replaced = {name: new.excluded[name] for name in (*_COUNTS, "lag_ms", *_MAPPINGS)}
        key = [c.camera_id, c.minute]
        connection.execute(new.on_conflict_do_update(index_elements=key, set_=replaced), rows)


def sum_camera_minutes(
    ledger: Ledger, since: datetime, until: datetime, minutes: int, camera_id: str | None = None
) -> dict[tuple[str, int], CameraMinute]:
    """Sums by camera and by parts of ``minutes``, counted from 1970; without reasons and classes.

    Args:
        ledger: The ledger.
        since: The first minute that counts.
        until: The first minute that does not.
        minutes: How many are summed up. The first of them is the key.
        camera_id: Only this camera; None for all.

    Raises:
        LedgerError: The ledger cannot be read.
    """
    c = camera_minutes.c
    # Literal: a parameter in SELECT and another in GROUP BY would be two expressions to PostgreSQL.
    part = c.minute - c.minute % literal_column(str(int(minutes)))
    sums = [func.sum(c[name]) for name in _COUNTS]
    query = select(c.camera_id, part, *sums, func.max(c.lag_ms)).where(
        c.minute >= minute_of(since), c.minute < minute_of(until)
    )
    if camera_id is not None:
        query = query.where(c.camera_id == camera_id)
    with ledger.snapshot() as connection:
        rows = connection.execute(query.group_by(c.camera_id, part)).all()
    return {
        (row[0], int(row[1])): CameraMinute(int(row[2]), int(row[3]), int(row[4]), int(row[5]), int(row[6]))
        for row in rows
    }


def read_camera_minutes(
    ledger: Ledger, camera_id: str, since: datetime, until: datetime
) -> dict[int, CameraMinute]:
    """The minutes of one camera, with reasons and classes.

    Args:
        ledger: The ledger.
        camera_id: The camera.
        since: The first minute that counts.
        until: The first minute that does not.

    Raises:
        LedgerError: The ledger cannot be read.
    """
    c = camera_minutes.c
    in_time = (c.minute >= minute_of(since)) & (c.minute < minute_of(until))
    query = select(camera_minutes).where(in_time & (c.camera_id == camera_id))
    with ledger.snapshot() as connection:
        return {row["minute"]: _read(dict(row)) for row in connection.execute(query).mappings()}


def count_minutes_before(ledger: Ledger, before: datetime) -> int:
    """Number of minutes of all cameras that began earlier.

    Args:
        ledger: The ledger.
        before: The first moment that does not count.
    """
    query = select(func.count()).where(camera_minutes.c.minute < minute_of(before))
    with ledger.snapshot() as connection:
        return int(connection.execute(query).scalar_one())


def remove_minutes_before(ledger: Ledger, before: datetime) -> None:
    """Remove the minutes of all cameras that began earlier, in parts: others write in between.

    Args:
        ledger: The ledger.
        before: The first moment that stays.

    Raises:
        LedgerError: The ledger cannot be written; what went until then is gone.
    """
    c = camera_minutes.c
    with ledger.snapshot() as connection:
        oldest = connection.execute(select(func.min(c.minute))).scalar_one()
    end = minute_of(before)
    for start in range(end if oldest is None else oldest, end, _REMOVED_AT_ONCE):
        with ledger.transaction() as connection:
            connection.execute(delete(camera_minutes).where(c.minute < min(start + _REMOVED_AT_ONCE, end)))


def _read(row: Mapping[str, Any]) -> CameraMinute:
    return CameraMinute(**{name: row[name] for name in (*_COUNTS, "lag_ms", *_MAPPINGS)})


def _row(key: tuple[str, int], one: CameraMinute) -> dict[str, Any]:
    plain = {name: getattr(one, name) for name in (*_COUNTS, "lag_ms")}
    mappings = {name: dict(getattr(one, name)) for name in _MAPPINGS}
    return {"camera_id": key[0], "minute": key[1], **plain, **mappings}
