"""Frame accounting: every decoded frame has exactly one of four fates.

``decoded = detected + gated + dropped + failed + pending`` holds in every snapshot, and pending is
0 once a camera is closed.
"""

import threading
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

from streetloop.summable import Summable
from streetloop.types import Frame


class Fate(StrEnum):
    """The final state of a frame."""

    DETECTED = "detected"
    """The detector answered for it."""
    GATED = "gated"
    """Not sent to the detector by design: nothing moved, or the camera's rate is limited."""
    DROPPED = "dropped"
    """Not sent to the detector for lack of time."""
    FAILED = "failed"
    """Sent to the detector, which gave no answer."""


FATES = ("decoded", *(fate.value for fate in Fate))
"""Attributes of `Account` in the order of reports."""


class DropReason(StrEnum):
    """Why a frame was not detected."""

    STILL = "still"
    """Gated: nothing moves, and no moving track is alive."""
    RATE = "rate"
    """Gated: above the camera's ``fps``."""
    STALE = "stale"
    """Dropped: waited longer than the staleness budget."""
    SUPERSEDED = "superseded"
    """Dropped: a backlog was thinned in favour of newer frames."""
    STOPPED = "stopped"
    """Dropped: the camera or the run was stopped first."""
    DETECTOR = "detector"
    """Failed: the detector gave errors until the retries were exhausted."""
    WORKER = "worker"
    """Failed: the process or thread that held the frame died."""


@dataclass(frozen=True, slots=True)
class Account(Summable):
    """The frame counts of one camera at one moment.

    Attributes:
        decoded: Frames that came out of the decoder.
        detected: Frames with each fate; see `Fate`.
        gated: See `Fate`.
        dropped: See `Fate`.
        failed: See `Fate`.
        reasons: Frames by `DropReason`.
    """

    decoded: int = 0
    detected: int = 0
    gated: int = 0
    dropped: int = 0
    failed: int = 0
    reasons: dict[str, int] = field(default_factory=dict)

    @property
    def pending(self) -> int:
        """Frames without a fate yet: waiting or in flight."""
        return self.decoded - self.detected - self.gated - self.dropped - self.failed

    def closed(self, reason: DropReason) -> "Account":
        """The account with all pending frames counted as failed for ``reason``.

        >>> Account(decoded=5, detected=3).closed(DropReason.WORKER).failed
        2
        """
        if not self.pending:
            return self
        return self + Account(failed=self.pending, reasons={reason.value: self.pending})


class SettledFrame(NamedTuple):
    """What became of one decoded frame.

    Attributes:
        camera_id: Its camera.
        frame_id: See `Frame`.
        pts: Media time in seconds, see `Frame`.
        captured_at: When it was captured (UTC).
        fate: Its fate.
        reason: Why it was not detected; None for a detected frame.
        model_version: The model that answered; None if none did.
        backend: What computed the answer, such as ``onnx/fp32``; None if nothing did.
    """

    camera_id: str
    frame_id: int
    pts: float
    captured_at: datetime
    fate: Fate
    reason: DropReason | None = None
    model_version: str | None = None
    backend: str | None = None


class _Pending(NamedTuple):
    """A frame without its picture, which must not stay in memory."""

    camera_id: str
    frame_id: int
    pts: float
    captured_at: datetime


class FrameAccount:
    """The running frame account of one camera. Thread-safe.

    Args:
        on_settled: Called with every frame that has its fate, on the thread that settled it.
    """

    def __init__(self, on_settled: Callable[[SettledFrame], None] = lambda _: None) -> None:
        self._on_settled = on_settled
        self._lock = threading.Lock()
        self._decoded, self._closed = 0, False
        self._pending: dict[int, _Pending] = {}
        self._fates: Counter[Fate] = Counter()
        self._reasons: Counter[str] = Counter()

    def decoded(self, frame: Frame) -> None:
        """Count a frame that came out of the decoder."""
        stamp = _Pending(frame.camera_id, frame.frame_id, frame.pts, frame.captured_at)
        with self._lock:
            if self._closed:
                return
            self._decoded += 1
            self._pending[frame.frame_id] = stamp

    def settle(
        self,
        frames: Iterable[Frame],
        fate: Fate,
        reason: DropReason | None = None,
        model_version: str | None = None,
        backend: str | None = None,
    ) -> None:
        """Give frames their fate. The first one that a frame is given counts.

        Args:
            frames: Frames that were counted as decoded.
            fate: The fate of each of them.
            reason: Counted, too, if given.
            model_version: The model that answered.
            backend: What computed the answer.
        """
        for frame in frames:
            self._settle(frame.frame_id, fate, reason, model_version, backend)

    def close(self, fate: Fate, reason: DropReason) -> None:
        """Give all pending frames a fate. Frames that are decoded later are not counted.

        A reader that is held up may be between counting a frame and settling it.
        """
        with self._lock:
            self._closed = True
            waiting = list(self._pending)
        for frame_id in waiting:
            self._settle(frame_id, fate, reason)

    def _settle(
        self,
        frame_id: int,
        fate: Fate,
        reason: DropReason | None,
        model_version: str | None = None,
        backend: str | None = None,
    ) -> None:
        with self._lock:
            stamp = self._pending.pop(frame_id, None)
            if stamp is None:
                return
            self._fates[fate] += 1
            if reason is not None:
                self._reasons[reason.value] += 1
        self._on_settled(SettledFrame(*stamp, fate, reason, model_version, backend))

    def snapshot(self) -> Account:
        """The counts now, consistent with each other."""
        with self._lock:
            return Account(
                self._decoded,
                self._fates[Fate.DETECTED],
                self._fates[Fate.GATED],
                self._fates[Fate.DROPPED],
                self._fates[Fate.FAILED],
                dict(self._reasons),
            )
