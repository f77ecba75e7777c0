"""Replicas of a real Ray Serve follow the load of streets."""

from collections.abc import Mapping
from pathlib import Path

import pytest
import ray.serve

from flows.runtime.replica_scaler import FrameTotals, ReplicaScaler
from serve.detector.applications import ServeApplications
from serve.detector.scaling import ReplicaLimits
from serve.rollout.route_table import CHAMPION
from streetloop.clock import SystemClock
from tests.support.rollout import CAMERAS, Street, wait_for
from tests.support.stream_flow import faulty

pytestmark = pytest.mark.ray

_LIMITS = ReplicaLimits(1, 2)


class _StreetFleet:
    """A `ScaledFleet` of one street."""

    def __init__(self, street: Street) -> None:
        self._street = street
        self.expected = 1

    def totals(self) -> Mapping[str, FrameTotals]:
        counts = self._street.counts().values()
        decoded, dropped = (sum(count[fate] for count in counts) for fate in ("decoded", "dropped"))
        return {CHAMPION: FrameTotals(decoded, dropped)}

    def expect_replicas(self, application: str, started: int) -> None:
        assert application == CHAMPION
        self.expected = started


def test_an_overloaded_detector_gets_a_second_replica_which_answers(tmp_path: Path, shared_ray: None) -> None:
    ray.serve.start(proxy_location="Disabled")
    champion = faulty.good(tmp_path / "champion.onnx")
    street = Street(tmp_path, champion, faulty.Sleeps, fps=12.0, staleness_s=1.0, most_replicas=2)
    applications, fleet, said = ServeApplications(street.settings), _StreetFleet(street), []
    scaler = ReplicaScaler(applications, fleet, _LIMITS, SystemClock(), said.append)
    scaler.start()
    try:
        wait_for(lambda: len(applications.replicas(CHAMPION)) == 2, "a second replica", 60.0, 0.2)
        assert fleet.expected == 2
        before = street.counts()
        wait_for(
            lambda: all(street.counts()[c]["detected"] > before[c]["detected"] for c in CAMERAS), "answers"
        )
        states = applications.replicas(CHAMPION)
        assert len({state.process for state in states}) == 2
        assert {state.version for state in states} == {street.champion.version}
        assert len(said) == 1
        assert said[0].startswith("champion runs on 2 replicas: ")
    finally:
        scaler.close()
        street.close()
        applications.delete(CHAMPION)
