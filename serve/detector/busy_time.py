"""The share of time in which a replica computes."""

import threading
import time
from collections.abc import Callable
from types import TracebackType


class BusyTime:
    """Measures how much of the time a ``with`` block is entered; one thread at a time is in it.

    Args:
        clock: Monotonic time in seconds.

    >>> now = iter([0.0, 1.0, 2.0, 4.0, 4.0, 8.0, 8.0]).__next__
    >>> busy = BusyTime(now)
    >>> with busy:  # from 1 to 2
    ...     pass
    >>> busy.share()  # at 4
    0.25
    >>> with busy:  # from 4 on; asked at 8
    ...     busy.share()
    1.0
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock, self._lock = clock, threading.Lock()
        self._since, self._seconds = clock(), 0.0
        self._entered: float | None = None

    def __enter__(self) -> None:
        now = self._clock()
        with self._lock:
            self._entered = now

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        now = self._clock()
        with self._lock:
            if self._entered is not None:
                self._seconds += now - self._entered
            self._entered = None

    def share(self) -> float:
        """Of the time since the last call, 0 to 1; what goes on counts up to now."""
        now = self._clock()
        with self._lock:
            if self._entered is not None:
                self._seconds, self._entered = self._seconds + now - self._entered, now
            share = self._seconds / max(now - self._since, 1e-9)
            self._since, self._seconds = now, 0.0
        return min(1.0, share)
