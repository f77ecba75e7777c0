import numpy as np
import pytest

from flows.stream.analysis.camera_analysis import CameraAnalysis
from flows.stream.analysis.results import Result
from streetloop.cameras.camera_file import parse_camera
from streetloop.cameras.zones import Line
from streetloop.settings import Settings, read_settings
from streetloop.types import UNCONFIRMED, ArrayPicture, Detections
from tests.support.stream_flow.build import camera, found, frame, plain

_WIDTH, _HEIGHT = 400, 300
_PICTURE = plain(_WIDTH, _HEIGHT)
# Seen from its first point, at the bottom, the left of this line is the left of the image.
_GATE: dict[str, Line] = {"gate": ((0.5, 1.0), (0.5, 0.0))}


def _analysis(lines: dict[str, Line] | None = None, generation: int = 0) -> CameraAnalysis:
    return CameraAnalysis(camera(lines=lines), Settings(), generation)


def _see(analysis: CameraAnalysis, index: int, detections: Detections) -> Result:
    return analysis.update(frame(index, picture=_PICTURE), detections, "model-1")


def _directions(analysis: CameraAnalysis) -> dict[str, dict[str, int]]:
    return {name: totals.directions() for name, totals in analysis.line_totals().items()}


def _car(x: float, y: float = 100.0) -> tuple[float, float, float, float]:
    return (x, y, x + 60, y + 50)


def _drive(analysis: CameraAnalysis, start: float, step: float, frames: int = 20) -> list[Result]:
    return [_see(analysis, i, found(_car(start + step * i))) for i in range(frames)]


def test_boxes_are_not_converted_again() -> None:
    # `Batch.to_source` has made them boxes in pixels of the frame.
    picture = ArrayPicture(np.zeros((600, 800, 3), np.uint8))
    result = _analysis().update(frame(picture=picture), found((200, 100, 400, 200)), "model-1")

    assert result.tracked.detections.xyxy.tolist() == [[200, 100, 400, 200]]


def test_a_result_names_its_frame_and_model() -> None:
    of = frame(5, picture=_PICTURE)
    result = _analysis().update(of, found(_car(10), class_id=3), "model-7")

    assert result.frame is of
    assert result.model_version == "model-7"
    assert result.tracked.detections.class_id.tolist() == [3]
    assert result.crossings == []


def test_an_object_is_counted_once_when_its_track_is_confirmed() -> None:
    analysis = _analysis()
    counts = []
    for index in range(10):
        _see(analysis, index, found(_car(10), _car(200)))
        counts.append(analysis.objects)

    assert counts == [0, *[2] * 9]


def test_a_weak_detection_is_reported_only_with_a_confirmed_track() -> None:
    analysis = _analysis()
    for index in range(3):
        _see(analysis, index, found(_car(10)))
    result = _see(analysis, 3, found(_car(10), _car(200), _car(300), confidence=[0.15, 0.2, 0.3]))

    assert result.tracked.detections.confidence.tolist() == pytest.approx([0.15, 0.3])
    assert result.tracked.track_id.tolist() == [1, UNCONFIRMED]


def test_a_crossing_is_reported_with_its_frame_and_counted() -> None:
    analysis = _analysis(_GATE)
    results = _drive(analysis, start=100, step=10)
    crossings = [(r.frame.frame_id, c) for r in results for c in r.crossings]

    assert len(crossings) == 1
    frame_id, crossing = crossings[0]
    assert (crossing.line, crossing.track_id, crossing.direction) == ("gate", 1, "in")
    assert crossing.pts == results[frame_id].frame.pts
    # The middle of the box is past the middle of the picture from the eighth frame on.
    assert frame_id == 8
    assert _directions(analysis) == {"gate": {"in": 1, "out": 0}}


def test_lines_count_independently() -> None:
    lines: dict[str, Line] = {**_GATE, "back": ((0.5, 0.0), (0.5, 1.0)), "far": ((0.98, 1.0), (0.98, 0.0))}
    analysis = _analysis(lines)
    _drive(analysis, start=100, step=10)

    assert _directions(analysis) == {
        "gate": {"in": 1, "out": 0},
        "back": {"in": 0, "out": 1},
        "far": {"in": 0, "out": 0},
    }


def test_unconfirmed_tracks_cross_no_line() -> None:
    analysis = _analysis(_GATE)
    # Each box is too far from the one before to be the same object.
    for index, x in enumerate([40, 300, 40, 300, 40]):
        _see(analysis, index, found(_car(x)))

    assert _directions(analysis) == {"gate": {"in": 0, "out": 0}}


def test_moving_requires_a_confirmed_track_that_moves() -> None:
    driving, standing = _analysis(), _analysis()
    _drive(driving, start=10, step=8, frames=2)
    assert not driving.moving

    _drive(standing, start=10, step=0)
    driving = _analysis()
    _drive(driving, start=10, step=8)
    assert driving.moving
    assert not standing.moving


def test_generations_have_different_track_ids() -> None:
    ids = set()
    for generation in range(3):
        result = _drive(_analysis(generation=generation), start=10, step=0)[-1]
        ids.add(int(result.tracked.track_id[0]))

    assert len(ids) == 3


def test_frames_without_detections_give_results() -> None:
    analysis = _analysis(_GATE)
    result = _see(analysis, 0, Detections.empty())

    assert len(result.tracked.detections) == 0
    assert result.crossings == []
    assert analysis.objects == 0


_NAMES = ("person", "car", "bus", "truck")


def _counting(classes: object = None, lines: object = None, usual: object = None) -> CameraAnalysis:
    document = {"id": "a", "uri": "rtsp://10.0.0.1/a", "classes": classes, "lines": lines or {}}
    settings = read_settings(classes=usual)
    return CameraAnalysis(parse_camera(document), settings, 0, _NAMES)


