"""Which objects beside video are to go: a pure function of their age, their class and the rules."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from streetloop.storage.store import StoredObject

PREFIXES = {
    "detections": "detections/",
    "frames": "frames/run=",
    "drift": "minutes/",
    "replays": "replays/",
    "events": "events/",
    "candidates": "frames/",
}
"""By class of ``keep_days``: where its objects are; the first that fits counts."""

_YOUNG = timedelta(days=1)  # what is being written is not in the ledger yet


@dataclass(frozen=True, slots=True)
class ObjectRemoval:
    """An object that is to go.

    Attributes:
        stored: The object.
        object_class: One of `PREFIXES`.
    """

    stored: StoredObject
    object_class: str


def class_of_object(key: str) -> str | None:
    """The class of an object by its key; None if it is of none.

    >>> [class_of_object(key) for key in ("frames/run=r/1", "frames/ab/abc.jpg", "archive/1.mp4")]
    ['frames', 'candidates', None]
    """
    return next((name for name, prefix in PREFIXES.items() if key.startswith(prefix)), None)


def objects_to_remove(
    objects: Iterable[StoredObject], days: Mapping[str, float], used: Collection[str], now: datetime
) -> list[ObjectRemoval]:
    """What is to go, the oldest first.

    Args:
        objects: All objects of a store.
        days: By class, the age from which on an object goes; a class without a rule stays.
        used: Keys that the ledger or a dataset names; they stay whatever their age.
        now: The time (UTC).
    """
    found = []
    for one in objects:
        kind = class_of_object(one.key)
        if kind is None or kind not in days or one.key in used:
            continue
        if now - one.stored_at > max(timedelta(days=days[kind]), _YOUNG):
            found.append(ObjectRemoval(one, kind))
    return sorted(found, key=lambda removal: (removal.stored.stored_at, removal.stored.key))
