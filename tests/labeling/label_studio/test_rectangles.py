"""Boxes to percent and back, and what is not a box."""

import json
import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from labeling.label_studio.config import RectangleControl
from labeling.label_studio.rectangles import MAX_BOXES, Unusable, prediction_score, read_boxes, to_results
from streetloop.types import Detections

CLASSES = ("car", "bus")
CONTROL = RectangleControl("label", "image", {"car": "car", "bus": "bus"})
IDS = {"car": 0, "bus": 1}


def detections(xyxy: list[list[float]], confidence: float = 0.5) -> Detections:
    count = len(xyxy)
    return Detections(
        np.array(xyxy, np.float32).reshape(-1, 4),
        np.full(count, confidence, np.float32),
        np.arange(count, dtype=np.int64) % 2,
    )


@st.composite
def pictures(draw: st.DrawFn) -> tuple[int, int, list[list[float]]]:
    width, height = draw(st.integers(8, 8192)), draw(st.integers(8, 8192))
    boxes = []
    for _ in range(draw(st.integers(0, 6))):
        left = draw(st.floats(0, width - 2))
        top = draw(st.floats(0, height - 2))
        right = draw(st.floats(left + 1, width))
        bottom = draw(st.floats(top + 1, height))
        boxes.append([left, top, right, bottom])
    return width, height, boxes


@given(pictures())
def test_round_trip_within_half_a_pixel(picture: tuple[int, int, list[list[float]]]) -> None:
    width, height, boxes = picture
    given = detections(boxes)
    sent = json.loads(json.dumps(to_results(given, CLASSES, CONTROL, width, height, "p")))
    back = read_boxes(sent, IDS, width, height)
    np.testing.assert_allclose(back.xyxy, given.xyxy, atol=0.01)
    assert back.class_id.tolist() == given.class_id.tolist()
    assert back.confidence.tolist() == [1.0] * len(boxes)
    assert (back.xyxy.dtype, back.class_id.dtype) == (np.float32, np.int64)


def test_what_is_not_a_box_in_the_image_is_not_sent() -> None:
    odd = [[-9, 0, -1, 5], [5, 5, 5, 9], [math.nan, 0, 5, 5], [math.nan] * 4, [0, 0, math.inf, 9]]
    sent = to_results(detections([*odd, [-5, -5, 500, 500]], math.nan), CLASSES, CONTROL, 100, 100, "p")
    assert [result["id"] for result in sent] == ["p-2", "p-4", "p-5"]
    assert sent[-1]["value"] | {"rectanglelabels": 0} == {
        "x": 0,
        "y": 0,
        "width": 100,
        "height": 100,
        "rotation": 0,
        "rectanglelabels": 0,
    }
    assert sent[0]["score"] == 0
    json.dumps(sent, allow_nan=False)


def test_a_class_is_called_as_the_interface_calls_it() -> None:
    bus = Detections(np.array([[0, 0, 9, 9]], np.float32), np.ones(1, np.float32), np.array([1]))
    aliased = RectangleControl("label", "image", {"person": "person", "bus": "omnibus"})
    (sent,) = to_results(bus, ("person", "bus"), aliased, 100, 100, "p")
    assert sent["value"]["rectanglelabels"] == ["omnibus"]


def test_score_of_a_prediction() -> None:
    assert prediction_score(Detections.empty()) == 0
    assert prediction_score(detections([[0, 0, 9, 9]] * 3, 0.25)) == 0.25
    assert prediction_score(detections([[0, 0, 9, 9]], math.nan)) == 0


def result(kind: str = "rectanglelabels", **value: Any) -> dict[str, Any]:
    whole = {"x": 10, "y": 10, "width": 20, "height": 20, "rotation": 0, "rectanglelabels": ["car"]}
    return {"type": kind, "image_rotation": 0, "value": whole | value}


def test_edges_are_cut_and_remarks_ignored() -> None:
    remarks = [{"type": "choices"}, {"type": "relation"}, result("textarea", text=["?"])]
    back = read_boxes([*remarks, result(x=-10, y=90, rectanglelabels=["bus"])], IDS, 200, 100)
    assert back.xyxy.tolist() == [[0, 90, 20, 100]]
    assert back.class_id.tolist() == [1]
    assert len(read_boxes([], IDS, 200, 100)) == 0


