"""Work on a thread that nobody has to wait for."""

import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import TypeVar

T = TypeVar("T")


def in_background(name: str, work: Callable[[], T]) -> "Future[T]":
    """Begin some work on a thread of its own; what becomes of it.

    A pool would hold the process at its end until the work is done. What asks a Ray that has ended
    is never done.

    >>> in_background("adding", lambda: 1 + 1).result()
    2
    """
    future: Future[T] = Future()

    def run() -> None:
        try:
            future.set_result(work())
        except BaseException as error:  # noqa: BLE001
            # The boundary of the thread: whoever asks for the result gets the error.
            future.set_exception(error)

    threading.Thread(target=run, name=name, daemon=True).start()
    return future
