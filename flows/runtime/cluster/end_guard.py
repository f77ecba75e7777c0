"""Ends the process if its end hangs, as on a Ray that died or a worker that stands still."""

import contextlib
import faulthandler
import os
import select
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator

from flows.runtime.signals import SIGNALS

WITHIN_S = 9.0
_PATIENCE_S = 4.0  # with a step that goes on after `WITHIN_S`
_OUTPUT = 2
_TICK_S = 0.25
_LAST_S = 30.0


class EndGuard:
    """A thread that ends the process unless the process ends by itself.

    From `begin` the process has 9 seconds. After them it may go on for as long as it passes a step
    every 4 seconds.

    Args:
        clean_up: Called before the process is ended.
        end: Ends the process with an exit code.
    """

    def __init__(self, clean_up: Callable[[], None], end: Callable[[int], None] = os._exit) -> None:
        self._clean_up, self._end = clean_up, end
        self._began_at: float | None = None
        self._passed_at = 0.0
        self._why = ""
        self._closed = threading.Event()

    def begin(self, why: str) -> None:
        """The end of the process begins; a second call changes nothing.

        Args:
            why: A sentence, said if the process has to be ended.
        """
        if self._began_at is None:
            self._why, self._passed_at = why, time.monotonic()
            self._began_at = self._passed_at

    @property
    def began(self) -> bool:
        """True once the end has begun."""
        return self._began_at is not None

    @property
    def left_s(self) -> float:
        """Seconds that the process has; infinite before `begin`."""
        if self._began_at is None:
            return float("inf")
        return max(0.0, self._began_at + WITHIN_S - time.monotonic())

    def patience_s(self) -> float:
        """Seconds that the last step may take."""
        return min(_LAST_S, max(1.0, self.left_s))

    def step(self) -> None:
        """Something of the end is done."""
        self._passed_at = time.monotonic()

    def close(self) -> None:
        """The process has ended in order."""
        self._closed.set()

    def watch(self, signals: socket.socket) -> None:
        """Watch until `close`.

        Args:
            signals: Has a byte for each signal that came.
        """
        while not self._closed.is_set():
            came, _, _ = select.select([signals], [], [], _TICK_S)
            if came and set(signals.recv(64)) & set(SIGNALS):
                self.begin("the process was told to stop, and did not in time")
            now = time.monotonic()
            if self.left_s == 0 and now > self._passed_at + _PATIENCE_S:
                self._force()
                return

    def _force(self) -> None:
        with contextlib.suppress(OSError, ValueError):
            sys.stderr.write(f"error: {self._why}; the process was ended, and what was not written is lost\n")
            sys.stderr.flush()
        faulthandler.dump_traceback(_OUTPUT)  # which step hangs; `ray.log` of the home has it
        self._clean_up()
        self._end(1)


@contextlib.contextmanager
def guarded_end(clean_up: Callable[[], None]) -> Iterator[EndGuard]:
    """Guard the end of the ``with`` block, which a signal begins, too.

    Args:
        clean_up: Called before the process is ended by force.
    """
    guard = EndGuard(clean_up)
    ours, theirs = socket.socketpair()
    theirs.setblocking(False)
    # Python's own handlers wait for the main thread, which may hang.
    before = signal.set_wakeup_fd(theirs.fileno(), warn_on_full_buffer=False)
    thread = threading.Thread(target=guard.watch, args=(ours,), name="end guard", daemon=True)
    thread.start()
    try:
        yield guard
    finally:
        guard.close()
        signal.set_wakeup_fd(before)
        thread.join()
        ours.close()
        theirs.close()
