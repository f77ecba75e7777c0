"""Against frames made by hand."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from serve.rollout.statistics.detection_counts import DetectionCounts, count_detections, total
from serve.rollout.statistics.evidence import EVERYTHING
from streetloop.types import Detections
from tests.support.stream_flow.build import found

NAMES = ("car", "bus")
NOTHING = Detections.empty()
A, B, C = (0, 0, 10, 10), (20, 0, 30, 10), (40, 0, 50, 10)

counts = st.integers(0, 1000)
detection_counts = st.builds(DetectionCounts, counts, counts, counts)


def test_what_is_found_missed_and_made_up_is_counted() -> None:
    counted = count_detections(found(A, B), NOTHING, found(A, C), NAMES)
    assert counted == {EVERYTHING: DetectionCounts(1, 1, 2), "class:car": DetectionCounts(1, 1, 2)}
    assert counted[EVERYTHING].f1 == 0.5


def test_a_thing_of_another_class_is_both_missed_and_made_up() -> None:
    counted = count_detections(found(A), NOTHING, found(A, class_id=1), NAMES)
    assert counted["class:car"] == DetectionCounts(0, 0, 1)
    assert counted["class:bus"] == DetectionCounts(0, 1, 0)
    assert counted[EVERYTHING] == DetectionCounts(0, 1, 1)


def test_one_thing_is_found_once() -> None:
    assert count_detections(found(A), NOTHING, found(A, A), NAMES)[EVERYTHING] == DetectionCounts(1, 1, 1)


@pytest.mark.parametrize(("moved", "true_positives"), [(3.0, 1), (4.0, 0)])
def test_a_box_that_covers_half_is_a_true_positive(moved: float, true_positives: int) -> None:
    # Moved by 3 of 10 the boxes share 7 of 13, by 4 they share 6 of 14.
    counted = count_detections(found(A), NOTHING, found((moved, 0, 10 + moved, 10)), NAMES)
    assert counted[EVERYTHING] == DetectionCounts(true_positives, 1 - true_positives, 1)


def test_what_may_be_found_or_missed_does_not_count() -> None:
    for seen in (NOTHING, found(C)):
        assert count_detections(NOTHING, found(C), seen, NAMES)[EVERYTHING].f1 == 1.0


def test_an_empty_road_that_is_seen_empty_is_perfect_and_empty() -> None:
    counted = count_detections(NOTHING, NOTHING, NOTHING, NAMES)
    assert set(counted) == {EVERYTHING}
    assert counted[EVERYTHING].is_empty
    assert counted[EVERYTHING].f1 == 1.0


@given(detection_counts, detection_counts)
def test_scores_lie_between_none_and_all(one: DetectionCounts, other: DetectionCounts) -> None:
    both = total({"a": one, "b": other})
    assert both == one + other
    # As `count_detections` makes them, no more is right than is there.
    if both.true_positives <= both.ground_truths:
        assert 0 <= both.f1 <= 1
