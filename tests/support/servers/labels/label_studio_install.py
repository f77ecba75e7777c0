"""Installs Label Studio for tests, in the background while other tests run.

It goes into ``.streetloop-test/labelstudio`` once, unless ``STREETLOOP_LABEL_STUDIO_VENV`` names a
virtual environment that has it. A migrated database is kept there, too: a first start takes 40
seconds, a start on a copy of that takes 5.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from labeling.local_server.server import LocalServer
from tests.support.servers.ports import free_port

CACHE = Path(__file__).resolve().parents[4] / ".streetloop-test"
_VENV = os.environ.get("STREETLOOP_LABEL_STUDIO_VENV")  # before a test takes it away
_MIGRATED = CACHE / "labelstudio" / "migrated"


def install() -> Path:
    """Make what is missing.

    Returns:
        The virtual environment.

    Raises:
        StreetloopError: It cannot be installed, or does not start.
    """
    with _alone():
        if not _is_installed():
            server = LocalServer(CACHE, free_port(), Path(_VENV) if _VENV else None)
            server.up(print)
            server.down()
            _MIGRATED.touch()
    return Path(_VENV) if _VENV else CACHE / "labelstudio" / "venv"


@contextlib.contextmanager
def _alone() -> Iterator[None]:
    """Another session of tests that needs it waits, and does not start what is copied just now."""
    CACHE.mkdir(exist_ok=True)
    with (CACHE / "install.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _is_installed() -> bool:
    return _MIGRATED.exists() and (bool(_VENV) or (CACHE / "labelstudio" / "venv").exists())


class Installation:
    """`install` in a process of low priority, but above that of tests without servers."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None

    def begin(self) -> None:
        """Begin, unless everything is there."""
        if not _is_installed():
            self._process = subprocess.Popen(
                ["nice", "-n", "5", sys.executable, "-m", __name__],
                cwd=CACHE.parent,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                start_new_session=True,
            )

    def wait(self) -> Path:
        """Wait until it is over, and do now what it did not do; see `install`."""
        if self._process is not None:
            self._process.wait()
        return install()

    def end(self) -> None:
        """Stop it, if nobody waited for it."""
        if self._process is not None and self._process.poll() is None:
            os.killpg(self._process.pid, signal.SIGTERM)
            self._process.wait()


installation = Installation()
"""That of this session of tests."""


if __name__ == "__main__":
    install()
