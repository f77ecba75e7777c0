from pathlib import Path

from flows.demo.scenario import write_demo
from flows.stream.sources.registry import open_source
from streetloop.cameras.camera_file import load_cameras
from streetloop.clock import SystemClock


def test_four_cameras_of_four_cities_that_open(tmp_path: Path) -> None:
    cameras = load_cameras(write_demo(tmp_path / "demo")).cameras

    assert len({camera.city for camera in cameras}) == 4
    for camera in cameras:
        assert open_source(camera, SystemClock()).probe().codec == "simulated"
        assert camera.lines
