"""The queue between a camera's decoder and the batches: bounded in time, the newest wins."""

import threading
from collections import deque
from collections.abc import Callable

from flows.stream.ingest.accounting import DropReason, Fate, FrameAccount
from streetloop.types import Frame

_MAX_WAITING = 256  # a bound on memory; the staleness budget acts long before it


class Mailbox:
    """A queue of one camera's frames for the detector, oldest first.

    A live camera never blocks. Frames beyond the staleness budget are dropped, and a backlog that
    the detector cannot work off in time is thinned evenly, so the remaining frames are spread over
    the time that passed. A lossless mailbox blocks the writer instead and drops nothing; clips
    that are read as fast as they can be analysed use it.

    Args:
        account: Counts the drops.
        staleness_s: Age in seconds at which a frame is dropped. Higher loses fewer frames to a
            slow detector, and results lag further behind.
        ready: Notified when a frame arrives; one condition for all mailboxes of a pipeline.
        lossless: Block the writer instead of dropping frames.
    """

    def __init__(
        self, account: FrameAccount, staleness_s: float, ready: threading.Condition, *, lossless: bool = False
    ) -> None:
        self._account = account
        self._staleness_s = staleness_s
        self._ready = ready
        self.lossless = lossless
        self._frames: deque[Frame] = deque()
        self._closed = False

    def __len__(self) -> int:
        return len(self._frames)

    def put(self, frame: Frame, capacity: int = 16) -> bool:
        """Append a frame; called by the camera's reader.

        Args:
            frame: Newer than all before it.
            capacity: Frames that may wait before the writer of a lossless mailbox blocks.

        Returns:
            False if the mailbox was closed; the frame counts as dropped then.
        """
        with self._ready:
            if self.lossless:
                self._ready.wait_for(lambda: self._closed or len(self._frames) < capacity)
            if self._closed:
                self._account.settle([frame], Fate.DROPPED, DropReason.STOPPED)
                return False
            if len(self._frames) >= _MAX_WAITING:
                self._account.settle([self._frames.popleft()], Fate.DROPPED, DropReason.SUPERSEDED)
            self._frames.append(frame)
            self._ready.notify_all()
        return True

    def take(
        self, limit: int, backlog: int, now_s: float, fits: Callable[[Frame], bool] = lambda _: True
    ) -> list[Frame]:
        """Remove and return the oldest frames that are not stale. The caller holds ``ready``.

        Args:
            limit: Largest number of frames to return.
            backlog: Frames that the detector can work off in time; a longer queue is thinned to
                this first.
            now_s: The monotonic clock.
            fits: The first frame that does not fit stays, and so do those behind it.
        """
        if not self.lossless:
            self._drop_stale(now_s)
            self._thin(max(1, backlog))
        taken: list[Frame] = []
        while self._frames and len(taken) < limit and fits(self._frames[0]):
            taken.append(self._frames.popleft())
        if taken:
            self._ready.notify_all()
        return taken

    def wake(self) -> None:
        """Notify the waiting threads of something other than a frame."""
        with self._ready:
            self._ready.notify_all()

    def close(self) -> None:
        """Accept no more frames, and drop those that wait."""
        with self._ready:
            self._closed = True
            self._account.settle(self._frames, Fate.DROPPED, DropReason.STOPPED)
            self._frames.clear()
            self._ready.notify_all()

    def _drop_stale(self, now_s: float) -> None:
        while self._frames and now_s - _decoded_s(self._frames[0]) > self._staleness_s:
            self._account.settle([self._frames.popleft()], Fate.DROPPED, DropReason.STALE)

    def _thin(self, backlog: int) -> None:
        waiting = len(self._frames)
        if waiting <= backlog:
            return
        kept = {(step + 1) * waiting // backlog - 1 for step in range(backlog)}
        thinned = [frame for place, frame in enumerate(self._frames) if place not in kept]
        self._frames = deque(frame for place, frame in enumerate(self._frames) if place in kept)
        self._account.settle(thinned, Fate.DROPPED, DropReason.SUPERSEDED)


def _decoded_s(frame: Frame) -> float:
    return frame.arrived_s + frame.held_s
