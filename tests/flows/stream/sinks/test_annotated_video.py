from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from flows.stream.analysis.counting_lines import Crossing
from flows.stream.analysis.results import Result
from flows.stream.sinks.annotated_video import Annotator, draw
from streetloop.cameras.zones import Line
from streetloop.types import UNCONFIRMED, Detections, Image
from streetloop.video import VideoReader
from tests.support.stream_flow.build import camera, found, frame, plain, result

_NAMES = ("car", "bus")
_LARGE = plain(800, 600, 90)
_LINES: dict[str, Line] = {"gate": ((0.25, 0.5), (0.75, 0.5))}


def _of(detections: Detections, track: int = UNCONFIRMED, index: int = 0) -> Result:
    return result(frame(index, picture=_LARGE), detections, [track] * len(detections))


def _difference(one: Image, other: Image) -> list[tuple[int, int]]:
    """(x, y) of all pixels that differ."""
    rows, columns = np.nonzero((one != other).any(axis=2))
    return list(zip(columns.tolist(), rows.tolist(), strict=True))


def test_a_box_is_drawn_where_it_is_and_nowhere_else() -> None:
    drawn = draw(_of(found((300, 200, 500, 400))), _NAMES)
    changed = _difference(drawn, draw(_of(Detections.empty()), _NAMES))

    assert {(300, 300), (500, 300), (400, 200), (400, 400)} <= set(changed)
    assert (400, 300) not in changed
    # The label stands above the box.
    assert all(295 <= x <= 505 and 175 <= y <= 405 for x, y in changed)


def test_the_frame_is_not_drawn_on() -> None:
    before = _LARGE.pixels.copy()
    draw(_of(found((300, 200, 500, 400))), _NAMES, _LINES)

    assert np.array_equal(_LARGE.pixels, before)


def test_a_small_picture_is_enlarged_and_its_boxes_with_it() -> None:
    of = frame(picture=plain(160, 120))
    drawn = draw(result(of, found((40, 30, 120, 90))), _NAMES)
    empty = draw(result(of), _NAMES)

    assert drawn.shape == (480, 640, 3)
    assert {(160, 240), (480, 240), (320, 360)} <= set(_difference(drawn, empty))


@pytest.mark.parametrize(("width", "height"), [(640, 480), (800, 600)])
def test_a_large_picture_keeps_its_size(width: int, height: int) -> None:
    drawn = draw(result(frame(picture=plain(width, height))), _NAMES)

    assert drawn.shape == (height, width, 3)


@pytest.mark.parametrize(
    ("track", "confidence", "is_drawn"), [(UNCONFIRMED, 0.3, True), (UNCONFIRMED, 0.2, False), (7, 0.2, True)]
)
def test_boxes_below_the_threshold_are_drawn_only_with_a_track(
    track: int, confidence: float, is_drawn: bool
) -> None:
    box = found((300, 200, 500, 400), confidence=confidence)
    drawn = draw(_of(box, track), _NAMES, confidence=0.25)

    assert bool(_difference(drawn, draw(_of(Detections.empty()), _NAMES))) is is_drawn


def test_the_drawing_depends_on_class_and_track() -> None:
    box = (300, 200, 500, 400)
    drawings = [
        draw(_of(found(box, class_id=0)), _NAMES),
        draw(_of(found(box, class_id=1)), _NAMES),
        draw(_of(found(box, class_id=0), track=7), _NAMES),
    ]

    assert _difference(drawings[0], drawings[1])
    assert _difference(drawings[0], drawings[2])


def test_a_line_is_drawn_with_its_counts() -> None:
    empty = _of(Detections.empty())
    without = draw(empty, _NAMES)
    fresh = draw(empty, _NAMES, _LINES)
    counted = draw(empty, _NAMES, _LINES, {"gate": {"in": 3, "out": 1}})

    assert {(x, 300) for x in range(205, 596)} <= set(_difference(without, fresh))
    assert _difference(fresh, counted)


def test_boxes_beyond_the_edge_are_drawn() -> None:
    boxes = found((-50, -50, 900, 700), (799, 599, 800, 600), (0, 0, 0, 0), (5, 2, 60, 30))

    assert draw(_of(boxes), _NAMES).shape == (600, 800, 3)


def _played(path: Path) -> tuple[list[float | None], list[Image]]:
    with VideoReader(str(path), path.name) as reader:
        pictures = [(time, picture.bgr()) for time, picture in reader.pictures()]
    return [time for time, _ in pictures], [image for _, image in pictures]


def test_each_camera_gets_a_video_that_plays_at_the_times_of_its_frames(tmp_path: Path) -> None:
    annotator = Annotator(tmp_path / "out", [camera("a"), camera("b")], _NAMES, 0.25)
    times = [0.0, 0.04, 0.5, 0.54, 3.0]
    for pts in times:
        annotator.take(result(frame(camera_id="a", pts=pts, picture=plain(640, 360))))
    annotator.take(result(frame(camera_id="b", pts=1.0, picture=plain(320, 240))))
    annotator.close()

    own, images = _played(tmp_path / "out" / "a.mp4")
    assert own == pytest.approx(times, abs=1e-4)
    assert images[0].shape == (360, 640, 3)
    _, images = _played(tmp_path / "out" / "b.mp4")
    assert [image.shape for image in images] == [(480, 640, 3)]


def test_the_video_shows_the_counts_so_far(tmp_path: Path) -> None:
    lined = camera("a", lines={"gate": ((0.1, 0.5), (0.9, 0.5))})
    annotator = Annotator(tmp_path, [lined], _NAMES, 0.25)
    of = [frame(index, picture=plain(640, 360)) for index in range(3)]
    annotator.take(result(of[0]))
    with_crossing = replace(result(of[1]), crossings=[Crossing("gate", 1, "in", 0.04)])
    annotator.take(with_crossing)
    annotator.take(result(of[2]))
    annotator.close()

    _, (before, at, after) = _played(tmp_path / "a.mp4")
    change = np.abs(at.astype(int) - before).max()
    assert change > 100
    assert np.abs(after.astype(int) - at).max() < change / 2


def test_a_change_of_resolution_does_not_end_the_video(tmp_path: Path) -> None:
    annotator = Annotator(tmp_path, [camera("a")], _NAMES, 0.25)
    for index, (width, height) in enumerate([(640, 360), (800, 600), (641, 361)]):
        annotator.take(result(frame(index, picture=plain(width, height))))
    annotator.close()

    times, images = _played(tmp_path / "a.mp4")
    assert len(times) == 3
    assert {image.shape for image in images} == {(360, 640, 3)}


def test_a_camera_without_frames_gets_no_video(tmp_path: Path) -> None:
    Annotator(tmp_path, [camera("a")], _NAMES, 0.25).close()

    assert list(tmp_path.iterdir()) == []
