"""One camera from its source to its mailbox, on a thread of its own."""

import logging
import threading

from flows.stream.ingest.accounting import DropReason, Fate, FrameAccount
from flows.stream.ingest.camera_state import FINISHED, CameraState
from flows.stream.ingest.mailbox import Mailbox
from flows.stream.ingest.motion_gate import MotionGate
from flows.stream.sources.backoff import Backoff
from flows.stream.sources.media_clock import MediaClock
from flows.stream.sources.source import Source, SourceFrame
from streetloop.cameras import Camera
from streetloop.clock import Clock
from streetloop.errors import SourceError
from streetloop.types import Frame

_log = logging.getLogger(__name__)


class CameraReader:
    """Reads a camera until it ends or is closed; puts what is worth detecting in a mailbox.

    Args:
        camera: Which camera.
        source: Its pictures.
        mailbox: Where frames go.
        account: Where every frame is counted.
        clock: Time.
        gate: Skips the detector while nothing moves; None to show it everything.
        backoff: Waits between attempts to reconnect.
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
    ) -> None:
        self.camera = camera
        self.mailbox = mailbox
        self.account = account
        self.gate = gate
        self.state = CameraState.CONNECTING
        self.error: str | None = None
        self.reconnects = 0
        self.newest: Frame | None = None
        self.wanted: Frame | None = None  # the last that the rate let through
        self._source = source
        self._clock = clock
        self._backoff = backoff or Backoff()
        self._media = MediaClock()
        self._rate = _Rate(camera.fps)
        self._frames = 0
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"feed-{camera.id}", daemon=True)

    def start(self) -> None:
        """Begin to read."""
        self._thread.start()

    def close(self) -> None:
        """Stop reading and drop what waits; returns at once."""
        self._stop.set()
        self.mailbox.close()

    def join(self, timeout_s: float) -> None:
        """Wait for the thread to end, if it was started."""
        if self._thread.is_alive():
            self._thread.join(timeout_s)

    @property
    def finished(self) -> bool:
        """True if no picture will come any more."""
        return self.state in FINISHED

    def _run(self) -> None:
        try:
            while not self._stop.is_set() and not self._connect_and_read():
                self._source.wait_for_return(self._stop, self._backoff.next_s())
        except Exception as error:  # noqa: BLE001
            # The boundary of the thread: a fault in one camera must not take the others along.
            _log.exception("camera %s: the reader failed", self.camera.id)
            self._end(CameraState.FAILED, f"the reader failed: {error}")

    def _connect_and_read(self) -> bool:
        """Read one connection to its end; True if there is nothing more to come."""
        try:
            for source_frame in self._source.read(self._stop):
                self._came_back()
                self._take(source_frame)
        except SourceError as error:
            if self._source.is_final(error):
                self._end(CameraState.FAILED, str(error))
                return True
            self._lost(str(error))
            return False
        self._end(CameraState.ENDED, None)
        return True

    def _came_back(self) -> None:
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

    def _end(self, state: CameraState, reason: str | None) -> None:
        if reason is not None:
            _log.error("camera %s: %s", self.camera.id, reason)
        self.state, self.error = state, reason
        self.mailbox.wake()

    def _take(self, source_frame: SourceFrame) -> None:
        arrived = self._clock.monotonic()
        pts = self._media.stamp(source_frame.media_s, arrived, self._source.nominal_fps)
        frame = Frame(self.camera.id, self._frames, pts, self._clock.now(), arrived, source_frame.picture)
        self._frames += 1
        self.account.decoded()
        wanted = self._rate.wants(pts)
        if not wanted:
            self.account.settle(Fate.GATED, DropReason.RATE)
        elif self.gate is not None and not self.gate.is_open(source_frame.picture.luma(), pts):
            self.account.settle(Fate.GATED, DropReason.STILL)
        else:
            self.mailbox.put(frame)
        # Last: the gate has had its pixels made, and whoever looks need not wait for them.
        self.newest = frame
        if wanted:
            self.wanted = frame


class _Rate:
    """Lets through a given number of frames a second of media time."""

    def __init__(self, fps: float | None) -> None:
        self._period = None if fps is None else 1 / fps
        self._due = 0.0

    def wants(self, pts: float) -> bool:
        if self._period is None:
            return True
        if pts < self._due - 1e-6:
            return False
        # From the due time, not from now: the average rate is right at any camera rate.
        self._due = max(self._due + self._period, pts - self._period)
        return True
