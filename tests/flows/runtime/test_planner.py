"""Which worker reads which cameras."""

from pathlib import Path

import pytest

from flows.runtime.planner import Planner
from streetloop.cameras import parse_camera
from streetloop.settings import Settings

CAMERAS = [parse_camera({"id": name, "uri": f"rtsp://10.0.0.1/{name}"}) for name in "abcde"]


@pytest.mark.parametrize(
    ("size", "groups"), [(1, ["a", "b", "c", "d", "e"]), (2, ["ab", "cd", "e"]), (9, ["abcde"])]
)
def test_as_few_workers_as_hold_the_cameras(size: int, groups: list[str]) -> None:
    plans = Planner(Settings(cameras_per_worker=size), "1", ("car",), None).plan(CAMERAS)
    assert ["".join(camera.id for camera in plan.cameras) for plan in plans] == groups


def test_no_two_plans_have_the_same_name() -> None:
    planner = Planner(Settings(cameras_per_worker=2), "1", ("car",), None)
    plans = [*planner.plan(CAMERAS), *planner.plan(CAMERAS[:1]), *planner.plan([])]
    assert [plan.name for plan in plans] == ["worker0", "worker1", "worker2", "worker3"]


def test_paths_mean_the_same_in_every_process(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (plan,) = Planner(Settings(home=Path("home")), "1", ("car",), Path("videos")).plan(CAMERAS[:1])
    assert plan.settings.home == tmp_path / "home"
    assert plan.annotate == tmp_path / "videos"
