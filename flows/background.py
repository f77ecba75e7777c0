"""Work on a thread that nobody has to wait for."""

import contextlib
import os
import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import TypeVar

T = TypeVar("T")


_NICE = 10


def in_background(name: str, work: Callable[[], T], has_time: bool = False) -> "Future[T]":
    """Begin some work on a thread of its own; what becomes of it.

    A pool would hold the process at its end until the work is done. What asks a Ray that has ended
    is never done.

    Args:
        name: Of the thread.
        work: What to do.
        has_time: Whether everybody else comes first, where the system knows that of threads.

    >>> in_background("adding", lambda: 1 + 1).result()
    2
    """
    future: Future[T] = Future()

    def run() -> None:
        if has_time:
            with contextlib.suppress(AttributeError, OSError):  # not Linux
                os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), os.nice(0) + _NICE)
        try:
            future.set_result(work())
        except BaseException as error:  # noqa: BLE001
            # The boundary of the thread: whoever asks for the result gets the error.
            future.set_exception(error)

    threading.Thread(target=run, name=name, daemon=True).start()
    return future
