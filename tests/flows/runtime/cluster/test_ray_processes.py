"""What a command started of Ray is killed, and nothing else."""

import os
import subprocess
import sys

from flows.runtime.cluster.ray_processes import kill_marked, marked_processes

WAITS = [sys.executable, "-c", "import time; time.sleep(600)"]
PARENT = [sys.executable, "-c", f"import subprocess; subprocess.run({WAITS!r})"]


def test_what_is_started_within_is_killed_with_its_children_and_what_comes_later_lives() -> None:
    environment = dict(os.environ)
    with marked_processes(environment):
        within = subprocess.Popen(PARENT, env=environment)
    later = subprocess.Popen(WAITS, env=environment)
    try:
        kill_marked()
        assert within.wait(60) < 0
        assert later.poll() is None
    finally:
        later.kill()
        later.wait()
