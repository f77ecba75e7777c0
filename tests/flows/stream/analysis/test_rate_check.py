"""Cars of 60 x 60 pixels that drive at a steady speed past a line, at several frame rates."""

import pytest

from flows.stream.analysis.camera_analysis import CameraAnalysis
from streetloop.cameras.zones import Line
from streetloop.settings import Settings
from streetloop.types import Detections
from tests.support.stream_flow.build import camera, found, frame, plain

WIDTH, SIDE, PAUSE_S = 1200, 60, 4.0
PICTURE = plain(WIDTH, 300)
GATE: dict[str, Line] = {"gate": ((0.5, 1.0), (0.5, 0.0))}


def drive(
    sides_per_s: float, fps: float, cars: int = 10, lines: dict[str, Line] | None = None
) -> CameraAnalysis:
    """One car after the other crosses the whole picture."""
    analysis = CameraAnalysis(camera(fps=fps, lines=GATE if lines is None else lines), Settings())
    each_s = WIDTH / SIDE / sides_per_s + PAUSE_S
    for index in range(round(cars * each_s * fps)):
        car, since_s = divmod(index / fps, each_s)
        x = sides_per_s * SIDE * since_s + 97 * car % 300
        boxes = found((x, 100, x + SIDE, 100 + SIDE)) if x < WIDTH - SIDE else Detections.empty()
        analysis.update(frame(index, pts=index / fps, picture=PICTURE), boxes, "model-1")
    return analysis


def sentences(analysis: CameraAnalysis) -> list[str]:
    return [fault.text for fault in analysis.faults]


@pytest.mark.parametrize(("sides_per_s", "fps"), [(2.0, 25), (2.0, 10), (2.0, 3), (8.0, 25)])
def test_a_rate_that_suffices_is_no_fault(sides_per_s: float, fps: float) -> None:
    analysis = drive(sides_per_s, fps)

    assert sentences(analysis) == []
    assert analysis.line_totals()["gate"].into + analysis.line_totals()["gate"].out == 10


@pytest.mark.parametrize(("sides_per_s", "fps", "needed"), [(4.9, 5, 10), (3.9, 4, 8), (2.4, 2.5, 5)])
def test_a_street_that_is_too_fast_says_what_it_needs(sides_per_s: float, fps: float, needed: int) -> None:
    (sentence,) = sentences(drive(sides_per_s, fps))

    assert sentence == f"camera 'a': too fast for {fps:g} fps, needs {needed}"
    assert not sentences(drive(sides_per_s, needed))


def test_objects_that_are_never_seen_twice_are_too_fast() -> None:
    analysis = drive(15.0, 2)

    assert analysis.objects == 0
    assert sentences(analysis) == ["camera 'a': too fast for 2 fps, needs 4"]


def test_a_calm_street_whose_gate_is_closed_needs_no_rate() -> None:
    analysis = drive(2.0, 10)
    for keyframe in range(20):
        at = frame(1000 + keyframe, pts=300 + 2.0 * keyframe, picture=PICTURE)
        analysis.update(at, Detections.empty(), "model-1")

    assert sentences(analysis) == []


def test_false_boxes_at_one_place_say_nothing_about_the_rate() -> None:
    analysis = CameraAnalysis(camera(fps=5, lines=GATE), Settings())
    for index in range(1500):
        boxes = found((300, 50, 340, 90)) if index % 25 == 0 else Detections.empty()
        analysis.update(frame(index, pts=index / 5, picture=PICTURE), boxes, "model-1")

    assert analysis.objects == 0
    assert sentences(analysis) == []


def test_a_street_without_lines_needs_no_rate() -> None:
    assert sentences(drive(15.0, 2, lines={})) == []


def test_objects_that_stand_say_nothing_about_the_rate() -> None:
    analysis = CameraAnalysis(camera(lines=GATE), Settings())
    for index in range(60):
        analysis.update(frame(index, pts=index, picture=PICTURE), found((100, 100, 160, 160)), "model-1")
    assert sentences(analysis) == []
