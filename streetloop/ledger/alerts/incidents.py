"""Incidents: events that belong together, under a number that does not change."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import insert, select

from streetloop.ledger.database import Ledger
from streetloop.ledger.events import MEASURED, Event
from streetloop.ledger.schema.tables import events, incident_events, incidents

_MAX_IDS = 500  # in one statement


class NewIncident(NamedTuple):
    """An incident that has no number yet.

    Attributes:
        started_at: Begin of its first event (UTC).
        events: Numbers of its events.
    """

    started_at: datetime
    events: Sequence[int]


def read_events(ledger: Ledger, since: datetime, until: datetime) -> list[Event]:
    """All events that touch a stretch of time, the oldest first; measurements are left out.

    Args:
        ledger: The ledger.
        since: Begin of the stretch (UTC).
        until: Its end (UTC).
    """
    touches = (events.c.started_at <= until) & (events.c.ended_at.is_(None) | (events.c.ended_at >= since))
    query = (
        select(events).where(touches & (events.c.kind != MEASURED)).order_by(events.c.started_at, events.c.id)
    )
    with ledger.snapshot() as connection:
        return [Event(**row) for row in connection.execute(query).mappings()]


def events_by_id(ledger: Ledger, numbers: Collection[int]) -> list[Event]:
    """The events of some numbers, the oldest first."""
    query = select(events).order_by(events.c.started_at, events.c.id)
    with ledger.snapshot() as connection:
        found = [
            Event(**row)
            for part in _parts(numbers)
            for row in connection.execute(query.where(events.c.id.in_(part))).mappings()
        ]
    return sorted(found, key=lambda event: (event.started_at, event.id))


def incidents_of(ledger: Ledger, numbers: Collection[int]) -> dict[int, int]:
    """Number of the incident by number of the event; events of none are left out."""
    query = select(incident_events.c.event_id, incident_events.c.incident_id)
    with ledger.snapshot() as connection:
        return {
            int(event): int(incident)
            for part in _parts(numbers)
            for event, incident in connection.execute(query.where(incident_events.c.event_id.in_(part)))
        }


def events_of(ledger: Ledger, numbers: Collection[int]) -> dict[int, list[int]]:
    """Numbers of all events by number of the incident."""
    found: dict[int, list[int]] = {}
    query = select(incident_events).order_by(incident_events.c.event_id)
    with ledger.snapshot() as connection:
        for part in _parts(numbers):
            for row in connection.execute(query.where(incident_events.c.incident_id.in_(part))):
                found.setdefault(int(row.incident_id), []).append(int(row.event_id))
    return found


def list_incidents(ledger: Ledger, most: int = 1000) -> list[int]:
    """Numbers of incidents, the newest first."""
    query = select(incidents.c.id).order_by(incidents.c.started_at.desc(), incidents.c.id.desc())
    with ledger.snapshot() as connection:
        return [int(number) for number in connection.execute(query.limit(most)).scalars()]


def keep_incidents(
    ledger: Ledger, new: Sequence[NewIncident], joined: Mapping[int, Collection[int]]
) -> list[int]:
    """Write incidents, and events that join known ones; numbers of the new ones, in their order.

    An event that another process gave an incident meanwhile stays there.

    Args:
        ledger: The ledger.
        new: Incidents that are not known yet.
        joined: Events that join a known incident, by its number.
    """
    with ledger.transaction() as connection:
        taken = {
            int(number)
            for part in _parts(
                [n for one in new for n in one.events] + [n for ns in joined.values() for n in ns]
            )
            for number in connection.execute(
                select(incident_events.c.event_id).where(incident_events.c.event_id.in_(part))
            ).scalars()
        }
        rows = [
            {"event_id": event, "incident_id": number}
            for number, added in joined.items()
            for event in added
            if event not in taken
        ]
        numbers = []
        for one in new:
            left = [event for event in one.events if event not in taken]
            if not left:
                continue
            key = connection.execute(insert(incidents).values(started_at=one.started_at)).inserted_primary_key
            assert key is not None
            numbers.append(int(key[0]))
            rows += [{"event_id": event, "incident_id": numbers[-1]} for event in left]
        if rows:
            connection.execute(insert(incident_events), rows)
    return numbers


def _parts(numbers: Collection[int]) -> list[list[int]]:
    known = sorted(numbers)
    return [known[start : start + _MAX_IDS] for start in range(0, len(known), _MAX_IDS)]
