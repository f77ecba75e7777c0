import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from streetloop.boxes import area, boxes_from_json, boxes_to_json, common_area, iou, to_boxes, to_detections
from streetloop.types import Detections
from tests.support.stream_flow.build import found


def boxes(*rows: tuple[float, float, float, float]) -> NDArray[np.float32]:
    return np.array(rows, np.float32).reshape(-1, 4)


def test_every_pair_is_compared() -> None:
    one = boxes((0, 0, 10, 10), (20, 20, 30, 40))
    other = boxes((0, 0, 10, 10), (5, 0, 15, 10), (100, 100, 110, 110))
    assert iou(one, other) == pytest.approx(np.array([[1, 1 / 3, 0], [0, 0, 0]]))
    assert common_area(one, other).tolist() == [[100, 50, 0], [0, 0, 0]]
    assert area(one).tolist() == [100, 200]


@pytest.mark.parametrize(("rows", "columns"), [(0, 0), (0, 2), (2, 0)])
def test_none_on_a_side(rows: int, columns: int) -> None:
    box = (0.0, 0.0, 1.0, 1.0)
    assert iou(boxes(*[box] * rows), boxes(*[box] * columns)).shape == (rows, columns)


def test_boxes_without_an_area_share_nothing() -> None:
    assert iou(boxes((3, 3, 3, 3)), boxes((3, 3, 3, 3))).tolist() == [[0]]


CORNER = st.tuples(st.floats(0, 4000, width=32), st.floats(0, 4000, width=32))
SIZE = st.tuples(st.floats(0, 500, width=32), st.floats(0, 500, width=32))
BOX = st.builds(lambda at, size: boxes((*at, at[0] + size[0], at[1] + size[1])), CORNER, SIZE)


@given(BOX, BOX)
def test_symmetric_and_between_0_and_1(one: NDArray[np.float32], other: NDArray[np.float32]) -> None:
    assert iou(one, other) == pytest.approx(iou(other, one).T)
    assert 0 <= float(iou(one, other)[0, 0]) <= 1 + 1e-9


def test_arrays_become_values_and_come_back_to_a_tenth_of_a_pixel() -> None:
    arrays = found((0.04, 10.26, 639.99, 359.5), (1, 2, 3, 4), confidence=[0.123456, 1.0], class_id=3)
    back = to_detections(to_boxes(arrays))
    np.testing.assert_allclose(back.xyxy, arrays.xyxy, atol=0.051)
    np.testing.assert_allclose(back.confidence, arrays.confidence, atol=1e-4)
    np.testing.assert_array_equal(back.class_id, arrays.class_id)
    assert to_boxes(Detections.empty()) == ()
    assert to_detections(()).xyxy.shape == (0, 4)


@given(st.lists(st.tuples(*[st.floats(-9999, 9999, width=32)] * 4), max_size=5))
def test_values_are_rounded_once(rows: list[tuple[float, float, float, float]]) -> None:
    values = to_boxes(found(*rows)) if rows else ()
    assert boxes_from_json(json.loads(json.dumps(boxes_to_json(values)))) == values
    assert to_boxes(to_detections(values)) == values


def test_what_may_be_missed_is_marked() -> None:
    (box,) = to_boxes(found((1, 2, 3, 4)), ignored=True)
    assert (box.xyxy, box.ignored) == ((1.0, 2.0, 3.0, 4.0), True)
