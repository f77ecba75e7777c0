"""The incidents of a stretch of time; new ones get their number in the ledger."""

from collections.abc import Collection, Sequence
from datetime import datetime

from flows.reports.incidents.explanations import cause_of, steps_of
from flows.reports.incidents.grouping import GAP, Group, group_events
from streetloop.control.report_views import IncidentView
from streetloop.errors import NotFound
from streetloop.ledger import Ledger
from streetloop.ledger.alerts.incidents import (
    NewIncident,
    events_by_id,
    events_of,
    incidents_of,
    keep_incidents,
    list_incidents,
    read_events,
)
from streetloop.ledger.events import Event


def find_incidents(ledger: Ledger, since: datetime, until: datetime) -> list[IncidentView]:
    """The incidents that touch a stretch of time, the newest first.

    Args:
        ledger: The ledger; incidents that are new are written.
        since: Begin of the stretch (UTC).
        until: Its end (UTC).

    Raises:
        LedgerError: It cannot be read or written.
    """
    # What ended shortly before may be the begin of an incident that touches the time.
    events = read_events(ledger, since - GAP, until)
    known = incidents_of(ledger, [event.id for event in events])
    earlier = events_of(ledger, set(known.values()))
    missing = {number for numbers in earlier.values() for number in numbers} - {e.id for e in events}
    known |= {event: incident for incident, numbers in earlier.items() for event in numbers}
    events = _ordered([*events, *events_by_id(ledger, missing)])
    groups = group_events(events, known)
    _keep(ledger, groups, known)
    touching = [group for group in groups if group.ends_at is None or group.ends_at >= since]
    return [view for group in reversed(touching) if (view := _view(group)) is not None]


def find_incident(ledger: Ledger, number: int) -> IncidentView:
    """One incident.

    Raises:
        NotFound: There is none of that number.
    """
    found = views_of(ledger, [number])
    if not found:
        raise NotFound(f"there is no incident {number}: `streetloop incidents list` shows them")
    return found[0]


def past_incidents(ledger: Ledger, most: int) -> list[IncidentView]:
    """The incidents that have a number, the newest first."""
    return views_of(ledger, list_incidents(ledger, most))


def views_of(ledger: Ledger, numbers: Collection[int]) -> list[IncidentView]:
    """Incidents by their numbers, the newest first; unknown numbers are left out."""
    events_by_incident = events_of(ledger, numbers)
    events = {e.id: e for e in events_by_id(ledger, [n for ns in events_by_incident.values() for n in ns])}
    found = []
    for number, members in events_by_incident.items():
        group = Group(number)
        for event in _ordered([events[one] for one in members if one in events]):
            group.add(event)
        view = _view(group)
        if view is not None:
            found.append(view)
    return sorted(found, key=lambda view: (view.started_at, view.id), reverse=True)


def _keep(ledger: Ledger, groups: Sequence[Group], known: dict[int, int]) -> None:
    """Give every group its number, and write what is new."""
    new = [group for group in groups if group.incident is None]
    joined = {
        group.incident: fresh
        for group in groups
        if group.incident is not None and (fresh := [e.id for e in group.events if e.id not in known])
    }
    if not new and not joined:
        return
    keep_incidents(
        ledger, [NewIncident(g.events[0].started_at, [e.id for e in g.events]) for g in new], joined
    )
    numbers = incidents_of(ledger, [event.id for group in new for event in group.events])
    for group in new:  # another process may have been first
        group.incident = numbers[group.events[0].id]


def _view(group: Group) -> IncidentView | None:
    if group.incident is None or not group.events:
        return None
    cause, certainty = cause_of(group.events)
    done, todo = steps_of(group.events)
    cameras = {event.camera_id for event in group.events if event.camera_id is not None}
    cameras |= {str(name) for event in group.events for name in event.detail.get("cameras", [])}
    return IncidentView(
        id=group.incident,
        events=[event.id for event in group.events],
        kinds=sorted({event.kind for event in group.events}),
        cameras=sorted(cameras),
        started_at=group.events[0].started_at,
        ended_at=group.ends_at,
        cause=cause,
        certainty=round(min(max(certainty, 0.0), 1.0), 3),
        done=done,
        todo=todo,
        notes=list(dict.fromkeys(event.comment for event in group.events if event.comment)),
    )


def _ordered(events: Sequence[Event]) -> list[Event]:
    return sorted(events, key=lambda event: (event.started_at, event.id))
