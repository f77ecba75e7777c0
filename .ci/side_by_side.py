"""Runs one command in the foreground, and beside it another that takes what time it leaves.

Tests with servers wait a third of the time; tests without fill it. These step back, since some of
those measure times.
"""

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import psutil

STEPPED_BACK, PLAIN = 10, 0
"""Nice values: a tenth of the weight of others, and the weight of others."""
_LOOK_S = 3.0


class Beside:
    """A command in a session of its own, whose output goes into a file.

    Args:
        command: What runs.
        log: Where its output goes.
    """

    def __init__(self, command: Sequence[str], log: Path) -> None:
        log.parent.mkdir(parents=True, exist_ok=True)
        self._log = log
        with log.open("w") as file:
            self._process = subprocess.Popen(
                command, stdout=file, stderr=subprocess.STDOUT, start_new_session=True
            )

    def weigh(self, nice: int) -> None:
        """Give it and all that it has started a nice value, where the kernel groups by session."""
        with contextlib.suppress(psutil.Error):
            for one in (this := psutil.Process(self._process.pid), *this.children(recursive=True)):
                with contextlib.suppress(OSError):
                    Path(f"/proc/{one.pid}/autogroup").write_text(str(nice))

    def follow(self) -> int:
        """Print all that it has said and says, until it ends; its exit code."""
        with self._log.open() as file:
            while True:
                ended = self._process.poll() is not None
                sys.stdout.write(file.read())
                sys.stdout.flush()
                if ended:
                    return self._process.returncode
                time.sleep(0.5)

    def end(self) -> None:
        """End it, if it runs."""
        if self._process.poll() is not None:
            return
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGTERM)
        self._process.wait()


def run(foreground: Sequence[str], beside: Sequence[str], log: Path) -> int:
    """Run both; 0 if both end with 0."""
    other = Beside(beside, log)
    sys.stdout.write(f"$ {' '.join(beside)} > {log}  # beside what follows\n$ {' '.join(foreground)}\n")
    sys.stdout.flush()
    first = subprocess.Popen(foreground)
    try:
        while first.poll() is None:
            other.weigh(STEPPED_BACK)  # what it starts may be in sessions of their own
            with contextlib.suppress(subprocess.TimeoutExpired):
                first.wait(_LOOK_S)
        other.weigh(PLAIN)
        sys.stdout.write(f"$ {' '.join(beside)}\n")
        second = other.follow()
    finally:
        other.end()
        first.terminate()
    return first.returncode or second


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    make, units, servers = sys.argv[1:]
    sys.exit(run([make, servers], [make, units], Path("build") / f"{units}.log"))
