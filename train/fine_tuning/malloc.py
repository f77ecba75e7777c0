"""A training asks for the same memory again at every step."""

import contextlib
import ctypes

_TRIM_THRESHOLD, _MMAP_MAX = -1, -4  # of mallopt(3)
_NEVER = 2**31 - 1


def disable_malloc_trim() -> None:
    """Let the C library keep what is freed, from now on, rather than give it back to the system.

    It gives large pieces back at once, and the system clears them page by page when they are asked
    for again: on a virtual machine, that can take almost as long as the computing itself.
    """
    with contextlib.suppress(AttributeError, OSError):  # not glibc
        mallopt = ctypes.CDLL(None).mallopt
        mallopt(_MMAP_MAX, 0)
        mallopt(_TRIM_THRESHOLD, _NEVER)
