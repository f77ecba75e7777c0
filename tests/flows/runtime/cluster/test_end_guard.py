"""A process whose end hangs is ended."""

import os
import signal
import subprocess
import sys
import time

from flows.runtime.cluster.end_guard import WITHIN_S, EndGuard

HANGS = """
import os, signal, sys, threading, time
from flows.runtime.cluster.end_guard import guarded_end
from flows.runtime.signals import stop_on_signals
with guarded_end(lambda: print("cleaned up", flush=True)), stop_on_signals():
    print("ready", flush=True)
    if sys.argv[1] == "hangs":
        signal.pthread_sigmask(signal.SIG_BLOCK, [])
        while True:
            time.sleep(60)
"""


def start(how: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", HANGS, how], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def test_a_process_that_hangs_obeys_sigterm_within_seconds() -> None:
    process = start("hangs")
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    process.send_signal(signal.SIGTERM)
    began = time.monotonic()
    stdout, stderr = process.communicate(timeout=120)
    assert process.returncode == 1
    assert time.monotonic() - began > WITHIN_S - 1
    assert stdout == "cleaned up\n"
    assert stderr.startswith(
        "error: the process was told to stop, and did not in time; the process was ended"
    )


def test_a_process_that_ends_is_left_alone() -> None:
    stdout, stderr = start("ends").communicate(timeout=120)
    assert (stdout, stderr) == ("ready\n", "")


def test_the_time_is_bounded_once_the_end_has_begun() -> None:
    guard = EndGuard(lambda: None, os.abort)
    assert guard.left_s == float("inf")
    assert guard.patience_s() == 30
    guard.begin("it ends")
    guard.begin("again")
    assert guard.left_s <= WITHIN_S
    assert guard.patience_s() <= WITHIN_S
