"""Tunes the C library's memory allocator for training, which allocates the same sizes each step."""

import contextlib
import ctypes

_TRIM_THRESHOLD, _MMAP_MAX = -1, -4  # of mallopt(3)
_NEVER = 2**31 - 1


def disable_malloc_trim() -> None:
    """Let glibc keep freed memory from now on instead of returning it to the system.

    By default it returns large blocks at once, and the kernel clears their pages when they are
    allocated again: on a virtual machine that can take as long as the computing. Resident memory
    stays at its peak. Without glibc nothing changes.
    """
    with contextlib.suppress(AttributeError, OSError):  # not glibc
        mallopt = ctypes.CDLL(None).mallopt
        mallopt(_MMAP_MAX, 0)
        mallopt(_TRIM_THRESHOLD, _NEVER)
