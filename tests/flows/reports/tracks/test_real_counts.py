"""Line counts on real footage against those of people who watched it."""

import json

import pytest

from flows.reports.tracks.camera_run import local_detector, run_camera
from streetloop.cameras.camera_file import parse_camera
from streetloop.settings import Settings, read_settings
from tests.support.material import material

pytestmark = [pytest.mark.model, pytest.mark.timeout(600)]

_VEHICLES = ["car", "motorcycle", "bus", "truck"]


@pytest.fixture(scope="module")
def counting(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """Vehicles with a model of 80 classes."""
    home = tmp_path_factory.mktemp("home")
    weights = str(material("weights/yolov8n.pt"))
    return read_settings(home=home, model=weights, classes=_VEHICLES)


@pytest.mark.parametrize(
    ("clip", "fps", "allowed"),
    [
        ("dual-carriageway_720p.mp4", 10, 0),
        ("intersection-cctv_640x480.mp4", 5, 0),
        ("car-detection_intel_768x432.mp4", None, 1),
    ],
)
def test_lines_count_what_people_counted(
    clip: str, fps: float | None, allowed: int, counting: Settings
) -> None:
    counted = json.loads(material("videos/hand_counts.json").read_text())[clip]
    document = {"id": "street", "uri": f"file://{material(f'videos/{clip}')}", "fps": fps}
    camera = parse_camera({**document, "lines": counted["lines"]})
    with local_detector(counting) as (detector, contract):
        found = run_camera(camera, detector, counting, 900.0, contract=contract).counts.lines
    wrong = sum(
        abs(found[line][way] - true) for line, ways in counted["counts"].items() for way, true in ways.items()
    )
    assert wrong <= allowed, f"{found} instead of {counted['counts']}"
