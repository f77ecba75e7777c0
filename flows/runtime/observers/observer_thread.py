"""Passes reports to an observer on a thread, so that a ledger that is held delays no camera."""

import queue
import threading
from collections.abc import Callable, Collection
from functools import partial

from flows.runtime.session_loop import Observer
from flows.runtime.workers.stream_fleet import FleetReport


class ObserverThread:
    """An `Observer` that returns at once; another one works behind it, in the same order.

    What the other one raises, which no fault of a ledger or store does, ends the run: the next call
    raises it.

    Args:
        observer: Does the work.
    """

    def __init__(self, observer: Observer) -> None:
        self._observer = observer
        self._work: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()
        self._error: Exception | None = None
        self._thread = threading.Thread(target=self._run, name="observer", daemon=True)

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def observe(self, report: FleetReport) -> None:
        """See `Observer.observe`."""
        self._put(partial(self._observer.observe, report))

    def leave(self, cameras: Collection[str]) -> None:
        """See `Observer.leave`."""
        self._put(partial(self._observer.leave, cameras))

    def close(self) -> None:
        """Wait until everything is observed."""
        self._work.put(None)
        self._thread.join()
        if self._error is not None:
            raise self._error

    def _put(self, work: Callable[[], None]) -> None:
        if self._error is not None:
            raise self._error
        self._work.put(work)

    def _run(self) -> None:
        try:
            while (work := self._work.get()) is not None:
                work()
        except Exception as error:  # noqa: BLE001 - the boundary of the thread
            self._error = error
