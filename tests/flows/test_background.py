"""Work on a thread of its own: what becomes of it, and who comes first."""

import os
import sys
import threading

import pytest

from flows.background import in_background


def test_a_result_comes_back_and_an_error_too() -> None:
    assert in_background("adding", lambda: 1 + 1).result(10) == 2
    with pytest.raises(ZeroDivisionError):
        in_background("dividing", lambda: 1 // 0).result(10)


def test_nobody_waits_for_its_thread() -> None:
    work = in_background("looking", lambda: threading.current_thread().daemon)
    assert work.result(10)


@pytest.mark.skipif(sys.platform != "linux", reason="other systems know no priority of threads")
def test_a_thread_that_has_time_lets_others_go_first_and_only_it() -> None:
    def priority() -> int:
        return os.getpriority(os.PRIO_PROCESS, threading.get_native_id())

    before = priority()
    assert in_background("patient", priority, has_time=True).result(10) == min(before + 10, 19)
    assert in_background("usual", priority).result(10) == before == priority()
