"""Records a camera in a test, and looks at what came of it."""

import hashlib
import itertools
import threading
from collections.abc import Iterator
from pathlib import Path

import av

from flows.stream.ingest.accounting import FrameAccount
from flows.stream.ingest.camera_reader import CameraReader
from flows.stream.ingest.mailbox import Mailbox
from flows.stream.ingest.motion_gate import MotionGate
from flows.stream.recording.recorder import CameraRecorder
from flows.stream.recording.segment_note import SegmentNote, read_note
from flows.stream.recording.spool import Spool
from flows.stream.sources.registry import open_source
from flows.stream.sources.source import Source
from streetloop.cameras.camera_file import Camera, parse_camera
from streetloop.clock import Clock, SystemClock
from streetloop.types import Frame

GB = 10**9
PATIENCE_S = 60.0


def spool_in(folder: Path, limit_bytes: int = GB, reserve_bytes: int = 0) -> Spool:
    """A spool that nobody else writes to; it looks for room at every question."""
    seconds = itertools.count(step=2)
    return Spool(folder / "spool", limit_bytes, reserve_bytes, lambda: float(next(seconds)))


def recorder_of(
    spool: Spool,
    *,
    mode: str = "continuous",
    segment_s: float = 60.0,
    clock: Clock | None = None,
    live: bool = False,
    camera: str = "a",
    run: str = "run",
) -> CameraRecorder:
    """The recorder of a camera."""
    return CameraRecorder(camera, mode, spool, run, segment_s, clock or SystemClock(), live=live)


def record(
    recorder: CameraRecorder,
    uri: str | None = None,
    *,
    source: Source | None = None,
    gate: MotionGate | None = None,
    clock: Clock | None = None,
    **options: object,
) -> list[Frame]:
    """Read a camera to its end; its frames."""
    camera: Camera = parse_camera({"id": "a", "uri": uri or "rtsp://10.0.0.1/a", **options})
    clock = clock or SystemClock()
    frames: list[Frame] = []
    account = FrameAccount()
    mailbox = _Keeping(account, frames)
    reader = CameraReader(
        camera, source or open_source(camera, clock), mailbox, account, clock, gate, recorder=recorder
    )
    reader.start()
    reader.join(PATIENCE_S)
    assert reader.finished
    return frames


class _Keeping(Mailbox):
    """A mailbox that never is full."""

    def __init__(self, account: FrameAccount, frames: list[Frame]) -> None:
        super().__init__(account, 1e9, threading.Condition())
        self._frames = frames

    def put(self, frame: Frame, capacity: int = 16) -> bool:
        self._frames.append(frame)
        return True


def segments_in(spool: Spool) -> list[tuple[Path, SegmentNote]]:
    """The segments of a spool with their notes."""
    found = [(video, read_note(video)) for video in spool.videos()]
    return [(video, note) for video, note in found if note is not None]


def packets_of(path: Path) -> Iterator[tuple[float, bool, str]]:
    """Time of display, key or not, and digest of each packet of a file."""
    with av.open(str(path)) as container:
        for packet in container.demux(video=0):
            if packet.size:
                pts = float((packet.pts or 0) * packet.time_base)
                yield pts, packet.is_keyframe, hashlib.sha256(bytes(packet)).hexdigest()


def times_in(path: Path) -> list[float]:
    """The time of each picture that decodes, in seconds."""
    with av.open(str(path)) as container:
        return [float(frame.time or 0.0) for frame in container.decode(video=0)]
