"""The processes of the Ray that a command started, found and ended without asking Ray."""

import contextlib
import os
import uuid
from collections.abc import Iterator, MutableMapping

import psutil

_MARK = "STREETLOOP_RAY"
_marks: set[str] = set()


@contextlib.contextmanager
def marked_processes(environ: MutableMapping[str, str]) -> Iterator[None]:
    """Have every process that is started in the ``with`` block, and its children, carry a mark.

    Args:
        environ: The environment of this process, from which they have it.
    """
    mark = f"{os.getpid()}-{uuid.uuid4().hex}"
    _marks.add(mark)
    environ[_MARK] = mark
    try:
        yield
    finally:
        del environ[_MARK]


def kill_marked() -> None:
    """Kill every process that carries a mark of this one."""
    if not _marks:
        return
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            if process.pid != os.getpid() and process.environ().get(_MARK) in _marks:
                process.kill()
    _marks.clear()
