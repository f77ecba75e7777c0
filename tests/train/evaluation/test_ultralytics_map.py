"""Ultralytics' mAP by hand; `test_real_scores` holds it against the library's validator."""

import math

import numpy as np
import pytest

from streetloop.types import Detections
from tests.train.evaluation.test_coco_map import boxes
from train.evaluation.ultralytics_map import average_precision, ultralytics_map

TRUTH = [boxes((0, 0, 10, 10, 0, 1)), boxes((5, 5, 40, 40, 1, 1))]


def test_what_is_found_exactly_has_all_but_the_last_step() -> None:
    score = ultralytics_map(TRUTH, TRUTH)
    assert (score.map50, score.map50_95) == (pytest.approx(0.995), pytest.approx(0.995))


def test_a_class_that_is_not_found_has_none() -> None:
    assert ultralytics_map(TRUTH, [TRUTH[0], Detections.empty()]).map50 == pytest.approx(0.995 / 2)


def test_the_curve_drops_where_a_false_box_stands_and_ends_at_0() -> None:
    """Precision 1 up to recall 0.5, then 2/3; the last of 101 points is 0, half a step of 2/3."""
    found = average_precision(np.array([True, False, True]), 2)
    drop, end = (1 - 2 / 3) / 2 / 100, (2 / 3) / 2 / 100
    assert found == pytest.approx((1 + 2 / 3) / 2 - drop - end)


def test_boxes_of_another_class_or_place_do_not_count() -> None:
    wrong = [boxes((0, 0, 10, 10, 1, 0.9)), boxes((50, 50, 90, 90, 1, 0.9))]
    assert ultralytics_map(TRUTH, wrong).map50 == 0


def test_without_objects_there_is_no_score() -> None:
    nothing: list[Detections] = [Detections.empty()]
    assert math.isnan(ultralytics_map(nothing, [TRUTH[0]]).map50)
    with pytest.raises(ValueError, match="zip"):
        ultralytics_map(TRUTH, nothing)
