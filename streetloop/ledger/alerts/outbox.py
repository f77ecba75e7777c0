"""The outbox: what each event sink still waits for, and how each fares."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Update, and_, delete, func, insert, select, update

from streetloop.ledger.alerts.event_changes import EventChange, change_of
from streetloop.ledger.database import Ledger
from streetloop.ledger.schema.tables import event_changes, event_sinks, outbox

MAX_AGE = timedelta(days=7)
MAX_ROWS = 1_000_000
AWAY = timedelta(minutes=5)
"""How long a sink fails before that is an event and a problem of the service."""

_MAX_ERROR, _MAX_ADDRESS = 500, 300
_AT_ONCE = 500  # parameters of a statement are limited


@dataclass(frozen=True, slots=True)
class SinkRecord:
    """An event sink as running streams have it.

    Attributes:
        name: Its name.
        type: ``webhook``, ``mqtt``, ``kafka`` or ``email``.
        address: Where it is, without secrets.
        kinds: The kinds of events that it is sent; None for all.
        cameras: The cameras whose events it is sent; None for all.
    """

    name: str
    type: str
    address: str
    kinds: Sequence[str] | None = None
    cameras: Sequence[str] | None = None


@dataclass(frozen=True, slots=True)
class SinkState:
    """How an event sink fares.

    Attributes:
        sink: The sink.
        listed: Whether the camera file of the last start has it.
        waiting: Changes that it was not sent yet.
        oldest_at: When the oldest of them came (UTC); None if none waits.
        delivered: Changes that it took since it was first listed.
        dropped: Changes that it was never sent, because they waited too long or were too many.
        delivered_at: When it last took one.
        failing_since: Since when it takes nothing; None while it is well.
        error: Why; None while it is well.
    """

    sink: SinkRecord
    listed: bool
    waiting: int
    oldest_at: datetime | None
    delivered: int
    dropped: int
    delivered_at: datetime | None
    failing_since: datetime | None
    error: str | None


def list_sinks(ledger: Ledger, sinks: Sequence[SinkRecord]) -> None:
    """Write down which sinks there are; changes from now on wait for them.

    What waits for others stays, and is sent if they come back in time.
    """
    with ledger.transaction() as connection:
        connection.execute(update(event_sinks).values(listed=False))
        for sink in sinks:
            values = {
                "type": sink.type,
                "address": sink.address[:_MAX_ADDRESS],
                "kinds": None if sink.kinds is None else list(sink.kinds),
                "cameras": None if sink.cameras is None else list(sink.cameras),
                "listed": True,
                "failing_since": None,
                "error": None,
            }
            known = event_sinks.c.name == sink.name
            if connection.execute(update(event_sinks).where(known).values(values)).rowcount == 0:
                connection.execute(insert(event_sinks).values(name=sink.name, **values))


def next_changes(ledger: Ledger, sink: str, most: int) -> list[EventChange]:
    """What a sink is to be sent next, in the order in which it happened.

    Args:
        ledger: The ledger.
        sink: Its name.
        most: Largest number of changes.
    """
    query = (
        select(event_changes)
        .join(outbox, outbox.c.change == event_changes.c.id)
        .where(outbox.c.sink == sink)
        .order_by(outbox.c.change)
        .limit(most)
    )
    with ledger.snapshot() as connection:
        return [change_of(row) for row in connection.execute(query).mappings()]


def note_delivered(ledger: Ledger, sink: str, numbers: Sequence[int], at: datetime) -> None:
    """Take changes that a sink took out of the outbox.

    Args:
        ledger: The ledger.
        sink: Its name.
        numbers: Of the changes; at least one.
        at: When it took the last (UTC).
    """
    with ledger.transaction() as connection:
        for first in range(0, len(numbers), _AT_ONCE):
            these = outbox.c.change.in_(numbers[first : first + _AT_ONCE])
            connection.execute(delete(outbox).where(and_(outbox.c.sink == sink, these)))
        values = {"delivered": event_sinks.c.delivered + len(numbers), "delivered_at": at}
        connection.execute(_of(sink).values(values))


def note_failing(ledger: Ledger, sink: str, error: str | None, since: datetime | None) -> None:
    """Write down that a sink takes nothing, or takes something again.

    Args:
        ledger: The ledger.
        sink: Its name.
        error: Why, without secrets; None once it is well.
        since: Since when (UTC); None once it is well.
    """
    shown = None if error is None else error[:_MAX_ERROR]
    with ledger.transaction() as connection:
        connection.execute(_of(sink).values(error=shown, failing_since=since))


def trim_outbox(
    ledger: Ledger, now: datetime, max_age: timedelta = MAX_AGE, max_rows: int = MAX_ROWS
) -> Mapping[str, int]:
    """Drop what waited too long or is too much, the oldest first.

    Args:
        ledger: The ledger.
        now: Now (UTC).
        max_age: Longest time that a change is kept.
        max_rows: Largest number of changes, and of rows of the outbox.

    Returns:
        How many changes each sink will never be sent, by its name.
    """
    too_old = select(func.max(event_changes.c.id)).where(event_changes.c.at < now - max_age)
    beyond = [
        select(column).order_by(column.desc()).offset(max_rows).limit(1)
        for column in (event_changes.c.id, outbox.c.change)
    ]
    with ledger.transaction() as connection:
        bounds = [connection.execute(query).scalar() or 0 for query in (too_old, *beyond)]
        last = max(bounds)
        if last == 0:
            return {}
        lost = select(outbox.c.sink, func.count()).where(outbox.c.change <= last).group_by(outbox.c.sink)
        dropped = {name: int(count) for name, count in connection.execute(lost)}
        connection.execute(delete(outbox).where(outbox.c.change <= last))
        connection.execute(delete(event_changes).where(event_changes.c.id <= max(bounds[:2])))
        for name, count in dropped.items():
            connection.execute(_of(name).values(dropped=event_sinks.c.dropped + count))
    return dropped


def still_waits(ledger: Ledger, sink: str, number: int) -> bool:
    """Whether a sink was not sent a change yet."""
    query = select(outbox).where(and_(outbox.c.sink == sink, outbox.c.change == number))
    with ledger.snapshot() as connection:
        return connection.execute(query).first() is not None


def sink_states(ledger: Ledger, names: Collection[str] | None = None) -> list[SinkState]:
    """How the sinks fare, by name; those that are gone and wait for nothing are left out.

    Args:
        ledger: The ledger.
        names: Only these; None for all.
    """
    # Of the index alone: a million rows may wait, and people look every few seconds.
    oldest = func.min(outbox.c.change).label("oldest")
    waiting = select(outbox.c.sink, func.count().label("waiting"), oldest).group_by(outbox.c.sink).subquery()
    query = (
        select(event_sinks, waiting.c.waiting, event_changes.c.at.label("oldest_at"))
        .outerjoin(waiting, waiting.c.sink == event_sinks.c.name)
        .outerjoin(event_changes, event_changes.c.id == waiting.c.oldest)
        .order_by(event_sinks.c.name)
    )
    with ledger.snapshot() as connection:
        found = [_state(row) for row in connection.execute(query).mappings()]
    return [one for one in found if (one.listed or one.waiting) and (names is None or one.sink.name in names)]


def _of(sink: str) -> Update:
    return update(event_sinks).where(event_sinks.c.name == sink)


def _state(row: Mapping[Any, Any]) -> SinkState:
    sink = SinkRecord(row["name"], row["type"], row["address"], row["kinds"], row["cameras"])
    return SinkState(
        sink,
        row["listed"],
        row["waiting"] or 0,
        row["oldest_at"],
        row["delivered"],
        row["dropped"],
        row["delivered_at"],
        row["failing_since"],
        row["error"],
    )
