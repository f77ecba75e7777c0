"""Reads one camera, from its source to its mailbox, on a thread of its own."""

import logging
import math
import threading
import time
from collections.abc import Callable, Iterable
from datetime import timedelta

from flows.stream.ingest.accounting import DropReason, Fate, FrameAccount
from flows.stream.ingest.camera_state import FINISHED, CameraState
from flows.stream.ingest.mailbox import Mailbox
from flows.stream.ingest.motion_gate import MotionGate
from flows.stream.recording.recorder import NoRecorder, Recorder
from flows.stream.sources.backoff import Backoff
from flows.stream.sources.media_clock import MediaClock
from flows.stream.sources.source import Source, SourceFrame, waiting_for
from streetloop.cameras.camera_file import Camera
from streetloop.clock import Clock
from streetloop.errors import SourceError
from streetloop.types import Frame

_log = logging.getLogger(__name__)


class CameraReader:
    """Reads a camera until it ends or is closed, and reconnects when it is lost.

    Frames above the camera's ``fps`` and frames in which nothing moves are gated; the others go to
    the mailbox.

    Args:
        camera: The camera; its ``fps`` limits the frames a second of media time.
        source: Gives its pictures.
        mailbox: Takes the frames for the detector.
        account: Counts every frame.
        clock: Time.
        gate: Skips the detector while nothing moves; None sends every frame.
        backoff: Gives the waits between attempts to reconnect.
        on_still: Called with each frame that is skipped because nothing moves.
        first_frame_id: The id of the first frame.
        recorder: Takes all that is read; None records nothing.

    Attributes:
        state: What the connection is doing.
        error: Why the camera is lost or has failed, without credentials; None otherwise.
        reconnects: How often it came back after a loss.
        newest: The newest frame; None before the first.
        wanted: The newest frame that the rate limit let through.
    """

    def __init__(
        self,
        camera: Camera,
        source: Source,
        mailbox: Mailbox,
        account: FrameAccount,
        clock: Clock,
        gate: MotionGate | None = None,
        backoff: Backoff | None = None,
        on_still: Callable[[Frame], None] = lambda _: None,
        first_frame_id: int = 0,
        recorder: Recorder | None = None,
    ) -> None:
        self.camera = camera
        self.mailbox = mailbox
        self.account = account
        self.gate = gate
        self.state = CameraState.CONNECTING
        self.error: str | None = None
        self.reconnects = 0
        self.newest: Frame | None = None
        self.wanted: Frame | None = None
        self._source = source
        self._clock = clock
        self._backoff = backoff or Backoff()
        self._on_still = on_still
        self.recorder = recorder or NoRecorder()
        # A recording has mended its time already, and the monotonic clock says nothing about it.
        self._media = MediaClock() if source.live else MediaClock(jump_s=math.inf)
        self._rate = _RateLimit(camera.fps)
        self._first_frame_id, self._frames = first_frame_id, 0
        self._gaps_in_source = 0
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"reader-{camera.id}", daemon=True)

    def start(self) -> None:
        """Start reading."""
        self._thread.start()

    def close(self) -> None:
        """Stop reading and drop the waiting frames; returns at once."""
        self._stop.set()
        self.mailbox.close()

    def join(self, timeout_s: float) -> None:
        """Wait for the thread to end; returns at once if it was not started."""
        if self._thread.is_alive():
            self._thread.join(timeout_s)

    @property
    def finished(self) -> bool:
        """True if no frame will come any more."""
        return self.state in FINISHED

    @property
    def waiting_for(self) -> str | None:
        """What has to come before its first frame; None if nothing is known, or after it."""
        return waiting_for(self._source) if self.state is CameraState.CONNECTING else None

    @property
    def gaps(self) -> int:
        """How often its time stamps leaped while it was there."""
        return self._gaps_in_source + self._media.gaps

    def _run(self) -> None:
        try:
            while not self._stop.is_set() and not self._connect_and_read():
                self._source.wait_for_return(self._stop, self._backoff.next_s())
        except Exception as error:  # noqa: BLE001
            # The boundary of the thread: a fault in one camera must not stop the others.
            _log.exception("camera %s: the reader failed", self.camera.id)
            self._end(CameraState.FAILED, f"the reader failed: {error}")
        finally:
            self.recorder.interrupt()

    def _connect_and_read(self) -> bool:
        """Read one connection to its end; True if the camera has ended or failed."""
        try:
            for source_frame in self._source.read(self._stop):
                self._connected()
                self._take(source_frame)
        except SourceError as error:
            if self._source.is_final(error):
                self._end(CameraState.FAILED, str(error))
                return True
            self._lost(str(error))
            return False
        self._end(CameraState.ENDED, None)
        return True

    def _connected(self) -> None:
        if self.state is CameraState.LIVE:
            return
        if self._frames:
            self.reconnects += 1
            _log.info("camera %s: back", self.camera.id)
        self._media.reconnected()
        self._backoff.reset()
        self.state, self.error = CameraState.LIVE, None

    def _lost(self, reason: str) -> None:
        if self.state is CameraState.LIVE:
            _log.warning("camera %s: lost: %s", self.camera.id, reason)
        self.state, self.error = CameraState.LOST, reason
        self.recorder.interrupt()

    def _end(self, state: CameraState, reason: str | None) -> None:
        if reason is not None:
            _log.error("camera %s: %s", self.camera.id, reason)
        self.state, self.error = state, reason
        self.mailbox.wake()

    def _take(self, source_frame: SourceFrame) -> None:
        frame = self._frame(source_frame)
        pts = frame.pts
        self._frames += 1
        self.account.decoded(frame)
        wanted = self._rate.admits(pts)
        try:
            self._pass_on(frame, wanted=wanted)
        except Exception:
            self.account.settle([frame], Fate.FAILED, DropReason.WORKER)
            raise
        # Last: the gate has computed the pixels, and a viewer need not wait for them.
        self.newest = frame
        if wanted:
            self.wanted = frame
        moving = None if self.gate is None else self.gate.moves
        fps = self._source.nominal_fps
        self.recorder.take(frame, source_frame.encoded, wanted=wanted, moving=moving, fps=fps)

    def _pass_on(self, frame: Frame, *, wanted: bool) -> None:
        """Give a frame its fate, or to the detector."""
        if not wanted:
            self.account.settle([frame], Fate.GATED, DropReason.RATE)
        elif self.gate is not None and not self.gate.is_open(frame.picture.luma(), frame.pts):
            self.account.settle([frame], Fate.GATED, DropReason.STILL)
            self._on_still(frame)
        else:
            self.mailbox.put(frame)

    def _frame(self, source_frame: SourceFrame) -> Frame:
        media_s, picture, held_s, gap, _ = source_frame
        arrived = self._clock.monotonic() - held_s
        self._gaps_in_source += gap
        pts = self._media.stamp(media_s, arrived, self._source.nominal_fps)
        captured_at = self._clock.now() - timedelta(seconds=held_s)
        frame_id = self._first_frame_id + self._frames
        return Frame(self.camera.id, frame_id, pts, captured_at, arrived, picture, held_s)


def join_all(readers: Iterable[CameraReader], timeout_s: float) -> None:
    """Wait for the threads of several readers to end, ``timeout_s`` seconds in all."""
    deadline = time.monotonic() + timeout_s
    for reader in readers:
        reader.join(max(0.0, deadline - time.monotonic()))


class _RateLimit:
    """Limits the frames a second of media time; None lets all through."""

    def __init__(self, fps: float | None) -> None:
        self._period = None if fps is None else 1 / fps
        self._due = 0.0

    def admits(self, pts: float) -> bool:
        if self._period is None:
            return True
        if pts < self._due - 1e-6:
            return False
        # From the due time, not from now: the mean rate is exact at any camera rate.
        self._due = max(self._due + self._period, pts - self._period)
        return True
