"""The mailbox between a camera's decoder and the batches: bounded in time, newest wins."""

import threading
from collections import deque
from collections.abc import Callable

from flows.stream.ingest.accounting import DropReason, Fate, FrameAccount
from streetloop.types import Frame

_MOST_WAITING = 256  # a bound on memory; the staleness budget acts long before it


class Mailbox:
    """Frames of one camera on their way to the detector, oldest first.

    A live camera never waits: frames past the staleness budget are dropped, and a backlog longer
    than the reader can take in time is thinned evenly, so that what is left is spread over the
    time that passed. With ``lossless`` the writer waits instead and nothing is dropped; this is
    for clips that are read as fast as they can be analysed.

    Args:
        account: Where drops are counted.
        staleness_s: Age at which a frame is dropped.
        lossless: Make the writer wait.
        ready: Notified when a frame arrives; shared by all mailboxes of a reader.
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

    def put(self, frame: Frame, room: int = 16) -> bool:
        """Hand in a frame; False if the mailbox was closed, and the frame counts as dropped.

        Args:
            frame: Newer than all before it.
            room: How many frames may wait before a lossless writer has to.
        """
        with self._ready:
            if self.lossless:
                self._ready.wait_for(lambda: self._closed or len(self._frames) < room)
            if self._closed:
                self._account.settle(Fate.DROPPED, DropReason.STOPPED)
                return False
            if len(self._frames) >= _MOST_WAITING:
                self._frames.popleft()
                self._account.settle(Fate.DROPPED, DropReason.SUPERSEDED)
            self._frames.append(frame)
            self._ready.notify_all()
        return True

    def take(
        self, limit: int, backlog: int, now_s: float, fits: Callable[[Frame], bool] = lambda _: True
    ) -> list[Frame]:
        """The oldest frames that are worth showing to the detector.

        The caller holds ``ready``.

        Args:
            limit: Most frames to return.
            backlog: Most frames that can be detected in time; more are thinned to this.
            now_s: The monotonic clock.
            fits: Asked of each frame; the first that does not fit stays, and so do those behind.
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
        """Tell the reader that there is news other than a frame."""
        with self._ready:
            self._ready.notify_all()

    def close(self) -> None:
        """Take no more frames; what waits is dropped."""
        with self._ready:
            self._closed = True
            self._account.settle(Fate.DROPPED, DropReason.STOPPED, len(self._frames))
            self._frames.clear()
            self._ready.notify_all()

    def _drop_stale(self, now_s: float) -> None:
        while self._frames and now_s - self._frames[0].arrived_s > self._staleness_s:
            self._frames.popleft()
            self._account.settle(Fate.DROPPED, DropReason.STALE)

    def _thin(self, backlog: int) -> None:
        waiting = len(self._frames)
        if waiting <= backlog:
            return
        kept = {(step + 1) * waiting // backlog - 1 for step in range(backlog)}
        self._frames = deque(f for i, f in enumerate(self._frames) if i in kept)
        self._account.settle(Fate.DROPPED, DropReason.SUPERSEDED, waiting - len(self._frames))