def test_a_vehicle_that_two_classes_claim_is_one_object_and_one_crossing() -> None:
    analysis = _counting(lines={"gate": [[0.5, 1.0], [0.5, 0.0]]})
    for index in range(20):
        box = _car(100 + 10 * index)
        result = _see(analysis, index, found(box, box, confidence=[0.6, 0.8], class_id=[3, 1]))

    assert analysis.objects_by_class == {"car": 1}
    assert analysis.line_totals()["gate"].as_json() == {
        "in": 1,
        "out": 0,
        "by_class": {"car": {"in": 1, "out": 0}},
        "inferred": 0,
    }
    assert result.counted.tolist() == [False, True]
    assert result.tracked.track_id.tolist() == [UNCONFIRMED, 1]


def test_classes_that_are_not_counted_stay_in_the_result() -> None:
    analysis = _counting(classes=["car"])
    for index in range(5):
        result = _see(analysis, index, found(_car(10), _car(200), class_id=[1, 0]))

    assert result.counted.tolist() == [True, False]
    assert result.tracked.track_id.tolist() == [1, UNCONFIRMED]
    assert analysis.objects_by_class == {"car": 1}


def test_the_classes_of_the_camera_come_before_those_of_the_settings() -> None:
    plain_camera = _counting(classes={"vehicle": ["car", "bus"]}, usual=["person"])
    from_settings = _counting(usual=["person"])
    for index in range(5):
        for analysis in (plain_camera, from_settings):
            _see(analysis, index, found(_car(10), _car(200), class_id=[1, 0]))

    assert plain_camera.objects_by_class == {"vehicle": 1}
    assert from_settings.objects_by_class == {"person": 1}


def test_a_line_counts_its_own_classes() -> None:
    ends = [[0.5, 1.0], [0.5, 0.0]]
    lines = {"all": ends, "heavy": {"points": ends, "classes": {"heavy": ["bus", "truck"]}}}
    analysis = _counting(classes=["car", "truck"], lines=lines)
    for index in range(20):
        boxes = (_car(100 + 10 * index, 20), _car(100 + 10 * index, 200))
        _see(analysis, index, found(*boxes, class_id=[1, 3]))

    assert analysis.line_totals()["all"].by_class == {"car": {"in": 1}, "truck": {"in": 1}}
    assert analysis.line_totals()["heavy"].by_class == {"heavy": {"in": 1}}


def test_the_class_of_an_object_is_voted_not_that_of_the_last_frame() -> None:
    analysis = _counting()
    for index, class_id in enumerate([1, 1, 3, 1, 1, 3]):
        _see(analysis, index, found(_car(10), class_id=class_id))

    assert analysis.objects_by_class == {"car": 1}


def test_a_car_that_crosses_while_it_is_hidden_is_inferred() -> None:
    analysis = _counting(lines={"gate": [[0.5, 1.0], [0.5, 0.0]]})
    crossings = []
    for index in range(50):
        x = 20 + 6 * index
        hidden = 140 < x < 230
        result = _see(analysis, index, Detections.empty() if hidden else found(_car(x), class_id=1))
        crossings += result.crossings

    assert [(c.direction, c.class_name, c.inferred) for c in crossings] == [("in", "car", True)]


def test_a_car_that_crosses_before_it_is_confirmed_is_counted() -> None:
    analysis = _counting(lines={"gate": [[0.5, 1.0], [0.5, 0.0]]})
    for index, x in enumerate([150.0, 180.0, 210.0]):
        _see(analysis, index, found(_car(x), class_id=1, confidence=0.55))

    assert analysis.line_totals()["gate"].directions() == {"in": 1, "out": 0}


def test_a_class_that_the_model_lacks_is_a_fault() -> None:
    analysis = _counting(classes=["car", "tram"])
    assert analysis.faults == []
    _see(analysis, 0, Detections.empty())

    assert [(fault.kind, fault.text) for fault in analysis.faults] == [
        ("unknown_class", "camera 'a': classes: the model has no class 'tram'")
    ]


def test_objects_stay_counted_after_they_have_left() -> None:
    analysis = _counting()
    for index in range(5):
        _see(analysis, index, found(_car(10), class_id=1))
    for index in range(5, 200):
        _see(analysis, index, Detections.empty())
    for index in range(200, 205):
        _see(analysis, index, found(_car(200), class_id=2))

    assert analysis.objects_by_class == {"bus": 1, "car": 1}
    assert analysis.objects == 2


def test_a_swaying_mast_makes_no_new_objects_and_no_crossings() -> None:
    rng = np.random.default_rng(1)
    view = np.kron(rng.integers(0, 255, (24, 32, 1), np.uint8), np.ones((20, 20, 3), np.uint8))
    analysis = _analysis(lines={"kerb": [[0.0, 0.5], [1.0, 0.5]]})
    for index in range(120):
        x, y = (round(size * np.sin(speed * index)) for size, speed in ((12, 1.9), (9, 2.7)))
        swayed = ArrayPicture(np.roll(view, (y, x), axis=(0, 1)))
        boxes = [(40 * k + x, 232 + y, 40 * k + 14 + x, 243 + y) for k in range(1, 12)]  # parked at it
        result = analysis.update(frame(index, picture=swayed), found(*boxes), "model-1")
    assert result.tracked.detections.xyxy.tolist() == [list(map(float, box)) for box in boxes]
    assert analysis.objects == 11
    assert _directions(analysis) == {"kerb": {"in": 0, "out": 0}}
