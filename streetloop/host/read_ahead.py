"""An iterator that runs ahead on a thread of its own."""

import contextlib
import queue
import threading
from collections.abc import Iterator
from typing import Generic, TypeVar

T = TypeVar("T")

_STOPPED_S = 0.1  # how often a full queue looks whether anybody still takes from it


@contextlib.contextmanager
def read_ahead(source: Iterator[T], most: int) -> Iterator[Iterator[T]]:
    """Have a thread take from an iterator while the block works on what it gave before.

    An error of the iterator comes where its item would have come. The thread has ended when the
    block is left.

    >>> with read_ahead(iter([1, 2, 3]), 2) as items:
    ...     list(items)
    [1, 2, 3]

    Args:
        source: The iterator; it runs on the thread alone.
        most: How many items wait at most. More even out a source that is slow at times, and
            take memory.
    """
    ahead = _Ahead(source, most)
    ahead.start()
    try:
        yield ahead.items()
    finally:
        ahead.stop()


class _Over(Generic[T]):
    """The end of an iterator, or its error."""

    def __init__(self, error: BaseException | None) -> None:
        self.error = error


class _Ahead(threading.Thread, Generic[T]):
    """The thread."""

    def __init__(self, source: Iterator[T], most: int) -> None:
        super().__init__(name="read-ahead", daemon=True)
        self._source = source
        self._queue: queue.Queue[T | _Over[T]] = queue.Queue(most)
        self._is_left = threading.Event()

    def run(self) -> None:
        error: BaseException | None = None
        try:
            for item in self._source:
                if not self._put(item):
                    break
        except BaseException as raised:  # noqa: BLE001
            # The boundary of the thread: whoever takes from it gets the error.
            error = raised
        finally:
            if callable(close := getattr(self._source, "close", None)):
                close()
        self._put(_Over(error))

    def items(self) -> Iterator[T]:
        while not isinstance(item := self._queue.get(), _Over):
            yield item
        if item.error is not None:
            raise item.error

    def stop(self) -> None:
        self._is_left.set()
        self.join()

    def _put(self, item: "T | _Over[T]") -> bool:
        """Wait for room; False once nobody takes any more."""
        while not self._is_left.is_set():
            with contextlib.suppress(queue.Full):
                self._queue.put(item, timeout=_STOPPED_S)
                return True
        return False