@pytest.mark.parametrize(
    ("drawn", "box"),
    [
        ({"x": 30, "width": -20}, (20, 10, 60, 30)),
        ({"y": 30, "height": -20}, (20, 10, 60, 30)),
        ({"x": 30, "width": -20, "y": 30, "height": -20}, (20, 10, 60, 30)),
        ({"x": 5, "width": -20}, (0, 10, 10, 30)),
        ({"rotation": 360}, (20, 10, 60, 30)),
        ({"rotation": -360}, (20, 10, 60, 30)),
        ({"rotation": 1e-9}, (20, 10, 60, 30)),
        ({"rotation": None}, (20, 10, 60, 30)),
        ({"rotation": 720.0000001}, (20, 10, 60, 30)),
    ],
)
def test_however_it_was_drawn_it_is_the_same_box(drawn: dict[str, Any], box: tuple[float, ...]) -> None:
    """Of an image of 200 x 100 pixels, in which 40 x 20 are drawn at (20, 10)."""
    back = read_boxes([result(**drawn)], IDS, 200, 100)
    np.testing.assert_allclose(back.xyxy, [box], atol=1e-3)
    np.testing.assert_allclose(read_boxes([result(**drawn)], IDS, 200, 100).xyxy, back.xyxy)


@pytest.mark.parametrize("angle", [30, -330, 390])
def test_of_a_rotated_box_the_upright_one_around_it_is_read(angle: float) -> None:
    """40 x 20 pixels, turned by 30 degrees about (60, 20): sides of 44.64 and 37.32 pixels."""
    back = read_boxes([result(x=30, y=20, rotation=angle)], IDS, 200, 100)
    np.testing.assert_allclose(back.xyxy, [(50, 20, 94.641, 57.3205)], atol=1e-3)


def test_a_quarter_turn_of_a_box_drawn_backwards() -> None:
    turned = result(x=50, y=50, width=-20, height=-20, rotation=90)
    np.testing.assert_allclose(read_boxes([turned], IDS, 200, 100).xyxy, [(100, 10, 120, 50)], atol=1e-3)


@pytest.mark.parametrize(
    ("odd", "says"),
    [
        (result("polygonlabels"), "polygonlabels"),
        (result("brushlabels"), "brushlabels"),
        (result("rectangle"), "'rectangle' is not a labeled"),
        ({"type": ["x"] * 100}, "is not a labeled"),
        ({}, "None is not"),
        ({"type": "rectanglelabels"}, "no value"),
        (result(rotation="30"), "rotation is not a number"),
        (result(rotation=math.inf), "bounds"),
        (result() | {"image_rotation": 90}, "the image was rotated"),
        (result(rectanglelabels=[]), "no class"),
        (result(rectanglelabels=["car", "bus"]), "no class"),
        (result(rectanglelabels="car"), "no class"),
        (result(rectanglelabels=[{}]), "none of the labeling interface"),
        (result(rectanglelabels=["z" * 1000]), "none of the labeling interface"),
        (result(x=100.5), "outside"),
        (result(y=-21), "outside"),
        (result(width=0), "no area"),
        (result(height=0.0), "no area"),
        (result(x="10"), "x is not a number"),
        (result(x=None), "x is not a number"),
        (result(width=True), "width is not a number"),
        (result(x=math.nan), "bounds"),
        (result(width=1e300), "bounds"),
        (result(width=10**400), "bounds"),
        ("text", "not an object"),
    ],
)
def test_what_is_not_a_box(odd: Any, says: str) -> None:
    with pytest.raises(Unusable, match=says) as caught:
        read_boxes([result(), odd], IDS, 200, 100)
    assert len(str(caught.value)) < 150


@pytest.mark.parametrize("whole", [None, {}, "[]", [result()] * (MAX_BOXES + 1)])
def test_what_is_not_a_list_of_results(whole: Any) -> None:
    with pytest.raises(Unusable, match="not a list of at most"):
        read_boxes(whole, IDS, 200, 100)
