"""A camera of the simulated city with a detector that knows the truth."""

import itertools

import numpy as np
import pytest

from flows.reports.tracks.camera_run import CameraRun, run_camera
from flows.reports.tracks.counts import count_tracks
from flows.reports.tracks.track_scores import score_tracks
from streetloop.cameras.camera_file import Camera, parse_camera
from streetloop.city.address import parse_address
from streetloop.city.view import View
from streetloop.errors import DetectorError, SourceError, StreetloopError
from streetloop.settings import Settings
from streetloop.types import Detections, Image
from tests.support.stream_flow.fakes import ScriptedDetector

_URI = "sim://larkfield/gantry?seed=3"
_LINES = {"carriageway": [[0.27, 0.62], [0.68, 0.50]]}
_PADDING = 12  # rows above a picture of 640x360 in the input of 640x384
_SECONDS, _FRAMES = 8.0, 80


def _camera(uri: str = _URI, fps: float | None = None) -> Camera:
    return parse_camera({"id": "gantry", "uri": uri, "fps": fps, "lines": _LINES})


def _settings(*, gate: bool = False) -> Settings:
    return Settings(image_size=640, gate=gate)


def _knowing() -> ScriptedDetector:
    """Answers for the frames of `_URI` in their order."""
    view, frames = View(parse_address(_URI)), itertools.count()

    def find(_: Image) -> Detections:
        true = view.truth(next(frames)).detections()
        xyxy = true.xyxy + np.array([0, _PADDING, 0, _PADDING], np.float32)
        return Detections(xyxy, true.confidence, true.class_id)

    return ScriptedDetector(find)


@pytest.fixture(scope="module")
def run() -> CameraRun:
    return run_camera(_camera(), _knowing(), _settings(), _SECONDS)


def test_every_frame_is_analysed_and_none_is_lost(run: CameraRun) -> None:
    assert run.frames == _FRAMES
    assert run.analysed.tolist() == list(range(1, _FRAMES + 1))
    assert (run.geometry.width, run.geometry.height, run.geometry.fps) == (640, 360, 10)


def test_the_truth_is_that_of_the_frames(run: CameraRun) -> None:
    view = View(parse_address(_URI))
    for frame in (1, 40, _FRAMES):
        truth = view.truth(frame - 1)
        rows = run.truth.take(run.truth.frame == frame)
        assert rows.track_id.tolist() == [seen.track_id for seen in truth.seen]
        assert rows.targets().track_id.tolist() == [seen.track_id for seen in truth.clear()]
        assert len(rows.distractors()) == len(truth.unclear())
        left, top, right, bottom = truth.seen[0].xyxy
        assert rows.table[0, 2:6].tolist() == [left, top, right - left, bottom - top]


def test_what_a_detector_that_knows_the_truth_finds_is_nearly_all(run: CameraRun) -> None:
    overall, _ = score_tracks([(run.truth, run.found)])
    assert overall.hota > 80
    assert overall.mota > 80
    true = count_tracks(run.truth.targets(), _camera().lines, run.geometry)
    assert true.objects >= 5
    assert true.lines["carriageway"]["in"] >= 2
    assert run.counts.lines == true.lines
    assert abs(run.counts.objects - true.objects) <= 1


def test_the_pace_of_the_uri_is_overridden(run: CameraRun) -> None:
    again = run_camera(_camera(f"{_URI}&live=1&frames=5"), _knowing(), _settings(), _SECONDS)
    assert again.frames == 5, "a recording that ends earlier"
    assert again.truth.table.tolist() == run.truth.take(run.truth.frame <= 5).table.tolist()


def test_a_limited_rate_is_analysed_at_that_rate() -> None:
    limited = run_camera(_camera(fps=5), ScriptedDetector(), _settings(), 2.0)
    assert limited.frames == 20
    assert limited.analysed.tolist() == list(range(1, 20, 2))
    assert set(limited.truth.frame.tolist()) == set(range(1, 21)), "objects are true at every frame"


def test_the_gate_of_the_settings_skips_frames() -> None:
    still = _camera(f"{_URI}&traffic=light&start=2")
    gated = run_camera(still, ScriptedDetector(), _settings(gate=True), 4.0)
    assert len(gated.analysed) < gated.frames == 40


def test_a_scripted_outage_has_no_frames() -> None:
    out = run_camera(_camera(f"{_URI}&event=camera-outage@0.5:1"), ScriptedDetector(), _settings(), 2.0)
    assert out.frames == 10


def test_progress_ends_with_all_frames() -> None:
    told: list[int] = []
    run_camera(_camera(), ScriptedDetector(), _settings(), 1.0, told.append)
    assert told[-1] == 10


def test_frames_without_an_answer_end_the_evaluation() -> None:
    broken = ScriptedDetector(failures=[DetectorError("out of order")] * 20)
    with pytest.raises(StreetloopError, match=r"camera 'gantry': the detector left [0-9]+ frames"):
        run_camera(_camera(), broken, _settings(), 1.0)


def test_a_clip_that_is_not_there_is_named() -> None:
    with pytest.raises(SourceError, match="does not exist"):
        run_camera(_camera("file:///nowhere.mp4"), ScriptedDetector(), _settings(), 1.0)
