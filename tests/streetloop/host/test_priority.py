"""In a process of its own, for nobody gets back what it gives up here."""

import json
import os
import subprocess
import sys

import pytest

_SAY = """
import json, os, threading
from streetloop.host.processes import lower_priority

lower_priority()
of_threads = []
thread = threading.Thread(target=lambda: of_threads.append(os.sched_getscheduler(0)))
thread.start()
thread.join()
print(json.dumps([os.nice(0), of_threads[0], os.getsid(0) == os.getpid()]))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="policies of Linux")
def test_a_process_and_its_threads_come_last_and_have_a_session_of_their_own() -> None:
    said = subprocess.run([sys.executable, "-c", _SAY], capture_output=True, text=True, check=True)
    nice, policy, alone = json.loads(said.stdout)
    assert nice == min(os.nice(0) + 4, 19)
    assert policy == os.SCHED_IDLE
    assert alone
