"""Frame accounting: every decoded frame has exactly one of four fates.

``decoded = detected + gated + dropped + failed + pending`` holds in every snapshot, and pending is
0 once a camera is closed.
"""

import threading
from collections import Counter
from dataclasses import dataclass, field
from enum import StrEnum

from streetloop.summable import Summable


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
    """Failed: the process that held the frame died."""


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


class FrameAccount:
    """The running frame account of one camera. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._decoded = 0
        self._fates: Counter[Fate] = Counter()
        self._reasons: Counter[str] = Counter()

    def decoded(self) -> None:
        """Count a frame that came out of the decoder."""
        with self._lock:
            self._decoded += 1

    def settle(self, fate: Fate, reason: DropReason | None = None, frames: int = 1) -> None:
        """Give pending frames their fate.

        Args:
            fate: The fate.
            reason: Counted, too, if given.
            frames: How many; 0 changes nothing.
        """
        if not frames:
            return
        with self._lock:
            self._fates[fate] += frames
            if reason is not None:
                self._reasons[reason.value] += frames

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
