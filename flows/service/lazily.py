"""A value that is opened at its first use."""

import threading
from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class Lazily(Generic[T]):
    """Opens a value once, at the first call; later calls, from any thread, get the same one.

    Args:
        open_: Opens the value. If it raises, the next call tries again.
    """

    def __init__(self, open_: Callable[[], T]) -> None:
        self._open, self._lock = open_, threading.Lock()
        self._opened: list[T] = []

    def __call__(self) -> T:
        """The value; raises what opening it raises."""
        with self._lock:
            if not self._opened:
                self._opened.append(self._open())
            return self._opened[0]
