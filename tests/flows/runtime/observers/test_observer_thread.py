"""Reports are observed behind the session loop, in order, and none is lost."""

import threading
from collections.abc import Collection

import pytest

from flows.runtime.observers.observer_thread import ObserverThread
from flows.runtime.workers.stream_fleet import FleetReport
from tests.support.stream_flow.fakes import PATIENCE_S


class _Slow:
    """An observer that a ledger holds up."""

    def __init__(self) -> None:
        self.go = threading.Event()
        self.seen: list[object] = []

    def observe(self, report: FleetReport) -> None:
        assert self.go.wait(PATIENCE_S)
        self.seen.append(report)

    def leave(self, cameras: Collection[str]) -> None:
        self.seen.append(cameras)


def test_nobody_waits_for_an_observer_and_all_comes_in_order() -> None:
    slow = _Slow()
    thread = ObserverThread(slow)
    thread.start()
    reports = [FleetReport({}) for _ in range(3)]
    for report in reports:
        thread.observe(report)
    thread.leave(["a"])
    assert slow.seen == []
    slow.go.set()
    thread.close()
    assert slow.seen == [*reports, ["a"]]


def test_a_bug_of_an_observer_ends_the_run() -> None:
    class _Broken(_Slow):
        def observe(self, report: FleetReport) -> None:
            raise ZeroDivisionError("a bug")

    thread = ObserverThread(_Broken())
    thread.start()
    thread.observe(FleetReport({}))
    with pytest.raises(ZeroDivisionError):
        thread.close()
    with pytest.raises(ZeroDivisionError):
        thread.leave([])
