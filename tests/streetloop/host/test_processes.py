"""Work on a thread or in a process of its own: what becomes of it, and who comes first."""

import os
import signal
import sys
import threading
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

import pytest

from streetloop.errors import ProcessDied
from streetloop.host.processes import in_background, in_own_process


def test_a_result_comes_back_and_an_error_too() -> None:
    assert in_background("adding", lambda: 1 + 1).result(10) == 2
    with pytest.raises(ZeroDivisionError):
        in_background("dividing", lambda: 1 // 0).result(10)


def test_nobody_waits_for_its_thread() -> None:
    work = in_background("looking", lambda: threading.current_thread().daemon)
    assert work.result(10)


def test_a_process_answers_or_says_what_was_wrong() -> None:
    assert in_own_process(divmod, 7, 2) == (3, 1)
    with pytest.raises(ZeroDivisionError):
        in_own_process(divmod, 7, 0)


def test_a_process_that_is_killed_is_not_waited_for() -> None:
    with pytest.raises(ProcessDied, match=rf"kill_itself: .* ended with -{signal.SIGKILL:d}"):
        in_own_process(kill_itself)


@pytest.mark.skipif(sys.platform != "linux", reason="policies of Linux")
def test_a_process_of_its_own_comes_last_and_only_it() -> None:
    before = os.sched_getscheduler(0)
    assert in_own_process(os.sched_getscheduler, 0) == os.SCHED_IDLE
    assert os.sched_getscheduler(0) == before


def test_a_process_of_its_own_may_start_another_as_the_export_of_a_model_does() -> None:
    assert in_own_process(divide_elsewhere) == (3, 1)


def divide_elsewhere() -> tuple[int, int]:
    with ProcessPoolExecutor(1, get_context("spawn")) as pool:
        return pool.submit(divmod, 7, 2).result()


def kill_itself() -> None:
    os.kill(os.getpid(), signal.SIGKILL)
