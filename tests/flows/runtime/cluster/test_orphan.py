"""A process whose parent dies writes out what it holds."""

import subprocess
import sys
from pathlib import Path

from tests.support.rollout import wait_for

PARENT = """
import subprocess, sys
child = subprocess.Popen([sys.executable, *sys.argv[1:]], stdout=subprocess.PIPE)
child.stdout.readline()
"""
CHILD = """
import sys, threading
from pathlib import Path
from flows.runtime.cluster.orphan import when_orphaned
done = threading.Event()
def write():
    Path(sys.argv[1]).write_text("written")
    done.set()
when_orphaned(write)
print("ready", flush=True)
done.wait(60)
"""


def test_an_orphan_writes_what_it_holds(tmp_path: Path) -> None:
    out = tmp_path / "out"
    subprocess.run([sys.executable, "-c", PARENT, "-c", CHILD, str(out)], timeout=120, check=True)
    wait_for(out.exists, "the orphan writes")
    wait_for(lambda: out.read_text() == "written", "all of it")
