"""Which events are one incident. No I/O.

The events of a camera are one incident if they overlap, or follow each other within five minutes.
So are those of several cameras that have one cause: the object store, a worker, the detector, or
the same sentence as cause.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from streetloop.ledger.events import Event

GAP = timedelta(minutes=5)
"""Longest pause between two events of one incident."""

_SHARED = {
    "store_failed": "store",
    "sink_failed": "store",
    "worker_restarted": "worker",
    "flow_failed": "worker",
    "detector_restarted": "detector",
    "app_restarted": "app",
    "detector_failed": "detector",
}


@dataclass(slots=True)
class Group:
    """Events that are one incident.

    Attributes:
        incident: Its number; None if it has none yet.
        events: Its events, the oldest first.
        ends_at: When the last of them ended; None while one goes on.
    """

    incident: int | None
    events: list[Event] = field(default_factory=list)
    ends_at: datetime | None = None

    def reaches(self, moment: datetime) -> bool:
        """True if an event that begins then belongs to it."""
        return self.ends_at is None or moment <= self.ends_at + GAP

    def add(self, event: Event) -> None:
        """Add an event."""
        if not self.events:
            self.ends_at = event.ended_at
        elif self.ends_at is not None:
            self.ends_at = None if event.ended_at is None else max(self.ends_at, event.ended_at)
        self.events.append(event)


def group_events(events: Sequence[Event], known: Mapping[int, int]) -> list[Group]:
    """Put events together.

    An event that has an incident stays in it; others join the incident that reaches them, or begin
    one.

    Args:
        events: The oldest first.
        known: Number of the incident by number of the event, of events that have one.
    """
    groups: list[Group] = []
    by_number: dict[int, Group] = {}
    newest: dict[tuple[str, ...], Group] = {}
    for event in events:
        number = known.get(event.id)
        group = by_number.get(number) if number is not None else _reached(event, newest)
        if group is None:
            group = Group(number)
            groups.append(group)
            if number is not None:
                by_number[number] = group
        group.add(event)
        for key in _keys(event):
            newest[key] = group
    return groups


def _reached(event: Event, newest: Mapping[tuple[str, ...], Group]) -> Group | None:
    for key in _keys(event):
        group = newest.get(key)
        if group is not None and group.reaches(event.started_at):
            return group
    return None


def _keys(event: Event) -> list[tuple[str, ...]]:
    """By what an event finds the incident that it belongs to; what is shared comes first."""
    keys: list[tuple[str, ...]] = []
    if event.kind in _SHARED:
        keys.append(("shared", _SHARED[event.kind]))
    elif event.camera_id is None:
        keys.append(("kind", event.kind))
    if event.cause is not None and event.camera_id is not None and event.kind == "camera_lost":
        keys.append(("cause", event.kind, event.cause))
    if event.camera_id is not None:
        keys.append(("camera", event.camera_id))
    keys += [("camera", str(name)) for name in event.detail.get("cameras", []) if event.camera_id is None]
    return keys
