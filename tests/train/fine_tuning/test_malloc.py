"""In a process of its own, which keeps its memory from then on."""

import subprocess
import sys

import pytest

_SAY = """
import resource, sys
from train.fine_tuning.malloc import disable_malloc_trim

if sys.argv[1] == "keep":
    disable_malloc_trim()
sizes = [40_000_000, 3_000_000, 100_000_000] * 5
for size in sizes:
    b"x" * size
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for size in sizes:
    b"x" * size
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


def _faults(mode: str) -> int:
    command = [sys.executable, "-c", _SAY, mode]
    return int(subprocess.run(command, capture_output=True, text=True, check=True).stdout)


@pytest.mark.skipif(sys.platform != "linux", reason="how glibc does it")
def test_memory_that_was_freed_is_there_the_next_time() -> None:
    assert _faults("keep") < 100
    assert _faults("give back") > 10_000, "or it would say nothing"
