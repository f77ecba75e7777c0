"""What labelers change, against examples computed by hand."""

import math
from collections import defaultdict

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from labeling.corrections import Corrections, corrections
from streetloop.types import Detections
from tests.support.stream_flow.build import found

CAR, BUS = 0, 1
NOTHING = Detections.empty()


def both(*parts: Detections) -> Detections:
    return Detections(
        np.concatenate([p.xyxy for p in parts]),
        np.concatenate([p.confidence for p in parts]),
        np.concatenate([p.class_id for p in parts]),
    )


def car(*box: float) -> Detections:
    return found(box, class_id=CAR)


def bus(*box: float) -> Detections:
    return found(box, class_id=BUS)


SQUARE = (0, 0, 100, 100)
NUDGED = (0, 0, 100, 95)  # IoU 0.95
MOVED = (0, 0, 100, 80)  # IoU 0.8
HALF = (0, 0, 100, 50)  # IoU 0.5
ELSEWHERE = (200, 0, 300, 100)


@pytest.mark.parametrize(
    ("model", "label", "want"),
    [
        (NOTHING, NOTHING, {}),
        (car(*SQUARE), car(*SQUARE), {CAR: Corrections(kept=1)}),
        (car(*SQUARE), car(*NUDGED), {CAR: Corrections(kept=1)}),
        (car(*SQUARE), car(*MOVED), {CAR: Corrections(moved=1)}),
        (car(*SQUARE), car(*HALF), {CAR: Corrections(moved=1)}),
        (car(*SQUARE), car(0, 0, 100, 49), {CAR: Corrections(removed=1, added=1)}),
        (car(*SQUARE), NOTHING, {CAR: Corrections(removed=1)}),
        (NOTHING, bus(*SQUARE), {BUS: Corrections(added=1)}),
        (car(*SQUARE), bus(*MOVED), {CAR: Corrections(reclassed=1), BUS: Corrections(added=1)}),
        (car(*SQUARE), bus(*ELSEWHERE), {CAR: Corrections(removed=1), BUS: Corrections(added=1)}),
    ],
)
def test_what_was_done_to_one_box(model: Detections, label: Detections, want: dict[int, Corrections]) -> None:
    assert corrections(model, label) == want


def test_a_box_stands_for_one_thing() -> None:
    twice = both(car(*SQUARE), car(*MOVED))
    assert corrections(twice, car(*SQUARE)) == {CAR: Corrections(kept=1, removed=1)}
    assert corrections(car(*SQUARE), twice) == {CAR: Corrections(kept=1, added=1)}


def test_two_pairs_that_do_not_count_never_win_over_one_that_does() -> None:
    # IoU 0.65 and 0 one way round; 0.43 and 0.26, which is more in all, the other.
    model = both(car(0, 0, 100, 10), car(78, 0, 168, 10))
    label = both(car(25, 0, 115, 10), car(-40, 0, 60, 10))
    assert corrections(model, label) == {CAR: Corrections(moved=1, removed=1, added=1)}


def test_precision_and_recall_over_frames_are_those_computed_by_hand() -> None:
    frames = [
        ("a", both(car(*SQUARE), car(*ELSEWHERE)), car(*SQUARE)),  # one right, one of nothing
        ("a", car(*SQUARE), both(car(*MOVED), car(*ELSEWHERE))),  # one right, one overlooked
        ("a", NOTHING, NOTHING),
        ("b", car(*SQUARE), bus(*SQUARE)),  # a car that was a bus
        ("b", bus(*SQUARE), bus(*SQUARE)),
    ]
    totals: dict[tuple[str, int], Corrections] = defaultdict(Corrections)
    for camera, model, label in frames:
        for class_id, made in corrections(model, label).items():
            totals[camera, class_id] += made
    assert totals["a", CAR] == Corrections(kept=1, moved=1, removed=1, added=1)
    assert totals["a", CAR].precision == pytest.approx(2 / 3)
    assert totals["a", CAR].recall == pytest.approx(2 / 3)
    assert totals["b", CAR] == Corrections(reclassed=1)
    assert totals["b", BUS] == Corrections(kept=1, added=1)
    assert totals["b", BUS].precision == 1
    assert totals["b", BUS].recall == pytest.approx(1 / 2)
    cars = totals["a", CAR] + totals["b", CAR]
    assert (cars.precision, cars.recall) == (pytest.approx(2 / 4), pytest.approx(2 / 3))


def test_of_nothing_there_is_no_share() -> None:
    assert math.isnan(Corrections(added=1).precision)
    assert math.isnan(Corrections(removed=1).recall)
    assert Corrections(added=1).recall == Corrections(removed=1).precision == 0


boxes = st.lists(
    st.tuples(st.integers(0, 80), st.integers(0, 80), st.integers(5, 40), st.integers(0, 1)), max_size=6
).map(lambda rows: both(NOTHING, *[found((x, y, x + s, y + s), class_id=k) for x, y, s, k in rows]))


@given(boxes, boxes)
def test_every_box_of_both_sides_is_counted_once(model: Detections, label: Detections) -> None:
    made = sum(corrections(model, label).values(), Corrections())
    assert made.kept + made.moved + made.reclassed + made.removed == len(model)
    assert made.kept + made.moved + made.added == len(label)


@given(boxes)
def test_a_label_that_changes_nothing_keeps_everything(model: Detections) -> None:
    made = sum(corrections(model, model).values(), Corrections())
    assert made.removed == made.added == made.moved == 0 or len(model) > 1
    assert made.kept + made.reclassed + made.moved + made.removed == len(model)
