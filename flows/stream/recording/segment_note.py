"""What is known of a segment in the spool: a JSON file beside it."""

import json
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path

from streetloop.errors import StoreError
from streetloop.host.files import write_whole
from streetloop.ledger.segments import Stretch

SUFFIX = ".json"


@dataclass(frozen=True, slots=True)
class SegmentNote:
    """A segment that is being written, or waits for its upload.

    Attributes:
        name: Its file in the spool, without a suffix; no other segment of the camera has it.
        camera_id: The camera.
        mode: What the camera records: ``continuous``, ``motion`` or ``events``.
        started_at: When its first picture was captured (UTC).
        ended_at: When its last one ends; None while it is written, and for ever if its writer died.
        codec: FFmpeg's name.
        width: In pixels.
        height: In pixels.
        gaps: Stretches within it without pictures.
        motion: Share of it in which something moved, 0 to 1; None if unknown.
        run: The run whose log has its frames.
        frame_id: Number of its first picture in that run.
        pts_offset: See `streetloop.ledger.segments.Segment`.
    """

    name: str
    camera_id: str
    mode: str
    started_at: datetime
    ended_at: datetime | None
    codec: str
    width: int
    height: int
    gaps: tuple[Stretch, ...] = ()
    motion: float | None = None
    run: str | None = None
    frame_id: int | None = None
    pts_offset: float | None = None

    @property
    def key(self) -> str:
        """Its key in the object store."""
        day = self.started_at.strftime("%Y-%m-%d")
        return f"archive/camera={self.camera_id}/day={day}/{self.name}.mp4"


def write_note(video: Path, note: SegmentNote) -> None:
    """Write the note beside its video.

    Raises:
        StoreError: The folder cannot be written to.
    """
    plain = asdict(note)
    try:
        write_whole(video.with_suffix(SUFFIX), json.dumps(plain, default=datetime.isoformat))
    except OSError as error:
        raise StoreError(f"the spool {video.parent} cannot be written: {error.strerror}") from error


def read_note(video: Path) -> SegmentNote | None:
    """The note beside a video; None if there is none that can be read."""
    try:
        plain = json.loads(video.with_suffix(SUFFIX).read_text(encoding="utf-8"))
        for key in ("started_at", "ended_at"):
            plain[key] = None if plain[key] is None else datetime.fromisoformat(plain[key])
        plain["gaps"] = tuple(
            (datetime.fromisoformat(a), datetime.fromisoformat(b)) for a, b in plain["gaps"]
        )
        return SegmentNote(**plain)
    except (OSError, ValueError, KeyError, TypeError):
        return None
