"""What waits in the spool of recorded video."""

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from flows.stream.recording.spool import VIDEO


@dataclass(frozen=True, slots=True)
class SpoolReading:
    """Segments on the disk of this machine that the object store does not have yet.

    Attributes:
        segments: How many, with those that are still written.
        bytes: Their length.
        oldest_at: When the oldest of them was last written (UTC); None without one.
    """

    segments: int
    bytes: int
    oldest_at: datetime | None


def read_spool(root: Path) -> SpoolReading:
    """Look at the spool of a home.

    Args:
        root: Its folder, see `flows.stream.recording.recording.spool_of`; it may be missing.
    """
    found = []
    for video in root.rglob(f"*{VIDEO}"):
        try:
            found.append(video.stat())
        except OSError:
            continue  # it was uploaded meanwhile
    oldest = min((one.st_mtime for one in found), default=None)
    return SpoolReading(
        len(found),
        sum(one.st_size for one in found),
        None if oldest is None else datetime.fromtimestamp(oldest, UTC),
    )
