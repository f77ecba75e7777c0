"""Events: what happened at a camera, and when."""

import logging
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, Integer, cast, delete, func, insert, select, update

from streetloop.host.structured_log import ids
from streetloop.ledger.alerts.event_changes import ACKNOWLEDGED, BEGIN, END, note_change
from streetloop.ledger.alerts.mutes import is_muted
from streetloop.ledger.database import Ledger
from streetloop.ledger.lookups.frame_name import frame_name_of
from streetloop.ledger.schema.tables import events, incident_events, incidents

_log = logging.getLogger(__name__)

MOST = 1000
MEASURED = "labels measured"
"""Kind of the event that stores the measurement of one model at one camera; it is no incident."""
LONGEST_SHOWN = timedelta(minutes=10)
"""What is recorded from the begin of an event is of the event so long."""

_MAX_CAUSE = 500


@dataclass(frozen=True, slots=True)
class Event:
    """One event.

    Attributes:
        id: Its number in the ledger.
        kind: What it is, such as ``drift`` or ``camera_lost``.
        camera_id: Where; None if it concerns no camera.
        started_at: Since when.
        ended_at: Until when; None while it lasts.
        model_version: Which model was in charge.
        coverage: Share of the period that was seen, 0 to 1.
        detail: What else is known.
        cause: Why it happened, one sentence without credentials; None if unknown.
        certainty: How sure it is that it happened, 0 to 1; None where that is no question.
        evidence: Keys of pictures and clips in the object store.
        rule_version: Which rule found it; None if none did.
        acknowledged_at: When somebody took note of it; None if nobody did.
        acknowledged_by: Who.
        comment: What somebody wrote about it; the newest one.
        commented_by: Who.
        false_at: When somebody said that it did not happen; None if nobody did.
        false_by: Who.
        muted: Whether its sinks are not told of it.
    """

    id: int
    kind: str
    camera_id: str | None
    started_at: datetime
    ended_at: datetime | None
    model_version: str | None
    coverage: float | None
    detail: Mapping[str, Any]
    cause: str | None = None
    certainty: float | None = None
    evidence: list[str] = field(default_factory=list)
    rule_version: str | None = None
    acknowledged_at: datetime | None = None
    acknowledged_by: str | None = None
    comment: str | None = None
    commented_by: str | None = None
    false_at: datetime | None = None
    false_by: str | None = None
    muted: bool = False


def begin_event(
    ledger: Ledger,
    kind: str,
    started_at: datetime,
    camera_id: str | None = None,
    model_version: str | None = None,
    coverage: float | None = None,
    detail: Mapping[str, Any] | None = None,
    cause: str | None = None,
    ended_at: datetime | None = None,
    certainty: float | None = None,
    evidence: Sequence[str] = (),
    rule_version: str | None = None,
) -> int:
    """Write an event that has begun; returns its number.

    Args:
        ledger: The ledger.
        kind: Such as ``drift``.
        started_at: Its begin (UTC).
        camera_id: The camera; None for all.
        model_version: The model that saw it.
        coverage: Share of its time that was observed, 0 to 1; None if unknown.
        detail: JSON of what else is known.
        cause: Why it happened; more than 500 characters are cut.
        ended_at: Its end (UTC); None while it lasts.
        certainty: How sure it is, 0 to 1; None where that is no question.
        evidence: Keys of pictures in the object store.
        rule_version: The rule that found it; None if none did.
    """
    row: dict[str, Any] = {
        "kind": kind,
        "camera_id": camera_id,
        "started_at": started_at,
        "coverage": coverage,
        "model_version": model_version,
        "detail": dict(detail or {}),
        "cause": None if cause is None else cause[:_MAX_CAUSE],
        "ended_at": ended_at,
        "certainty": certainty,
        "evidence": list(evidence),
        "rule_version": rule_version,
    }
    with ledger.transaction() as connection:
        row["muted"] = is_muted(connection, kind, camera_id, started_at)
        number = _number(connection.execute(insert(events).values(row)).inserted_primary_key)
        note_change(connection, number, BEGIN, started_at)
    name = frame_name_of(camera_id, row["detail"])
    about = ids(event=number, frame_name=name, camera=camera_id, version=model_version)
    _log.info("event %d begins: %s", number, kind, extra=about)
    return number


def end_event(ledger: Ledger, number: int, ended_at: datetime) -> None:
    """End an event; one that has ended stays as it is.

    Args:
        ledger: The ledger.
        number: Its number.
        ended_at: Its end (UTC).
    """
    with ledger.transaction() as connection:
        _end(connection, events.c.id == number, ended_at)


