"""Unsure boxes, flickering tracks, and models that disagree."""

import itertools
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from labeling.scoring import (
    Band,
    Bands,
    FlickerWatch,
    attention,
    disagreement,
    uncertainty,
    unmatched_weights,
)
from streetloop.types import UNCONFIRMED, Detections, Tracked

NAMES = ("car", "bus", "person")


def seen(*boxes: tuple[str, float]) -> Detections:
    return Detections(
        np.tile(np.array([0, 0, 9, 9], np.float32), (len(boxes), 1)),
        np.array([confidence for _, confidence in boxes], np.float32),
        np.array([NAMES.index(name) for name, _ in boxes], np.int64),
    )


@pytest.mark.parametrize(
    ("confidence", "expected"),
    [
        (0.0, 0),
        (0.2, 0),
        (0.25, 0),
        (0.3375, 0.25),
        (0.425, 0.5),
        (0.5125, 0.25),
        (0.6, 0),
        (0.61, 0),
        (1.0, 0),
    ],
)
def test_a_box_counts_most_in_the_middle_of_the_band_and_not_at_its_edges(
    confidence: float, expected: float
) -> None:
    assert uncertainty(seen(("car", confidence)), NAMES) == pytest.approx(expected, abs=1e-6)


def test_nothing_seen_is_nothing_unsure() -> None:
    assert uncertainty(Detections.empty(), NAMES) == 0
    assert attention(Detections.empty(), NAMES).shape == (0,)


def test_several_boxes_add_up_as_chances_do() -> None:
    middle = ("car", 0.425)
    scores = [uncertainty(seen(*[middle] * count), NAMES) for count in range(5)]
    assert scores == pytest.approx([0, 0.5, 0.75, 0.875, 0.9375])


def test_each_class_has_its_own_band_and_weight() -> None:
    bands = Bands(Band(weight=0.5), {"bus": Band(0.4, 0.8, 2.0), "person": Band(weight=0.0)})
    sight = seen(("car", 0.425), ("bus", 0.425), ("bus", 0.6), ("person", 0.425))
    assert attention(sight, NAMES, bands) == pytest.approx([0.5, 0.25, 2.0, 0], abs=1e-5)
    assert uncertainty(seen(("bus", 0.6)), NAMES, bands) == pytest.approx(1.0)
    assert uncertainty(seen(("person", 0.425)), NAMES, bands) == 0


@given(st.lists(st.tuples(st.sampled_from(NAMES), st.floats(0, 1)), max_size=12), st.floats(0, 9))
def test_a_score_is_between_0_and_1_and_another_box_never_lowers_it(
    boxes: list[tuple[str, float]], weight: float
) -> None:
    bands = Bands(Band(weight=weight))
    scores = [uncertainty(seen(*boxes[:k]), NAMES, bands) for k in range(len(boxes) + 1)]
    assert all(0 <= score <= 1 for score in scores)
    assert all(b >= a - 1e-9 for a, b in itertools.pairwise(scores))


@pytest.mark.parametrize(
    ("low", "high", "weight"), [(0.6, 0.25, 1), (0.4, 0.4, 1), (-0.1, 0.5, 1), (0.5, 1.1, 1), (0.2, 0.5, -1)]
)
def test_a_band_that_is_none_is_refused(low: float, high: float, weight: float) -> None:
    with pytest.raises(ValueError, match="a band goes from low to high"):
        Band(low, high, weight)


# Two models


def boxed(*boxes: tuple[str, float, int]) -> Detections:
    """Class, confidence and place: places are apart."""
    return Detections(
        np.array([(20 * at, 0, 20 * at + 10, 10) for _, _, at in boxes], np.float32).reshape(-1, 4),
        np.array([confidence for _, confidence, _ in boxes], np.float32),
        np.array([NAMES.index(name) for name, _, _ in boxes], np.int64),
    )


CAR = ("car", 0.9, 0)


@pytest.mark.parametrize(
    ("ours", "theirs", "expected"),
    [
        ([CAR], [CAR], 0),
        ([CAR], [("car", 0.3, 0)], 0),  # both see it
        ([CAR], [], 0.5),
        ([CAR], [("car", 0.9, 1)], 0.75),  # each sees what the other does not
        ([CAR], [("bus", 0.9, 0)], 0.75),
        ([CAR], [("bus", 0.25, 0)], 0.5),
        ([CAR, ("bus", 0.9, 1)], [], 0.75),
        ([CAR, ("bus", 0.9, 1), ("person", 0.9, 2)], [], 0.875),
        ([("car", 0.425, 0)], [], 0.25),  # half sure
        ([("car", 0.25, 0)], [], 0),
        ([("car", 0.1, 0), ("bus", 0.2, 1)], [("person", 0.05, 3)], 0),
    ],
)
def test_boxes_that_one_model_is_sure_of_and_the_other_does_not_have_count(
    ours: list[tuple[str, float, int]], theirs: list[tuple[str, float, int]], expected: float
) -> None:
    assert disagreement(boxed(*ours), boxed(*theirs), NAMES) == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize(("shift", "expected"), [(3, 0), (3.33, 0), (3.34, 0.75), (5, 0.75)])
def test_boxes_are_of_one_thing_from_an_iou_of_half_on(shift: float, expected: float) -> None:
    ours = boxed(CAR)
    moved = Detections(ours.xyxy + np.array([shift, 0] * 2, np.float32), ours.confidence, ours.class_id)
    assert disagreement(ours, moved, NAMES) == pytest.approx(expected)


