"""Signals reach a process of their own: one that runs tests has handlers and threads of others."""

import signal
import subprocess
import sys

import pytest

FIRST = """
import os, signal, sys
from flows.runtime.signals import stop_on_signals

number = int(sys.argv[1])
signal.signal(number, signal.default_int_handler)  # ignored, if this runs under nohup
before = signal.getsignal(number)
with stop_on_signals() as stop:
    assert not stop.is_set()
    os.kill(os.getpid(), number)
    assert stop.wait(60)
assert signal.getsignal(number) is before
"""
IGNORED = """
import os, signal
from flows.runtime.signals import stop_on_signals

signal.signal(signal.SIGHUP, signal.SIG_IGN)
with stop_on_signals() as stop:
    os.kill(os.getpid(), signal.SIGHUP)
    assert not stop.is_set()
"""


def run(script: str, *arguments: str) -> None:
    """Run a script in another process; it fails as an assertion of it does."""
    done = subprocess.run([sys.executable, "-c", script, *arguments], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM", "SIGHUP"])
def test_the_first_signal_asks_to_stop_and_the_block_leaves_no_trace(name: str) -> None:
    run(FIRST, str(signal.Signals[name].value))


def test_a_hangup_that_is_ignored_stays_so() -> None:
    run(IGNORED)
