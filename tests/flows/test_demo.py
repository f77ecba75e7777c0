from pathlib import Path

import pytest

from flows.demo import prepare_demo
from flows.stream.sources import open_source
from streetloop.cameras import load_cameras
from streetloop.clock import SystemClock
from streetloop.errors import ConfigError
from tests.support.material import material


def test_without_the_clips_the_way_out_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="STREETLOOP_TEST_DATA"):
        prepare_demo(tmp_path, tmp_path / "demo")


@pytest.mark.model
def test_four_cameras_that_open(weights: Path, tmp_path: Path) -> None:
    prepared = prepare_demo(material("videos").parent, tmp_path / "demo")
    cameras = load_cameras(prepared.cameras).cameras
    assert len(cameras) == 4
    assert prepared.model == weights
    for camera in cameras:
        assert open_source(camera, SystemClock()).probe().codec == "h264"
        assert camera.lines
