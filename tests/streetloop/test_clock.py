import threading
from datetime import UTC, datetime, timedelta

import pytest

from streetloop.clock import SystemClock


def test_monotonic_time_does_not_run_backwards() -> None:
    clock = SystemClock()
    readings = [clock.monotonic() for _ in range(100)]
    assert readings == sorted(readings)


def test_now_is_the_time_of_day_in_utc() -> None:
    now = SystemClock().now()
    assert now.tzinfo is UTC
    assert abs(now - datetime.now(UTC)) < timedelta(minutes=1)


def test_waiting_for_an_event_that_is_set_returns_true_at_once() -> None:
    event = threading.Event()
    event.set()
    assert SystemClock().wait(event, 3600)


@pytest.mark.parametrize("timeout_s", [0.0, -3.0])
def test_a_time_out_that_is_over_already_does_not_wait(timeout_s: float) -> None:
    assert not SystemClock().wait(threading.Event(), timeout_s)


def test_an_event_that_is_set_by_another_thread_ends_the_wait() -> None:
    event, answers = threading.Event(), []
    waiter = threading.Thread(target=lambda: answers.append(SystemClock().wait(event, 3600)))
    waiter.start()
    event.set()
    waiter.join(timeout=10)
    assert answers == [True]
