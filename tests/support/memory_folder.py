"""Temporary folders of tests lie in memory: SQLite and MLflow wait for the disk at every commit."""

import os
import shutil
from pathlib import Path

MEMORY = Path("/dev/shm")
LEAST_FREE = 4 * 2**30
"""Bytes; containers often have 64 MiB."""


def use_memory_folder(folder: Path = MEMORY) -> bool:
    """Let pytest make its temporary folders in ``folder``, unless the environment names another.

    Args:
        folder: A file system in memory, if this machine has one.

    Returns:
        Whether they lie there.
    """
    if "PYTEST_DEBUG_TEMPROOT" in os.environ or not os.access(folder, os.W_OK):
        return False
    if shutil.disk_usage(folder).free < LEAST_FREE:
        return False
    os.environ["PYTEST_DEBUG_TEMPROOT"] = str(folder)
    return True
