"""Events that are of frames, and those that asked for a training."""

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime, timedelta

from streetloop.ledger import Ledger
from streetloop.ledger.events import Event, events_between
from streetloop.ledger.lookups.frame_name import FrameName, frame_name_of
from streetloop.ledger.lookups.kept_frames import events_named
from train.version_record import Version

_INSTANT = timedelta(microseconds=1)
_DRIFT = "drift"


def events_of_frames(
    ledger: Ledger, names: Collection[FrameName | None], moments: Sequence[tuple[str, datetime]]
) -> list[Event]:
    """Events that began in a frame, or were open at its camera when it was captured.

    Args:
        ledger: The ledger.
        names: Names of the frames; None of one that is not known.
        moments: Camera and time (UTC) of each frame.
    """
    if not moments:
        return []
    times = [at for _, at in moments]
    open_then = [
        event
        for event in events_between(ledger, min(times), max(times) + _INSTANT)
        if any(event.camera_id == camera and _covers(event, at) for camera, at in moments)
    ]
    begun = [event for name in names if name is not None for event in events_named(ledger, name)]
    found = {event.id: event for event in [*begun, *open_then]}
    return sorted(found.values(), key=lambda event: (event.started_at, event.id))


def link_to(event: Event, names: Collection[FrameName | None]) -> str:
    """What links an event to frames, in words."""
    name = frame_name_of(event.camera_id, event.detail)
    return "began in the frame" if name is not None and name in names else "open at the frame"


def events_that_asked(ledger: Ledger, versions: Iterable[Version]) -> list[Event]:
    """The drifts for which the frames of some versions were labeled."""
    found: dict[int, Event] = {}
    for version in versions:
        for finding in version.record.trigger.get("findings") or ():
            if isinstance(finding, dict) and "since" in finding:
                since = datetime.fromisoformat(finding["since"])
                for event in events_between(ledger, since, since + _INSTANT):
                    is_it = (event.kind, event.camera_id, event.started_at)
                    if is_it == (_DRIFT, finding.get("camera"), since):
                        found[event.id] = event
    return list(found.values())


def _covers(event: Event, at: datetime) -> bool:
    return event.started_at <= at and (event.ended_at is None or at <= event.ended_at)