def conclude_event(
    ledger: Ledger,
    number: int,
    ended_at: datetime,
    coverage: float,
    certainty: float,
    detail: Mapping[str, Any],
) -> None:
    """End an event with what is known of all of it; one that has ended stays as it is.

    Args:
        ledger: The ledger.
        number: Its number.
        ended_at: Its end (UTC).
        coverage: Share of its time that was observed, 0 to 1.
        certainty: How sure it is, 0 to 1.
        detail: JSON of what else is known.
    """
    values = {"ended_at": ended_at, "coverage": coverage, "certainty": certainty, "detail": dict(detail)}
    with ledger.transaction() as connection:
        still_on = (events.c.id == number) & events.c.ended_at.is_(None)
        if connection.execute(update(events).where(still_on).values(values)).rowcount:
            note_change(connection, number, END, ended_at)


def comment_event(ledger: Ledger, number: int, text: str, author: str) -> None:
    """Write a comment; it takes the place of the one before.

    Args:
        ledger: The ledger.
        number: The event's number.
        text: The comment, up to 1000 characters; empty removes it.
        author: Who.
    """
    values = {"comment": text or None, "commented_by": author if text else None}
    with ledger.transaction() as connection:
        connection.execute(update(events).where(events.c.id == number).values(values))


def mark_false(ledger: Ledger, number: int, author: str, at: datetime | None) -> None:
    """Note that an event did not happen, which also acknowledges it, or take that back.

    Args:
        ledger: The ledger.
        number: Its number.
        author: Who says so.
        at: When (UTC); None takes it back.
    """
    acknowledge_event(ledger, number, author, at or datetime.now(UTC))
    values = {"false_at": at, "false_by": None if at is None else author}
    with ledger.transaction() as connection:
        connection.execute(update(events).where(events.c.id == number).values(values))


@dataclass(frozen=True, slots=True)
class Judged:
    """What people said about the events of a rule at a camera.

    Attributes:
        kind: What the rule finds.
        camera_id: Where.
        rule_version: Which rule.
        events: All its events.
        confirmed: Those that were acknowledged and not marked as false.
        false: Those that were marked as false.
    """

    kind: str
    camera_id: str | None
    rule_version: str
    events: int
    confirmed: int
    false: int


def judged_rules(ledger: Ledger) -> list[Judged]:
    """What people said about each rule, by kind, camera and version."""
    by = (events.c.kind, events.c.camera_id, events.c.rule_version)
    is_false = events.c.false_at.is_not(None)
    is_confirmed = events.c.acknowledged_at.is_not(None) & ~is_false
    columns = (func.count(), func.sum(cast(is_confirmed, Integer)), func.sum(cast(is_false, Integer)))
    query = select(*by, *columns).where(events.c.rule_version.is_not(None)).group_by(*by).order_by(*by)
    with ledger.snapshot() as connection:
        return [Judged(*row) for row in connection.execute(query).all()]


def find_event(ledger: Ledger, number: int) -> Event | None:
    """The event of a number; None if there is none."""
    with ledger.snapshot() as connection:
        row = connection.execute(select(events).where(events.c.id == number)).mappings().first()
    return None if row is None else Event(**row)


def acknowledge_event(ledger: Ledger, number: int, author: str, at: datetime) -> None:
    """Note that somebody took note of an event; the first who did stays.

    Args:
        ledger: The ledger.
        number: Its number.
        author: Who.
        at: When (UTC).
    """
    with ledger.transaction() as connection:
        it = (events.c.id == number) & events.c.acknowledged_at.is_(None)
        values = {"acknowledged_at": at, "acknowledged_by": author}
        if connection.execute(update(events).where(it).values(values)).rowcount:
            note_change(connection, number, ACKNOWLEDGED, at)


def end_open_events(ledger: Ledger, kinds: Collection[str], ended_at: datetime) -> None:
    """End all events of some kinds that go on.

    Args:
        ledger: The ledger.
        kinds: The kinds.
        ended_at: Their end (UTC).
    """
    with ledger.transaction() as connection:
        _end(connection, events.c.kind.in_(kinds), ended_at)


def list_events(
    ledger: Ledger,
    camera_id: str | None = None,
    kind: str | None = None,
    only_open: bool = False,
    most: int = 100,
    offset: int = 0,
    since: datetime | None = None,
) -> list[Event]:
    """List events, newest first.

    Args:
        ledger: The ledger.
        camera_id: Only of this camera; None for all.
        kind: Only of this kind; None for all.
        only_open: Only events that have not ended.
        most: Largest number of events, up to `MOST`.
        offset: Number of events to skip.
        since: Only events that had not ended before (UTC); None for all.
    """
    query = select(events).order_by(events.c.started_at.desc(), events.c.id.desc())
    if camera_id is not None:
        query = query.where(events.c.camera_id == camera_id)
    if kind is not None:
        query = query.where(events.c.kind == kind)
    if only_open:
        query = query.where(events.c.ended_at.is_(None))
    if since is not None:
        query = query.where(events.c.ended_at.is_(None) | (events.c.ended_at >= since))
    with ledger.snapshot() as connection:
        rows = connection.execute(query.limit(min(most, MOST)).offset(offset)).mappings().all()
    return [Event(**row) for row in rows]


