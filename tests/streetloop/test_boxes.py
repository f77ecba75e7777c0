import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from streetloop.boxes import area, common_area, iou


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
