"""Live detection comes first."""

import contextlib
import os
from pathlib import Path

_NICE = 4  # beyond Ray's own workers, the detector's among them
_NICEST = "19"


def come_last() -> None:
    """Let this process, from now on, have what everybody else leaves of the CPU.

    Beyond a higher nice value, Linux knows a policy for work that nobody waits for. Both count
    within a session only, where the kernel groups tasks by session, so the process gets one of its
    own, and that comes last, too.
    """
    os.nice(_NICE)
    with contextlib.suppress(AttributeError, OSError):  # not Linux, or not allowed
        os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))
    with contextlib.suppress(OSError):  # it leads a group already
        os.setsid()
    if os.getsid(0) == os.getpid():
        with contextlib.suppress(OSError):  # tasks are not grouped here
            Path("/proc/self/autogroup").write_text(_NICEST)
