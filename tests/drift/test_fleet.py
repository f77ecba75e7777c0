from collections.abc import Sequence

import numpy as np

from drift.change import Change, ChangeKind, WatchPolicy
from drift.fleet import FleetWatch
from drift.measurement.features import NAMES
from drift.measurement.period import DriftPeriod
from drift.scan import Scan
from drift.watch import CameraWatch
from tests.drift.support import breathing, make_period, watched

DARK = {"brightness": -0.3, "noise": 4.0}


def test_each_camera_is_watched_for_itself() -> None:
    fleet = FleetWatch(WatchPolicy())
    both = [breathing(100, camera_id=camera) for camera in "ab"]
    watched((one for pair in zip(*both, strict=True) for one in pair), fleet)
    changes = fleet.take([*breathing(15, 100, DARK), *breathing(15, 100, camera_id="b")])
    assert [(change.camera_id, change.kind) for change in changes] == [("a", ChangeKind.DRIFT)]
    assert fleet.camera("b").finding is None
    assert fleet.cameras.keys() == {"a", "b"}


def test_minutes_that_come_together_are_as_those_that_come_one_by_one() -> None:
    periods = [*breathing(100), *breathing(15, 100, DARK), *breathing(40, 115)]
    at_once = FleetWatch(WatchPolicy()).take(periods)
    one_by_one, _ = watched(periods)
    assert [(c.kind, c.at, c.since) for c in at_once] == [(c.kind, c.at, c.since) for c in one_by_one]
    assert len(at_once) == 2


def test_nothing_comes_of_nothing() -> None:
    assert FleetWatch(WatchPolicy()).take([]) == []


class _Settled(CameraWatch):
    """A watch whose scan is given, and that keeps what was called significant."""

    def __init__(self, camera_id: str, p_value: float) -> None:
        super().__init__(camera_id, WatchPolicy())
        p_values = np.ones(len(NAMES) + 1)
        p_values[0] = p_value
        self._given = Scan(np.full(len(NAMES), 9.0), p_values, 0.0)
        self.significant: list[bool] = []

    def scan(self) -> Scan:
        return self._given

    def settle(self, scan: Scan, significant: Sequence[bool]) -> Change | None:
        self.significant = list(significant)
        return None


def _settled(p_values: Sequence[float]) -> list[list[bool]]:
    fleet = FleetWatch(WatchPolicy())
    cameras = [_Settled(f"c{k}", p) for k, p in enumerate(p_values)]
    fleet.cameras.update({camera.camera_id: camera for camera in cameras})
    periods: list[DriftPeriod] = [make_period(camera_id=camera.camera_id) for camera in cameras]
    fleet.take(periods)
    return [camera.significant for camera in cameras]


def test_what_is_significant_at_one_camera_alone_is_not_among_many() -> None:
    ((alone, *_),) = _settled([0.002])
    assert alone
    among = _settled([0.002, *[1.0] * 49])
    assert not any(row[0] for row in among)


def test_what_all_cameras_show_is_significant_at_each() -> None:
    assert all(row[0] for row in _settled([0.002] * 50))


def test_only_the_feature_that_stands_out_is_significant() -> None:
    ((first, *others),) = _settled([0.0])
    assert first
    assert not any(others)
