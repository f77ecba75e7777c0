"""Short ways to make the nouns that tests of the stream flow speak of."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np

from flows.stream.analysis.faults import Fault
from flows.stream.analysis.results import Result
from flows.stream.ingest.accounting import DropReason, FrameAccount
from flows.stream.ingest.mailbox import Mailbox
from flows.stream.sources.source import SourceFrame
from streetloop.cameras.camera_file import Camera
from streetloop.cameras.zones import Line
from streetloop.secrets import SecretUri
from streetloop.types import UNCONFIRMED, ArrayPicture, Detections, Frame, Image, Picture, Tracked
from streetloop.video import VideoWriter

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def plain(width: int = 64, height: int = 48, value: int = 90) -> ArrayPicture:
    """A picture of one gray."""
    return ArrayPicture(np.full((height, width, 3), value, np.uint8))


def with_square(left: int, top: int, size: int, width: int = 320, height: int = 192) -> Image:
    """A gray picture with a white square in it."""
    image = np.full((height, width, 3), 90, np.uint8)
    image[top : top + size, left : left + size] = 255
    return image


def find_white(image: Image) -> Detections:
    """A detector that sees the white square of `with_square`."""
    rows, columns = np.nonzero(image[:, :, 0] > 200)
    if not rows.size:
        return Detections.empty()
    return found((columns.min(), rows.min(), columns.max() + 1, rows.max() + 1))


def found(
    *boxes: Sequence[float], confidence: float | Sequence[float] = 0.9, class_id: int = 0
) -> Detections:
    """Detections for boxes (left, top, right, bottom)."""
    xyxy = np.array(boxes, np.float32).reshape(-1, 4)
    return Detections(
        xyxy,
        np.broadcast_to(np.asarray(confidence, np.float32), len(boxes)).copy(),
        np.full(len(boxes), class_id, np.int64),
    )


def camera(camera_id: str = "a", fps: float | None = None, lines: dict[str, Line] | None = None) -> Camera:
    """A camera whose URI nobody opens."""
    return Camera(id=camera_id, uri=SecretUri("rtsp://10.0.0.1/a"), fps=fps, lines=lines or {})


def frame(
    frame_id: int = 0,
    *,
    camera_id: str = "a",
    pts: float | None = None,
    captured_at: datetime | None = None,
    arrived_s: float = 0.0,
    picture: Picture | None = None,
) -> Frame:
    """A frame; by default the ``frame_id``-th of a camera with 25 a second."""
    pts = frame_id / 25 if pts is None else pts
    captured_at = captured_at or NOON + timedelta(seconds=pts)
    return Frame(camera_id, frame_id, pts, captured_at, arrived_s, picture or plain())


def result(of: Frame, detections: Detections | None = None, track_ids: Iterable[int] | None = None) -> Result:
    """A result; without ``track_ids`` nothing in it is confirmed."""
    detections = Detections.empty() if detections is None else detections
    ids = [UNCONFIRMED] * len(detections) if track_ids is None else list(track_ids)
    return Result(
        of, Tracked(detections, np.array(ids, np.int64)), [], "model-1", np.ones(len(ids), np.bool_)
    )


def source_frames(count: int, fps: float = 25.0, start_s: float = 0.0) -> list[SourceFrame]:
    """Pictures of one gray at an even rate."""
    return [SourceFrame(start_s + index / fps, plain()) for index in range(count)]


def write_clip(path: Path, grays: Sequence[int], fps: float = 25.0) -> Path:
    """A small H.264 clip whose pictures are each of one gray."""
    writer = VideoWriter(path)
    for index, gray in enumerate(grays):
        writer.write(plain(64, 48, gray).pixels, index / fps)
    writer.close()
    return path


def fault(text: str, kind: str = "store_failed") -> Fault:
    """A fault that came once."""
    return Fault(kind, text, NOON, NOON)


def dropped(account: FrameAccount, reason: DropReason) -> int:
    """How many frames were counted for ``reason`` so far."""
    return account.snapshot().reasons.get(reason.value, 0)


class CountingMailbox(Mailbox):
    """A mailbox that counts what is put into it as decoded, which is a reader's task."""

    def put(self, frame: Frame, capacity: int = 16) -> bool:
        self._account.decoded(frame)
        return super().put(frame, capacity)
