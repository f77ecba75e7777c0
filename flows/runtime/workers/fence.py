"""Keeps a worker that was given up from writing what its successor writes, too.

A node that the network has cut off looks dead to the others, so its cameras run elsewhere; its
workers go on until the cut is healed and Ray ends them.
"""

import logging
import threading
from collections import deque
from math import inf

from streetloop.clock import Clock
from streetloop.errors import StoreError
from streetloop.host.polling import PollingThread, SayOnce
from streetloop.storage.store import ObjectWriter

PATIENCE_S = 5.0
"""Without a call of the supervisor; a node counts as dead after no less."""

_MAX_KEPT_BYTES = 256 * 2**20
_FLUSH_S, _CLOSE_S = 1.0, 5.0
_log = logging.getLogger(__name__)


class Fence:
    """Closed while the supervisor has not called for too long, until it has called twice.

    A call that was on its way when the network was cut arrives when it is healed, and says nothing
    about whether the worker is still wanted; who wants it calls again, after the answer.

    Args:
        clock: Time.
        patience_s: How long in seconds. Higher lets a worker that was cut off write more that its
            successor writes, too; lower keeps more in memory while a supervisor is away.
    """

    def __init__(self, clock: Clock, patience_s: float = PATIENCE_S) -> None:
        self._clock, self._patience_s = clock, patience_s
        self._lock = threading.Lock()
        self._open_s, self._called_s = clock.monotonic(), -inf

    def note_call(self) -> None:
        """The supervisor asked for a report; it asks for one after the other."""
        with self._lock:
            now_s, before_s = self._clock.monotonic(), self._called_s
            self._called_s = now_s
            if not self.is_closed or now_s - before_s <= self._patience_s:
                self._open_s = max(self._open_s, now_s)

    def open_for_good(self) -> None:
        """All that is left is to be written, however long it takes."""
        with self._lock:
            self._open_s = inf

    @property
    def is_closed(self) -> bool:
        """True if another may do the same work by now."""
        return self._clock.monotonic() - self._open_s > self._patience_s


class FencedStore:
    """An `ObjectWriter` that keeps what is put while a fence is closed, until it opens.

    A worker that nobody calls any more, since it was given up, ends without having written it.
    A supervisor that was away for a while loses nothing.

    Args:
        store: Where objects go.
        fence: Of the worker.
    """

    def __init__(self, store: ObjectWriter, fence: Fence) -> None:
        self._store, self._fence = store, fence
        self._lock, self._flushing = threading.Lock(), threading.Lock()
        self._kept: deque[tuple[str, bytes]] = deque()
        self._thread = PollingThread("the logs", self.flush, _FLUSH_S, _log, SayOnce(_log.warning))

    def start(self) -> None:
        """Start to write what was kept as soon as the fence opens."""
        self._thread.start()

    def put(self, key: str, data: bytes) -> None:
        """See `ObjectWriter.put`.

        Raises:
            StoreError: The store did not take it, or it is to be kept and 256 MB are.
        """
        with self._lock:
            if self._kept or self._fence.is_closed:
                self._keep(key, data)
                return
        self._store.put(key, data)

    def flush(self) -> None:
        """Write what was kept, unless the fence is closed.

        Raises:
            StoreError: The store did not take it; it is kept.
        """
        with self._flushing:
            while self._kept and not self._fence.is_closed:
                self._store.put(*self._kept[0])
                with self._lock:
                    self._kept.popleft()

    def close(self) -> None:
        """Write what was kept, unless the fence is closed, and keep no more.

        Raises:
            StoreError: The store did not take it, and it is lost.
        """
        self._thread.close(_CLOSE_S)
        self.flush()

    def _keep(self, key: str, data: bytes) -> None:
        if sum(len(kept) for _, kept in self._kept) + len(data) > _MAX_KEPT_BYTES:
            raise StoreError(f"{key!r} has no room beside what waits to be written")
        self._kept.append((key, data))
