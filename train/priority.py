"""Live detection comes first."""

import contextlib
import os

_NICE = 4  # beyond Ray's own workers, the detector's among them


def come_last() -> None:
    """Let this thread, and those that it starts, have what everybody else leaves of the CPU.

    Beyond a higher nice value, Linux knows a policy for work that nobody waits for.
    """
    os.nice(_NICE)
    with contextlib.suppress(AttributeError, OSError):  # not Linux, or not allowed
        os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))
