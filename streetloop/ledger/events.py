"""Events: what happened at a camera, and when."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import insert, select, update

from streetloop.ledger.database import Ledger
from streetloop.ledger.tables import events

MOST = 1000
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
    """
    row = {
        "kind": kind,
        "camera_id": camera_id,
        "started_at": started_at,
        "coverage": coverage,
        "model_version": model_version,
        "detail": dict(detail or {}),
        "cause": None if cause is None else cause[:_MAX_CAUSE],
        "ended_at": ended_at,
    }
    with ledger.transaction() as connection:
        return _number(connection.execute(insert(events).values(row)).inserted_primary_key)


def end_event(ledger: Ledger, number: int, ended_at: datetime) -> None:
    """End an event; one that has ended stays as it is.

    Args:
        ledger: The ledger.
        number: Its number.
        ended_at: Its end (UTC).
    """
    with ledger.transaction() as connection:
        still_on = (events.c.id == number) & events.c.ended_at.is_(None)
        connection.execute(update(events).where(still_on).values(ended_at=ended_at))


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
        it = events.c.id == number
        values = {"acknowledged_at": at, "acknowledged_by": author}
        connection.execute(update(events).where(it & events.c.acknowledged_at.is_(None)).values(values))


def end_open_events(ledger: Ledger, kinds: Collection[str], ended_at: datetime) -> None:
    """End all events of some kinds that go on.

    Args:
        ledger: The ledger.
        kinds: The kinds.
        ended_at: Their end (UTC).
    """
    with ledger.transaction() as connection:
        still_on = events.c.kind.in_(kinds) & events.c.ended_at.is_(None)
        connection.execute(update(events).where(still_on).values(ended_at=ended_at))


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


def _number(key: Sequence[Any] | None) -> int:
    assert key is not None
    return int(key[0])
