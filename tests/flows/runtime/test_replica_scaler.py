"""Replicas follow what streams need."""

from collections.abc import Mapping

import pytest

from flows.runtime.replica_scaler import FrameTotals, ReplicaScaler
from serve.detector.scaling import ReplicaLimits, ReplicaState
from serve.rollout.route_table import CHALLENGER, CHAMPION
from streetloop.errors import DetectorError
from tests.support.stream_flow.fakes import FakeClock

LOOK_S = 2.0


class _Applications:
    """Of replicas that are up at once, as many as were asked for."""

    def __init__(self) -> None:
        self.running = {CHAMPION: 1, CHALLENGER: 1}
        self.versions = {CHAMPION: ["a"] * 9, CHALLENGER: ["b"] * 9}
        self.busy = 1.0
        self.reloaded: list[str] = []
        self.is_away = False

    def replicas(self, application: str) -> list[ReplicaState]:
        if self.is_away:
            raise DetectorError("it starts")
        versions = self.versions[application]
        return [ReplicaState(versions[k], k, self.busy) for k in range(self.running[application])]

    def scale(self, application: str, replicas: int) -> None:
        self.running[application] = replicas

    def reload(self, application: str) -> None:
        self.reloaded.append(application)


class _Fleet:
    """Ten frames a look for each application; some are dropped."""

    def __init__(self) -> None:
        self.applications, self.dropped = [CHAMPION], 0
        self._totals: dict[str, FrameTotals] = {}
        self.expected: dict[str, int] = {}

    def totals(self) -> Mapping[str, FrameTotals]:
        for name in self.applications:
            decoded, dropped = self._totals.get(name, FrameTotals(0, 0))
            self._totals[name] = FrameTotals(decoded + 10, dropped + self.dropped)
        return {name: self._totals[name] for name in self.applications}

    def expect_replicas(self, application: str, started: int) -> None:
        self.expected[application] = started


class _Stage:
    def __init__(self) -> None:
        self.applications, self.fleet, self.clock = _Applications(), _Fleet(), FakeClock()
        self.said: list[str] = []
        self.scaler = ReplicaScaler(
            self.applications, self.fleet, ReplicaLimits(1, 3), self.clock, self.said.append
        )

    def look(self, times: int) -> None:
        for _ in range(times):
            self.scaler.step()
            self.clock.advance(LOOK_S)


@pytest.fixture
def stage() -> _Stage:
    return _Stage()


def test_an_overload_brings_replicas_and_a_quiet_while_takes_them_away(stage: _Stage) -> None:
    stage.fleet.dropped = 5
    stage.look(5)
    assert stage.applications.running[CHAMPION] == 2
    assert stage.said == [f"{CHAMPION} runs on 2 replicas: 5 of 10 frames were dropped"]
    stage.fleet.dropped, stage.applications.busy = 0, 0.1
    stage.look(40)
    assert stage.applications.running[CHAMPION] == 1
    assert stage.said[1:] == [f"{CHAMPION} runs on 1 replica: they compute for 10% of the time"]


def test_the_fleet_knows_how_many_processes_were_started_on_purpose(stage: _Stage) -> None:
    stage.fleet.dropped = 5
    stage.look(20)
    assert stage.applications.running[CHAMPION] == stage.fleet.expected[CHAMPION] == 3
    stage.fleet.dropped, stage.applications.busy = 0, 0.1
    stage.look(100)
    stage.fleet.dropped, stage.applications.busy = 5, 1.0
    stage.look(4)
    assert (stage.applications.running[CHAMPION], stage.fleet.expected[CHAMPION]) == (2, 4)


def test_a_challenger_has_as_many_as_the_champion_at_once_and_keeps_them(stage: _Stage) -> None:
    stage.fleet.dropped = 5
    stage.look(20)
    stage.fleet.applications = [CHAMPION, CHALLENGER]
    stage.look(1)
    assert stage.applications.running[CHALLENGER] == 3
    stage.fleet.dropped, stage.applications.busy = 0, 0.1
    stage.look(100)
    assert stage.applications.running == {CHAMPION: 1, CHALLENGER: 3}


def test_how_many_are_wanted_is_known_before_and_after_the_first_look(stage: _Stage) -> None:
    assert stage.scaler.wanted() == {CHAMPION: 1}
    stage.fleet.dropped = 5
    stage.look(20)
    stage.fleet.applications.append(CHALLENGER)
    stage.look(1)
    assert stage.scaler.wanted() == {CHAMPION: 3, CHALLENGER: 3}


def test_an_application_that_ended_is_forgotten(stage: _Stage) -> None:
    stage.fleet.applications, stage.fleet.dropped = [CHAMPION, CHALLENGER], 5
    stage.look(20)
    stage.fleet.applications = [CHAMPION]
    stage.look(1)
    stage.applications.running[CHALLENGER] = 1
    stage.fleet.applications, stage.fleet.dropped = [CHAMPION, CHALLENGER], 0
    stage.look(1)
    assert stage.fleet.expected[CHALLENGER] == 3


def test_replicas_of_two_models_are_told_to_reload(stage: _Stage) -> None:
    stage.applications.running[CHAMPION] = 2
    stage.applications.versions[CHAMPION] = ["a", "b"]
    stage.look(1)
    assert stage.applications.reloaded == [CHAMPION]


def test_an_application_that_does_not_answer_is_looked_at_again(stage: _Stage) -> None:
    stage.fleet.dropped, stage.applications.is_away = 5, True
    stage.look(5)
    stage.applications.is_away = False
    stage.look(5)
    assert stage.applications.running[CHAMPION] == 2
