"""Keeps a worker that was given up from writing what its successor writes, too.

A node that the network has cut off looks dead to the others, so its cameras run elsewhere; its
workers go on until the cut is healed and Ray ends them.
"""

import threading
from collections import deque
from math import inf

from streetloop.clock import Clock
from streetloop.errors import StoreError
from streetloop.storage.store import ObjectWriter

PATIENCE_S = 5.0
"""Without a word of the supervisor; a node counts as dead after no less."""

_MOST_BYTES = 256 * 2**20


class Fence:
    """Closed while the supervisor has said nothing for too long, until it has called twice.

    A call that was on its way when the network was cut arrives when it is healed, and says nothing
    about whether the worker is still wanted; who wants it calls again.

    Args:
        clock: Time.
        patience_s: How long in seconds. Higher lets a worker that was cut off write more that its
            successor writes, too; lower keeps more in memory while a supervisor is away.
    """

    def __init__(self, clock: Clock, patience_s: float = PATIENCE_S) -> None:
        self._clock, self._patience_s = clock, patience_s
        self._open_s = clock.monotonic()
        self._called_s = -inf

    def heard(self) -> None:
        """The supervisor called."""
        now_s, before_s = self._clock.monotonic(), self._called_s
        self._called_s = now_s
        if not self.is_closed or now_s - before_s <= self._patience_s:
            self._open_s = now_s

    def open(self) -> None:
        """The supervisor said that all is to be written."""
        self._open_s = self._clock.monotonic()

    @property
    def is_closed(self) -> bool:
        """True if another may do the same work by now."""
        return self._clock.monotonic() - self._open_s > self._patience_s


class FencedStore:
    """An `ObjectWriter` that keeps what is put while a fence is closed, until it opens again.

    A worker that nobody calls any more, since it was given up, ends without having written it.
    A supervisor that was away for a while loses nothing.

    Args:
        store: Where objects go.
        fence: Of the worker.
    """

    def __init__(self, store: ObjectWriter, fence: Fence) -> None:
        self._store, self._fence = store, fence
        self._lock = threading.Lock()
        self._kept: deque[tuple[str, bytes]] = deque()

    def put(self, key: str, data: bytes) -> None:
        """See `ObjectWriter.put`.

        Raises:
            StoreError: The store did not take it, or the fence is closed and 256 MB are kept.
        """
        if self._fence.is_closed:
            self._keep(key, data)
            return
        self.flush()
        self._store.put(key, data)

    def flush(self) -> None:
        """Write what was kept, unless the fence is closed.

        Raises:
            StoreError: The store did not take it; it is kept.
        """
        with self._lock:
            while self._kept and not self._fence.is_closed:
                self._store.put(*self._kept[0])
                self._kept.popleft()

    def _keep(self, key: str, data: bytes) -> None:
        with self._lock:
            if sum(len(kept) for _, kept in self._kept) + len(data) > _MOST_BYTES:
                raise StoreError(f"nobody has called this worker for long, and {key!r} has no room")
            self._kept.append((key, data))
