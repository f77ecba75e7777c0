import numpy as np
import pytest
from numpy.typing import NDArray

from streetloop.types import ArrayPicture, Detections


def three() -> Detections:
    return Detections(
        np.arange(12, dtype=np.float32).reshape(3, 4),
        np.array([0.9, 0.6, 0.3], np.float32),
        np.array([2, 0, 1], np.int64),
    )


def test_empty_detections_have_the_shapes_and_types_of_full_ones() -> None:
    empty, full = Detections.empty(), three()
    assert len(empty) == 0
    assert empty.xyxy.shape == (0, 4)
    for ours, theirs in (
        (empty.xyxy, full.xyxy),
        (empty.confidence, full.confidence),
        (empty.class_id, full.class_id),
    ):
        assert len(ours) == 0
        assert ours.dtype == theirs.dtype


@pytest.mark.parametrize(
    ("index", "expected"),
    [
        (np.array([2, 0], np.intp), [1, 2]),
        (np.array([True, False, True]), [2, 1]),
        (np.array([], np.intp), []),
        (np.zeros(3, bool), []),
    ],
    ids=["positions", "mask", "no positions", "empty mask"],
)
def test_take_picks_the_same_rows_of_every_column(
    index: NDArray[np.intp] | NDArray[np.bool_], expected: list[int]
) -> None:
    source = three()
    taken = source.take(index)
    assert taken.class_id.tolist() == expected
    assert taken.xyxy.shape == (len(expected), 4)
    for row, class_id in enumerate(expected):
        place = source.class_id.tolist().index(class_id)
        assert taken.xyxy[row].tolist() == source.xyxy[place].tolist()
        assert taken.confidence[row] == source.confidence[place]


def test_nothing_can_be_taken_of_nothing() -> None:
    assert len(Detections.empty().take(np.zeros(0, bool))) == 0


def test_an_array_is_a_picture_of_its_own_size() -> None:
    pixels = np.zeros((20, 30, 3), np.uint8)
    pixels[5, 7] = (10, 200, 30)
    picture = ArrayPicture(pixels)
    assert (picture.width, picture.height) == (30, 20)
    assert picture.bgr()[5, 7].tolist() == [10, 200, 30]
    assert picture.luma().shape == (20, 30)
    assert picture.luma()[5, 7] > picture.luma()[0, 0]