def count_open_events(ledger: Ledger) -> dict[str, int]:
    """Number of events that go on, by kind."""
    query = select(events.c.kind, func.count()).where(events.c.ended_at.is_(None)).group_by(events.c.kind)
    with ledger.snapshot() as connection:
        return {kind: int(count) for kind, count in connection.execute(query)}


def times_of_events(
    ledger: Ledger, camera_id: str, start: datetime, end: datetime
) -> list[tuple[datetime, datetime]]:
    """Begin and end of the events of a camera that were on in a period, by their begin.

    An event that goes on ends with the period, and one counts for ten minutes at most: what is
    recorded of it is its begin.

    Args:
        ledger: The ledger.
        camera_id: The camera.
        start: Begin of the period (UTC).
        end: End of the period (UTC).
    """
    times = select(events.c.started_at, events.c.ended_at).order_by(events.c.started_at)
    of_camera = times.where(events.c.camera_id == camera_id)
    near = of_camera.where(events.c.started_at < end, events.c.started_at > start - LONGEST_SHOWN)
    with ledger.snapshot() as connection:
        rows = connection.execute(near).all()
    found = [(begin, min(until or end, begin + LONGEST_SHOWN)) for begin, until in rows]
    return [(begin, max(begin, until)) for begin, until in found if until >= start]


def events_between(ledger: Ledger, start: datetime, end: datetime) -> list[Event]:
    """The events of cameras that were on in a period, by their begin; at most `MOST`.

    Args:
        ledger: The ledger.
        start: Begin of the period (UTC).
        end: End of the period (UTC).
    """
    query = select(events).where(events.c.camera_id.is_not(None), events.c.started_at < end)
    query = query.where(events.c.ended_at.is_(None) | (events.c.ended_at >= start))
    with ledger.snapshot() as connection:
        rows = connection.execute(query.order_by(events.c.started_at).limit(MOST)).mappings().all()
    return [Event(**row) for row in rows]


def times_of_all_events(ledger: Ledger, now: datetime) -> dict[str, list[tuple[datetime, datetime]]]:
    """The same as `times_of_events` of all cameras and times, by camera.

    Args:
        ledger: The ledger.
        now: Where events that go on end (UTC).
    """
    query = select(events.c.camera_id, events.c.started_at, events.c.ended_at).order_by(events.c.started_at)
    found: dict[str, list[tuple[datetime, datetime]]] = {}
    with ledger.snapshot() as connection:
        for camera_id, begin, until in connection.execute(query.where(events.c.camera_id.is_not(None))):
            end = min(until or now, begin + LONGEST_SHOWN)
            found.setdefault(camera_id, []).append((begin, max(begin, end)))
    return found


def evidence_keys(ledger: Ledger, since: datetime | None = None) -> set[str]:
    """All keys that events name as their evidence.

    Args:
        ledger: The ledger.
        since: Leave out those of events that ended before (UTC); None for all.
    """
    query = select(events.c.evidence)
    if since is not None:
        query = query.where(events.c.ended_at.is_(None) | (events.c.ended_at >= since))
    with ledger.snapshot() as connection:
        return {key for keys in connection.execute(query).scalars() for key in keys or ()}


def count_events_before(ledger: Ledger, before: datetime) -> int:
    """Number of the events that ended before a moment (UTC)."""
    query = select(func.count()).select_from(events).where(events.c.ended_at < before)
    with ledger.snapshot() as connection:
        return int(connection.execute(query).scalar_one())


def remove_events(ledger: Ledger, before: datetime) -> None:
    """Remove the events that ended before a moment (UTC), and incidents that have no others."""
    old = select(events.c.id).where(events.c.ended_at < before)
    with ledger.transaction() as connection:
        connection.execute(delete(incident_events).where(incident_events.c.event_id.in_(old)))
        left = select(incident_events.c.incident_id)
        connection.execute(delete(incidents).where(incidents.c.id.not_in(left)))
        connection.execute(delete(events).where(events.c.ended_at < before))


def _end(connection: Connection, wanted: ColumnElement[bool], ended_at: datetime) -> None:
    """End those of some events that go on."""
    query = select(events.c.id).where(wanted & events.c.ended_at.is_(None)).order_by(events.c.id)
    for number in connection.execute(query).scalars().all():
        connection.execute(update(events).where(events.c.id == number).values(ended_at=ended_at))
        _log.info("event %d ends", number, extra=ids(event=number))
        note_change(connection, number, END, ended_at)


def _number(key: Sequence[Any] | None) -> int:
    assert key is not None
    return int(key[0])
