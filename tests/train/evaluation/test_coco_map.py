import math

import numpy as np
import pytest

from streetloop.types import Detections
from train.evaluation.coco_map import coco_map


def boxes(*rows: tuple[float, float, float, float, int, float]) -> Detections:
    values = np.array(rows, np.float32).reshape(-1, 6)
    return Detections(values[:, :4], values[:, 5], values[:, 4].astype(np.int64))


TRUTH = [boxes((0, 0, 10, 10, 0, 1), (20, 20, 40, 40, 1, 1)), boxes((5, 5, 25, 25, 0, 1))]


def test_the_truth_scores_one() -> None:
    score = coco_map(TRUTH, TRUTH)
    assert (score.map50_95, score.map50) == pytest.approx((1.0, 1.0))


def test_a_missed_class_costs_its_share() -> None:
    found = [TRUTH[0].take(np.array([0])), TRUTH[1]]
    assert coco_map(TRUTH, found).map50 == pytest.approx(0.5)


def test_a_box_with_half_the_overlap_counts_at_50_and_not_above() -> None:
    found = [boxes((0, 0, 10, 5.2, 0, 0.9))]
    score = coco_map([boxes((0, 0, 10, 10, 0, 1))], found)
    assert score.map50 == pytest.approx(1.0)
    assert score.map50_95 == pytest.approx(0.1)


def test_nothing_found_scores_zero_and_nothing_true_has_no_score() -> None:
    nothing = [Detections.empty(), Detections.empty()]
    assert coco_map(TRUTH, nothing).map50 == 0
    assert math.isnan(coco_map(nothing, TRUTH).map50)


def test_images_have_to_match() -> None:
    with pytest.raises(ValueError, match="2 images of truth, 1 of detections"):
        coco_map(TRUTH, TRUTH[:1])
