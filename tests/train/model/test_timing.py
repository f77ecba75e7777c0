import pytest

from train.model import timing
from train.model.timing import time_in_turns


class Machine:
    """Clocks that calls move; the processor's runs at twice the speed."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 0.0
        self.order: list[str] = []
        monkeypatch.setattr(timing.time, "perf_counter", lambda: self.now)
        monkeypatch.setattr(timing.time, "process_time", lambda: 2 * self.now)

    def work(self, name: str, seconds: float) -> None:
        self.order.append(name)
        self.now += seconds


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch) -> Machine:
    return Machine(monkeypatch)


def test_calls_take_turns(machine: Machine) -> None:
    calls = {name: lambda name=name: machine.work(name, 1) for name in "ab"}
    time_in_turns(calls, rounds=2)
    assert "".join(machine.order) == "aabbaabb", "one call before each is not timed"


def test_the_median_of_the_rounds_counts(machine: Machine) -> None:
    spent = iter([9, 1, 9, 50, 9, 2])
    (found,) = time_in_turns({"a": lambda: machine.work("a", next(spent))}, rounds=3).values()
    assert (found.seconds, found.cpu_s) == (2, 4)


def test_a_turn_lasts_as_long_as_it_should(machine: Machine) -> None:
    found = time_in_turns({"a": lambda: machine.work("a", 0.25)}, rounds=1, turn_s=1)
    assert len(machine.order) == 5
    assert found["a"].seconds == 0.25
