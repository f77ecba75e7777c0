"""The tables that questions are asked of: a copy in memory, so no query can change the ledger."""

import io
import re
import sqlite3
from collections import Counter
from collections.abc import Iterable
from datetime import UTC, datetime

import pyarrow.parquet as pq
from sqlalchemy import func, select

from flows.stream.sinks.parquet_objects import hour_of
from streetloop.errors import StoreError
from streetloop.ledger import Ledger
from streetloop.ledger.alerts.incidents import read_events
from streetloop.ledger.findings import list_findings
from streetloop.ledger.learning import list_learning
from streetloop.ledger.line_counts import minute_of
from streetloop.ledger.reviews import count_reviews
from streetloop.ledger.rollouts import list_decisions, list_rollouts
from streetloop.ledger.schema.tables import line_counts
from streetloop.storage.store import ObjectStore

SCHEMA = """\
create table frames (camera text, hour text, fate text, reason text, frames integer);
create table events (id integer, kind text, camera text, started_at text, ended_at text, minutes real, \
cause text);
create table drift (camera text, since text, until text, cause text, probability real);
create table counts (camera text, line text, direction text, class text, hour text, crossings integer);
create table labels (state text, frames integer);
create table rollouts (id integer, version text, champion text, state text, started_at text, ended_at text, \
reason text);
create table learning (id integer, started_by text, step text, started_at text, ended_at text, reason text);
"""
"""Times are UTC, written so that their order is that of the text; an hour is its begin."""

_MAX_ROWS = 10_000
_FRAME_KEY = re.compile(r"frames/run=[^/]+/camera=(?P<camera>[^/]+)/hour=(?P<hour>[^/]+)/[^/]+\.parquet")
_HOUR_MINUTES = 60


def copy_tables(ledger: Ledger, store: ObjectStore, since: datetime, until: datetime) -> sqlite3.Connection:
    """Copy what happened in a stretch of time into a database in memory.

    Args:
        ledger: The ledger.
        store: Holds the frame log; a part of it that cannot be read is left out.
        since: Begin of the time (UTC).
        until: Its end (UTC).
    """
    copy = sqlite3.connect(":memory:", check_same_thread=False)
    copy.executescript(SCHEMA)
    _fill(copy, "frames", _frames(store, since, until))
    _fill(copy, "events", _events(ledger, since, until))
    _fill(copy, "drift", _drift(ledger, since, until))
    _fill(copy, "counts", _counts(ledger, since, until))
    _fill(copy, "labels", [(state.value, count) for state, count in count_reviews(ledger).items()])
    _fill(copy, "rollouts", _rollouts(ledger))
    _fill(copy, "learning", _learning(ledger))
    copy.commit()
    return copy


def written(moment: datetime | None) -> str | None:
    """A time as the tables have it."""
    return None if moment is None else f"{moment.astimezone(UTC):%Y-%m-%d %H:%M:%S}"


def _fill(copy: sqlite3.Connection, table: str, rows: Iterable[tuple[object, ...]]) -> None:
    found = list(rows)
    if found:
        places = ", ".join("?" * len(found[0]))
        copy.executemany(f"insert into {table} values ({places})", found)


def _frames(store: ObjectStore, since: datetime, until: datetime) -> list[tuple[object, ...]]:
    first, last = hour_of(since), hour_of(until)
    found: Counter[tuple[str, str, str, str]] = Counter()
    try:
        for key in store.keys("frames/run="):
            match = _FRAME_KEY.fullmatch(key)
            if match is not None and first <= match["hour"] <= last:
                table = pq.read_table(io.BytesIO(store.get(key)), columns=["captured_at", "fate", "reason"])
                for row in table.to_pylist():
                    hour = f"{row['captured_at'].astimezone(UTC):%Y-%m-%d %H}:00:00"
                    found[match["camera"], hour, row["fate"], row["reason"] or ""] += 1
    except StoreError:
        return [(*key, count) for key, count in found.items()]
    return [(*key, count) for key, count in found.items()]


def _events(ledger: Ledger, since: datetime, until: datetime) -> list[tuple[object, ...]]:
    return [
        (
            event.id,
            event.kind,
            event.camera_id,
            written(event.started_at),
            written(event.ended_at),
            round(((event.ended_at or until) - event.started_at).total_seconds() / 60, 1),
            event.cause,
        )
        for event in read_events(ledger, since, until)
    ]


def _drift(ledger: Ledger, since: datetime, until: datetime) -> list[tuple[object, ...]]:
    found: list[tuple[object, ...]] = []
    for one in list_findings(ledger, most=_MAX_ROWS):
        if one.opened_at <= until and (one.closed_at is None or one.closed_at >= since):
            first = next(iter(one.causes), None)
            cause, probability = (None, None) if first is None else (first.name, first.probability)
            found.append((one.camera_id, written(one.since), written(one.closed_at), cause, probability))
    return found


def _counts(ledger: Ledger, since: datetime, until: datetime) -> list[tuple[object, ...]]:
    c = line_counts.c
    hour = c.minute - c.minute % _HOUR_MINUTES
    in_time = (c.minute >= minute_of(since)) & (c.minute <= minute_of(until))
    by = (c.camera_id, c.line, c.direction, c.class_name, hour)
    query = select(*by, func.sum(c.count)).where(in_time).group_by(*by)
    with ledger.snapshot() as connection:
        rows = connection.execute(query).all()
    return [
        (camera, line, way, name, written(datetime.fromtimestamp(int(minute) * 60, UTC)), int(count))
        for camera, line, way, name, minute, count in rows
    ]


def _rollouts(ledger: Ledger) -> list[tuple[object, ...]]:
    found: list[tuple[object, ...]] = []
    for one in list_rollouts(ledger):
        decisions = list_decisions(ledger, one.id)
        reason = decisions[-1].reason if decisions else None
        times = written(one.started_at), written(one.ended_at)
        found.append((one.id, one.model, one.champion, one.state.value, *times, reason))
    return found


def _learning(ledger: Ledger) -> list[tuple[object, ...]]:
    return [
        (
            one.id,
            str(one.trigger.get("kind", "")),
            one.step.value,
            written(one.started_at),
            written(one.ended_at),
            one.reason,
        )
        for one in list_learning(ledger)
    ]
