"""Which worker reads which cameras."""

from pathlib import Path

import pytest

from flows.runtime.workers.planner import Planner
from streetloop.alerting.sink_config import parse_sinks
from streetloop.cameras.camera_file import parse_camera
from streetloop.settings import Settings

CAMERAS = [parse_camera({"id": name, "uri": f"rtsp://10.0.0.1/{name}"}) for name in "abcde"]


@pytest.mark.parametrize(
    ("size", "groups"), [(1, ["a", "b", "c", "d", "e"]), (2, ["ab", "cd", "e"]), (9, ["abcde"])]
)
def test_as_few_workers_as_hold_the_cameras(size: int, groups: list[str]) -> None:
    plans = Planner(Settings(cameras_per_worker=size), "1", ("car",), None).plan(CAMERAS)
    assert ["".join(camera.id for camera in plan.cameras) for plan in plans] == groups


def test_cameras_of_a_site_have_workers_of_their_own() -> None:
    cameras = [
        parse_camera({"id": name, "uri": f"rtsp://10.0.0.1/{name}", "site": site})
        for name, site in [("a", "denver"), ("b", None), ("c", "denver"), ("d", None)]
    ]
    plans = Planner(Settings(cameras_per_worker=9), "1", ("car",), None).plan(cameras)
    assert [("".join(c.id for c in plan.cameras), plan.site) for plan in plans] == [
        ("ac", "denver"),
        ("bd", None),
    ]


@pytest.mark.parametrize("uri", ["file:///clip.mp4", "watch:///clips", "v4l2:///dev/video0"])
def test_who_reads_files_or_devices_stays_on_this_machine(uri: str, tmp_path: Path) -> None:
    planner = Planner(Settings(), "1", ("car",), None)
    bound, free = planner.plan([parse_camera({"id": "clip", "uri": uri}), *CAMERAS])
    assert (bound.is_bound, free.is_bound) == (True, False)
    (drawn,) = Planner(Settings(), "1", ("car",), tmp_path).plan(CAMERAS)
    assert drawn.is_bound


def test_workers_get_the_sinks_that_want_detections() -> None:
    bus = {"type": "kafka", "url": "kafka://host:1"}
    sinks = parse_sinks({"bus": {**bus, "detections": True}, "events": bus})
    plans = Planner(Settings(cameras_per_worker=2), "1", ("car",), None, sinks=sinks).plan(CAMERAS)
    assert [list(plan.sinks) for plan in plans] == [["bus"]] * 3


def test_no_two_plans_have_the_same_name() -> None:
    planner = Planner(Settings(cameras_per_worker=2), "1", ("car",), None)
    plans = [*planner.plan(CAMERAS), *planner.plan(CAMERAS[:1]), *planner.plan([])]
    assert [plan.name for plan in plans] == ["worker0", "worker1", "worker2", "worker3"]


def test_paths_mean_the_same_in_every_process(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (plan,) = Planner(Settings(home=Path("home")), "1", ("car",), Path("videos")).plan(CAMERAS[:1])
    assert plan.settings.home == tmp_path / "home"
    assert plan.annotate == tmp_path / "videos"
