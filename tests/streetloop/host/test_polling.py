"""A thread that repeats a step, and sentences that are said once."""

import logging
import queue
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from streetloop.errors import LedgerError
from streetloop.host.polling import PollingThread, SayOnce

_log = logging.getLogger(__name__)

_WAIT_S = 10.0
_LONG_S = 600.0


class Steps:
    """Counts its calls; raises what it is given first."""

    def __init__(self, *failures: Exception) -> None:
        self.failures = list(failures)
        self.calls: queue.Queue[int] = queue.Queue()
        self._count = 0

    def __call__(self) -> None:
        self._count += 1
        self.calls.put(self._count)
        if self.failures:
            raise self.failures.pop(0)

    def wait(self, count: int) -> None:
        """Until so many calls have begun."""
        while self.calls.get(timeout=_WAIT_S) < count:
            pass


@contextmanager
def running(thread: PollingThread) -> Iterator[PollingThread]:
    thread.start()
    try:
        yield thread
    finally:
        thread.close(_WAIT_S)
        assert not thread.is_alive


def polling(step: Callable[[], object], period_s: float, said: list[str], **more: object) -> PollingThread:
    return PollingThread("poll", step, period_s, _log, said.append, **more)  # type: ignore[arg-type]


def test_a_sentence_is_said_once_until_it_is_forgotten() -> None:
    said: list[str] = []
    say = SayOnce(said.append)
    for sentence in ("a", "b", "a"):
        say(sentence)
    assert said == ["a", "b"]
    say.forget()
    say("a")
    assert said == ["a", "b", "a"]


def test_a_step_that_fails_is_said_and_repeated(caplog: pytest.LogCaptureFixture) -> None:
    said: list[str] = []
    steps = Steps(LedgerError("away"), RuntimeError("a bug"))
    with running(polling(steps, 0.001, said)):
        steps.wait(3)
    assert said == ["poll: away", "poll: a step failed; the log says why"]
    assert [(r.name, r.levelname) for r in caplog.records] == [(__name__, "ERROR")]


def test_who_wakes_it_is_heard_before_the_next_step() -> None:
    said: list[str] = []
    step, woken = Steps(), Steps(LedgerError("away"))
    with running(polling(step, _LONG_S, said, on_wake=woken)) as thread:
        thread.wake()
        woken.wait(1)
        thread.wake()
        woken.wait(2)
    assert step.calls.empty()
    assert said == ["poll: away"]


def test_who_wakes_it_during_a_step_is_heard_after_it() -> None:
    begun, go_on, woken = threading.Event(), threading.Event(), Steps()

    def hold() -> None:
        woken()
        begun.set()
        assert go_on.wait(_WAIT_S)

    with running(polling(lambda: None, _LONG_S, [], on_wake=hold)) as thread:
        thread.wake()
        assert begun.wait(_WAIT_S)
        thread.wake()
        go_on.set()
        woken.wait(2)


def test_many_wakes_are_one_call_within_the_rest() -> None:
    woken = Steps()
    with running(polling(lambda: None, _LONG_S, [], on_wake=woken, rest_s=_LONG_S)) as thread:
        for _ in range(30):
            thread.wake()
        woken.wait(1)
    assert woken.calls.empty(), "closing does not wait for the rest"


def test_wakes_do_not_put_a_step_off() -> None:
    step = Steps()
    with running(polling(step, 0.05, [], on_wake=lambda: thread.wake())) as thread:
        thread.wake()
        step.wait(2)


def test_a_thread_that_never_began_can_be_closed() -> None:
    polling(lambda: None, 1.0, []).close(_WAIT_S)
