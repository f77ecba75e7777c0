"""The shipped baseline on the street of the city that is the hardest to track."""

import pytest

from flows.reports.tracks.camera_run import CameraRun, local_detector, run_camera
from flows.reports.tracks.counts import count_tracks
from flows.reports.tracks.track_scores import score_tracks
from streetloop.cameras.camera_file import parse_camera
from streetloop.settings import Settings

pytestmark = [pytest.mark.model, pytest.mark.slow]

_LINES = {"avenue": [[0.36, 0.30], [0.74, 0.47]]}
_CROSSING = parse_camera(
    {"id": "crossing", "uri": "sim://kingsport/crossing?seed=901", "fps": 10, "lines": _LINES}
)


@pytest.fixture(scope="module")
def run() -> CameraRun:
    settings = Settings(image_size=448)
    with local_detector(settings) as (detector, contract):
        return run_camera(_CROSSING, detector, settings, 40.0, contract=contract)


def test_tracks_and_counts_hold_with_a_margin(run: CameraRun) -> None:
    overall, _ = score_tracks([(run.truth, run.found)])
    true = count_tracks(run.truth.targets(), _CROSSING.lines, run.geometry)
    ways = [(true.lines["avenue"][way], run.counts.lines["avenue"][way]) for way in ("in", "out")]
    found = {
        "hota": round(overall.hota, 1),
        "switches": overall.id_switches,
        "objects": (true.objects, run.counts.objects),
        "crossings": ways,
    }
    assert overall.hota > 60, found
    assert overall.id_switches < 80, found
    assert run.counts.objects < 1.25 * true.objects, found
    assert all(abs(one - other) <= 2 for one, other in ways), found
