"""Background work: on a thread, or in a process of the lowest priority."""

import contextlib
import os
import threading
from collections.abc import Callable
from concurrent.futures import Future
from multiprocessing import current_process, get_context
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, TypeVar

from streetloop.errors import ProcessDied

T = TypeVar("T")

_NICE_INCREMENT = 4  # beyond Ray's own workers, the detector's among them
_AUTOGROUP_NICE = "19"


def in_background(name: str, work: Callable[[], T]) -> "Future[T]":
    """Start some work on a daemon thread of its own, and return its future.

    A thread pool would keep the process from ending until the work is done, and a call to a Ray
    that has ended is never done.

    >>> in_background("adding", lambda: 1 + 1).result()
    2

    Args:
        name: Of the thread.
        work: Runs once.
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


def in_own_process(work: Callable[..., T], *args: object) -> T:
    """Wait for some work in a process of its own, of the lowest priority.

    A thread cannot have that: where the kernel groups tasks by session, a thread counts as much as
    its whole process does. The process ends with this one at the latest.

    Args:
        work: A function that a fresh process can import.
        *args: Its arguments. They, and what it returns or raises, are pickled.

    Raises:
        ProcessDied: The process was killed, or ran out of memory.
        Exception: What ``work`` raises.
    """
    context = get_context("spawn")
    ours, theirs = context.Pipe(duplex=False)
    with ours:
        # A daemon, so that nobody waits for it at the end of this process.
        child = context.Process(target=_answer, args=(theirs, work, args), daemon=True)
        child.start()
        theirs.close()
        try:
            result, error = ours.recv()
        except EOFError as died:
            child.join()
            raise ProcessDied(
                f"{work.__name__}: its process ended with {child.exitcode} and no answer"
            ) from died
    child.join()
    if error is not None:
        raise error
    return result  # type: ignore[no-any-return]


def _answer(to: Connection, work: Callable[..., Any], args: tuple[object, ...]) -> None:
    lower_priority()
    # A daemon may start no process by default, and the export of a model is one. It ends by itself.
    current_process()._config["daemon"] = False  # type: ignore[attr-defined]
    answer: tuple[Any, Exception | None]
    try:
        answer = work(*args), None
    except Exception as error:  # noqa: BLE001
        # The boundary of the process: whoever waits gets the error.
        answer = None, error
    to.send(answer)


def lower_priority() -> None:
    """Give this process, from now on, only the CPU time that no other process wants.

    Raises its nice value and sets Linux's ``SCHED_IDLE``. Where the kernel groups tasks by session,
    both count within a session only, so the process gets a session of its own, whose group is
    niced, too.
    """
    os.nice(_NICE_INCREMENT)
    with contextlib.suppress(AttributeError, OSError):  # not Linux, or not allowed
        os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))
    with contextlib.suppress(OSError):  # it leads a group already
        os.setsid()
    if os.getsid(0) == os.getpid():
        with contextlib.suppress(OSError):  # tasks are not grouped here
            Path("/proc/self/autogroup").write_text(_AUTOGROUP_NICE)
