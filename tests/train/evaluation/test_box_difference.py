import numpy as np
import pytest

from streetloop.types import Detections
from train.evaluation.box_difference import box_difference


def found(*boxes: tuple[float, float, float, float, int]) -> Detections:
    """Boxes as (left, top, confidence, side, class)."""
    return Detections(
        np.array([(x, y, x + side, y + side) for x, y, _, side, _ in boxes], np.float32).reshape(-1, 4),
        np.array([confidence for _, _, confidence, _, _ in boxes], np.float32),
        np.array([k for *_, k in boxes], np.int64),
    )


CAR = (10.0, 10.0, 0.9, 100.0, 0)


def test_shift_and_confidence_of_what_both_find() -> None:
    difference = box_difference([(found(CAR), found((12.0, 10.0, 0.8, 100.0, 0)))])
    assert (difference.boxes, difference.missed, difference.added) == (1, 0, 0)
    assert difference.pixels == pytest.approx(1.0), "two of four edges moved by two pixels"
    assert difference.confidence == pytest.approx(0.1, abs=1e-4)
    assert difference.agreement == 1


def test_what_one_of_them_finds_alone_is_counted_over_all_pictures() -> None:
    far = (500.0, 500.0, 0.5, 50.0, 0)
    difference = box_difference([(found(CAR, far), found(CAR)), (found(), found(far)), (found(), found())])
    assert (difference.boxes, difference.missed, difference.added) == (2, 1, 1)
    assert difference.agreement == pytest.approx(0.5)


def test_another_class_is_another_box() -> None:
    difference = box_difference([(found(CAR), found((*CAR[:4], 1)))])
    assert (difference.missed, difference.added) == (1, 1)
    assert difference.pixels is None
    assert difference.confidence is None


def test_one_box_is_the_match_of_one_only() -> None:
    near = (12.0, 10.0, 0.6, 100.0, 0)
    difference = box_difference([(found(near, CAR), found(CAR))])
    assert difference.missed == 1
    assert difference.pixels == 0, "the more confident one takes it"


def test_two_that_find_nothing_agree() -> None:
    assert box_difference([(found(), found())]).agreement == 1
