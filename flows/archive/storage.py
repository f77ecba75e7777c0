"""What the store holds by class, how fast it grows, and how long the disk lasts."""

import shutil
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from streetloop.storage.store import StoredObject

_DAY = timedelta(days=1)
_BY_PREFIX = (
    ("archive/", "archive"),
    ("detections/", "detection log"),
    ("frames/run=", "frame log"),
    ("frames/", "frames"),
    ("replays/", "replays"),
    ("minutes/", "drift periods"),
    ("events/", "evidence"),
    ("datasets/", "datasets"),
)


@dataclass(frozen=True, slots=True)
class ClassOfObjects:
    """Objects of one kind.

    Attributes:
        name: Such as ``archive`` or ``detection log``; ``other`` for what has no name.
        bytes: Their length.
        objects: Their number.
        day_bytes: Length of those that were stored within the last day.
    """

    name: str
    bytes: int
    objects: int
    day_bytes: int


def by_class(objects: Iterable[StoredObject], now: datetime) -> list[ClassOfObjects]:
    """Sums by class, the largest first.

    Args:
        objects: All objects of a store.
        now: The time (UTC).
    """
    sums: defaultdict[str, list[int]] = defaultdict(lambda: [0, 0, 0])
    for one in objects:
        total = sums[next((name for prefix, name in _BY_PREFIX if one.key.startswith(prefix)), "other")]
        total[0] += one.bytes
        total[1] += 1
        total[2] += one.bytes if now - one.stored_at < _DAY else 0
    found = [ClassOfObjects(name, *total) for name, total in sums.items()]
    return sorted(found, key=lambda one: (-one.bytes, one.name))


def folder_bytes(folder: Path) -> int:
    """Length of all files below a folder; 0 if there is none."""
    total = 0
    for path in folder.rglob("*"):
        try:
            total += path.stat().st_size if path.is_file() else 0
        except OSError:
            continue  # it was removed meanwhile
    return total


def days_left(growth_bytes: int, folder: Path | None) -> float | None:
    """Days until the disk of a folder is full; None if nothing grows, or the disk is another's.

    Args:
        growth_bytes: Growth of a day.
        folder: Where the store is; None for a bucket.
    """
    if folder is None or growth_bytes <= 0:
        return None
    while not folder.exists():
        folder = folder.parent
    return shutil.disk_usage(folder).free / growth_bytes
