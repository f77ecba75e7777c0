"""What native code prints goes to a file, and what we say to the terminal."""

import subprocess
import sys
from pathlib import Path

SCRIPT = """
import os, subprocess, sys
from pathlib import Path
from streetloop.host.output import foreign_output_to
with foreign_output_to(Path(sys.argv[1])):
    print("printed by Ray")
    os.write(1, b"native out\\n")
    os.write(2, b"native error\\n")
    subprocess.run(["sh", "-c", "echo child >&2"])
    print("ours", file=sys.stderr)
print("summary")
print("ours, too", file=sys.stderr)
"""


def test_only_what_we_say_reaches_the_terminal(tmp_path: Path) -> None:
    log = tmp_path / "ray.log"
    log.write_text("of an earlier run")
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, str(log)], capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stdout == "summary\n"
    assert done.stderr == "ours\nours, too\n"
    assert {"printed by Ray", "native out", "native error", "child"} == set(log.read_text().splitlines())
