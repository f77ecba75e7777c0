"""Changes of events, each with its message, in the transaction that changes the event.

A change and the rows that say which sinks wait for it are written with the event or not at all.
"""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, and_, func, insert, select, text

from streetloop.ledger.database import Ledger
from streetloop.ledger.schema.tables import event_changes, event_sinks, events, outbox

BEGIN, END, ACKNOWLEDGED, TEST = "begin", "end", "acknowledged", "test"
"""Changes; `TEST` is of no event, and goes to one sink."""

SCHEMA = 1
"""Version of the messages; it rises when a key goes or changes its meaning."""


@dataclass(frozen=True, slots=True)
class EventChange:
    """One change of an event.

    Attributes:
        number: Rises from change to change.
        change: `BEGIN`, `END`, `ACKNOWLEDGED` or `TEST`.
        kind: Of the event.
        camera_id: Of the event; None if it concerns no camera.
        message: What sinks are sent, JSON: ``id``, which no two changes share, ``schema``,
            ``number``, ``change``, ``at`` and ``event``.
    """

    number: int
    change: str
    kind: str
    camera_id: str | None
    message: Mapping[str, Any]


def note_change(connection: Connection, event_id: int, change: str, at: datetime) -> None:
    """Write a change of an event, and which sinks wait for it.

    Args:
        connection: Of the transaction that changed the event.
        event_id: Its number.
        change: `BEGIN`, `END` or `ACKNOWLEDGED`.
        at: When it changed (UTC).
    """
    row = connection.execute(select(events).where(events.c.id == event_id)).mappings().one()
    number = _write(connection, event_id, row["kind"], row["camera_id"], change, at, _document(row))
    if row["muted"]:
        return
    sinks = connection.execute(select(event_sinks).where(event_sinks.c.listed)).mappings().all()
    waiting = [{"sink": sink["name"], "change": number} for sink in sinks if _wants(sink, row)]
    if waiting:
        connection.execute(insert(outbox), waiting)


def note_test(ledger: Ledger, sink: str, at: datetime) -> int:
    """Write a message that only one sink is sent, to see whether it arrives; its number.

    Args:
        ledger: The ledger.
        sink: Name of the sink.
        at: Now (UTC).
    """
    event = {
        "id": None,
        "kind": "sink_test",
        "camera_id": None,
        "started_at": _text(at),
        "ended_at": _text(at),
    }
    with ledger.transaction() as connection:
        number = _write(connection, None, "sink_test", None, TEST, at, event)
        connection.execute(insert(outbox).values(sink=sink, change=number))
    return number


def list_changes(ledger: Ledger, after: int, most: int, camera_id: str | None = None) -> list[EventChange]:
    """Changes of events, the oldest first; those of some days are kept.

    Args:
        ledger: The ledger.
        after: Only those with a higher number.
        most: Largest number of changes.
        camera_id: Only of this camera; None for all.
    """
    wanted = and_(event_changes.c.id > after, event_changes.c.event_id.is_not(None))
    if camera_id is not None:
        wanted = and_(wanted, event_changes.c.camera_id == camera_id)
    query = select(event_changes).where(wanted).order_by(event_changes.c.id).limit(most)
    with ledger.snapshot() as connection:
        return [change_of(row) for row in connection.execute(query).mappings()]


def last_change_number(ledger: Ledger) -> int:
    """The number of the newest change of an event, see `list_changes`; 0 before the first."""
    query = select(func.max(event_changes.c.id)).where(event_changes.c.event_id.is_not(None))
    with ledger.snapshot() as connection:
        return connection.execute(query).scalar() or 0


def change_of(row: Mapping[Any, Any]) -> EventChange:
    """A row of `event_changes` as a value."""
    message = {**row["message"], "number": row["id"]}
    return EventChange(row["id"], row["change"], row["kind"], row["camera_id"], message)


def _write(
    connection: Connection,
    event_id: int | None,
    kind: str,
    camera_id: str | None,
    change: str,
    at: datetime,
    event: Mapping[str, Any],
) -> int:
    if connection.dialect.name == "postgresql":
        # Numbers are given before the commit: without this, a lower one could appear later.
        connection.execute(text("LOCK TABLE event_changes IN SHARE ROW EXCLUSIVE MODE"))
    message = {"id": uuid.uuid4().hex, "schema": SCHEMA, "change": change, "at": _text(at), "event": event}
    values = {
        "event_id": event_id,
        "kind": kind,
        "camera_id": camera_id,
        "change": change,
        "at": datetime.now(UTC),  # the event itself may be of long ago
        "message": message,
    }
    key = connection.execute(insert(event_changes).values(values)).inserted_primary_key
    assert key is not None
    return int(key[0])


def _wants(sink: Mapping[Any, Any], event: Mapping[Any, Any]) -> bool:
    kinds, cameras = sink["kinds"], sink["cameras"]
    return (kinds is None or event["kind"] in kinds) and (cameras is None or event["camera_id"] in cameras)


def _document(row: Mapping[Any, Any]) -> dict[str, Any]:
    """An event as the API shows it."""
    found = {name: _text(value) if isinstance(value, datetime) else value for name, value in row.items()}
    found["model"] = found.pop("model_version")
    return found


def _text(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")