def test_each_class_has_its_own_band_and_weight_here_too() -> None:
    bands = Bands(Band(weight=0.5), {"bus": Band(0.4, 0.8, 2.0), "person": Band(weight=0.0)})
    sight = boxed(("car", 0.9, 0), ("bus", 0.6, 1), ("bus", 0.9, 2), ("person", 0.9, 3))
    counts = unmatched_weights(sight, Detections.empty(), NAMES, bands)
    assert counts == pytest.approx([0.5, 1.0, 2.0, 0.0], abs=1e-5)


def test_a_box_without_area_is_no_disagreement() -> None:
    flat = Detections(
        np.array([[5, 5, 5, 9], [9, 9, 7, 7]], np.float32),
        np.array([0.9, 0.9], np.float32),
        np.array([0, 1], np.int64),
    )
    assert disagreement(flat, Detections.empty(), NAMES) == 0
    assert disagreement(flat, boxed(CAR), NAMES) == pytest.approx(0.5)


SIGHTS = st.lists(st.tuples(st.sampled_from(NAMES), st.floats(0, 1, width=32), st.integers(0, 5)), max_size=8)


@given(SIGHTS, SIGHTS, st.floats(0, 9))
def test_disagreement_is_a_share_and_the_same_from_either_side(
    ours: list[tuple[str, float, int]], theirs: list[tuple[str, float, int]], weight: float
) -> None:
    bands = Bands(Band(weight=weight))
    score = disagreement(boxed(*ours), boxed(*theirs), NAMES, bands)
    assert 0 <= score <= 1
    assert score == pytest.approx(disagreement(boxed(*theirs), boxed(*ours), NAMES, bands))


@given(SIGHTS)
def test_who_sees_the_same_does_not_disagree(sight: list[tuple[str, float, int]]) -> None:
    assert disagreement(boxed(*sight), boxed(*reversed(sight)), NAMES) == 0


@given(SIGHTS, SIGHTS, st.sampled_from(NAMES), st.floats(0.375, 1, width=32))
def test_another_box_that_the_other_does_not_have_adds_to_it(
    ours: list[tuple[str, float, int]], theirs: list[tuple[str, float, int]], name: str, confidence: float
) -> None:
    before = disagreement(boxed(*ours), boxed(*theirs), NAMES)
    lonely = (name, confidence, 9)
    for more in (
        disagreement(boxed(*ours, lonely), boxed(*theirs), NAMES),
        disagreement(boxed(*ours), boxed(*theirs, lonely), NAMES),
    ):
        assert more >= before - 1e-12
        assert more > before or before > 1 - 1e-6


# Flicker


def tracked(*tracks: tuple[int, str]) -> Tracked:
    return Tracked(seen(*[(name, 0.9) for _, name in tracks]), np.array([i for i, _ in tracks]))


def scores(frames: Sequence[Tracked], apart_s: float = 0.1, watch: FlickerWatch | None = None) -> list[float]:
    watch = watch or FlickerWatch()
    return [watch.score(k * apart_s, frame) for k, frame in enumerate(frames)]


def test_a_thing_that_stays_what_it_is_does_not_flicker() -> None:
    assert scores([tracked((1, "car"), (2, "bus"))] * 50) == [0] * 50


def test_one_change_is_a_correction_and_more_are_flicker() -> None:
    names = ["car", "bus", "car", "bus", "car", "bus"]
    found = scores([tracked((1, name)) for name in names])
    assert found == pytest.approx([0, 0, 1 / 3, 2 / 3, 1, 1])


def test_changes_of_different_tracks_do_not_add_up() -> None:
    assert scores([tracked((1, "car"), (2, "car")), tracked((1, "bus"), (2, "bus"))])[-1] == 0


def test_changes_are_forgotten_after_a_while() -> None:
    watch = FlickerWatch(memory_s=3.0)
    for k, name in enumerate(["car", "bus", "car"]):
        watch.score(k * 0.1, tracked((1, name)))
    quiet = [watch.score(0.2 + k * 0.1, tracked((1, "car"))) for k in range(40)]
    assert quiet[0] > 0
    assert quiet[-1] == 0


def test_a_thing_that_is_lost_and_found_flickers() -> None:
    here, gone = [tracked((1, "car"))] * 2, [tracked()] * 3
    found = scores([*here, *gone, *here, *gone, *here, *gone, *here])
    assert found[:7] == [0] * 7, "lost once is no flicker"
    assert found[10] == pytest.approx(1 / 3)
    assert found[-1] == pytest.approx(2 / 3)


def test_a_short_absence_says_nothing() -> None:
    assert scores([tracked((1, "car")), tracked()] * 10, apart_s=0.1) == [0] * 20


@pytest.mark.parametrize("apart_s", [0.1, 0.25, 0.5, 2.0])
def test_frames_that_nobody_looked_at_are_no_absence(apart_s: float) -> None:
    # A loaded machine sees two frames a second, the gate leaves out seconds of a still street.
    assert scores([tracked((1, "car"))] * 20, apart_s) == [0] * 20


def test_an_id_that_is_gone_is_forgotten() -> None:
    watch = FlickerWatch(memory_s=3.0)
    for k, name in enumerate(["car", "bus", "car", "bus"]):
        watch.score(k * 0.1, tracked((1, name)))
    watch.score(5.0, tracked())
    assert watch._tracks == {}
    assert watch.score(5.1, tracked((1, "car"))) == 0


def test_what_is_not_confirmed_does_not_flicker() -> None:
    names = ["car", "bus"] * 5
    assert scores([tracked((UNCONFIRMED, name)) for name in names]) == [0] * 10


def test_all_toggles_are_counted() -> None:
    watch = FlickerWatch()
    scores([tracked((1, name), (2, name)) for name in ("car", "bus", "bus", "car")], 0.1, watch)
    assert watch.toggles == 4
