import math
import threading

import numpy as np
import pytest

from serve.rollout.statistics.confidence_sequences import Moments
from serve.rollout.statistics.evidence import EVERYTHING, Calls
from serve.rollout.statistics.paired_comparison import Pair, PairedComparison, is_sane
from streetloop.types import Detections
from tests.support.stream_flow.build import found

NAMES = ("car", "bus")
NOTHING = Detections.empty()
A, B = (0, 0, 10, 10), (20, 0, 30, 10)
EMPTY = (NOTHING, NOTHING)


@pytest.fixture
def pairing() -> PairedComparison:
    return PairedComparison(NAMES, {"a": "Oslo", "b": "Bergen", "c": None})


def _take(pairing: PairedComparison, *pairs: Pair) -> None:
    pairing.take(pairs, 0.1, 0.1)


def _pair(
    at_s: float,
    champion: Detections = NOTHING,
    challenger: Detections = NOTHING,
    truth: tuple[Detections, Detections] | None = EMPTY,
    camera_id: str = "a",
) -> Pair:
    return Pair(camera_id, at_s, champion, challenger, truth)


# Gains


def test_a_block_of_frames_gives_one_value_when_it_has_ended(pairing: PairedComparison) -> None:
    truth = (found(A, B), NOTHING)
    for at_s in (0, 5, 19.9):
        _take(pairing, _pair(at_s, found(A), found(A, B), truth))
    assert pairing.collect().gains == {}
    _take(pairing, _pair(20, found(A), found(A, B), truth))
    gain = Moments.of(1.0 - 2 / 3)
    assert pairing.collect().gains == {EVERYTHING: gain, "class:car": gain, "city:Oslo": gain}


def test_each_frame_is_in_one_block(pairing: PairedComparison) -> None:
    truth = (found(A), NOTHING)
    # The champion misses in the first block, the challenger in the second.
    for at_s in (0, 10, 20, 30, 40):
        ours, theirs = (NOTHING, found(A)) if at_s < 20 else (found(A), NOTHING)
        _take(pairing, _pair(at_s, ours, theirs, truth))
    assert pairing.collect().gains[EVERYTHING] == Moments.of(1.0, -1.0)


def test_a_block_is_as_long_as_it_is_set(pairing: PairedComparison) -> None:
    pairing.block_s = 5.0
    truth = (found(A), NOTHING)
    for at_s in range(0, 31, 5):
        _take(pairing, _pair(at_s, NOTHING, found(A), truth))
    assert pairing.collect().gains[EVERYTHING] == Moments.of(*[1.0] * 6)


def test_a_block_in_which_nothing_was_to_be_seen_says_nothing(pairing: PairedComparison) -> None:
    for at_s in (0, 10, 20, 30, 40):
        _take(pairing, _pair(at_s))
    assert pairing.collect().gains == {}


def test_an_empty_road_on_which_one_model_sees_ghosts_does_say_something(pairing: PairedComparison) -> None:
    for at_s in (0, 20):
        _take(pairing, _pair(at_s, NOTHING, found(A)))
    assert pairing.collect().gains[EVERYTHING] == Moments.of(-1.0)


def test_a_class_that_was_not_there_is_not_judged(pairing: PairedComparison) -> None:
    truth = (found(A, class_id=1), NOTHING)
    for at_s in (0, 20):
        _take(pairing, _pair(at_s, found(A, class_id=1), NOTHING, truth))
    assert set(pairing.collect().gains) == {EVERYTHING, "class:bus", "city:Oslo"}


def test_cameras_have_blocks_of_their_own_and_cities_their_sums(pairing: PairedComparison) -> None:
    truth = (found(A), NOTHING)
    for at_s in (0, 20):
        _take(
            pairing,
            _pair(at_s, NOTHING, found(A), truth, "a"),
            _pair(at_s, found(A), NOTHING, truth, "b"),
            _pair(at_s, found(A), found(A), truth, "c"),
            _pair(at_s, found(A), found(A), truth, "stranger"),
        )
    gains = pairing.collect().gains
    assert gains["city:Oslo"] == Moments.of(1.0)
    assert gains["city:Bergen"] == Moments.of(-1.0)
    assert gains[EVERYTHING] == Moments.of(1.0, -1.0, 0.0, 0.0)
    assert {group for group in gains if group.startswith("city")} == {"city:Oslo", "city:Bergen"}


def test_frames_whose_truth_nobody_knows_gain_nothing_but_are_compared(pairing: PairedComparison) -> None:
    for at_s in (0, 20, 40):
        _take(pairing, _pair(at_s, found(A), found(A, B), None))
    found_out = pairing.collect()
    assert found_out.gains == {}
    assert found_out.detections == (3, 6)


# Disagreement


@pytest.mark.parametrize(
    ("ours", "theirs", "shared"),
    [
        (found(A, B), found(A, B), 1.0),
        (found(A, B), found(B, A), 1.0),
        (found(A, B), found(A), 2 / 3),
        (found(A), found(B), 0.0),
        (found(A), NOTHING, 0.0),
        (NOTHING, found(A, B), 0.0),
        (found(A), found(A, class_id=1), 0.0),
        (found(A), found(A, A), 2 / 3),
    ],
)
def test_models_agree_on_the_boxes_that_both_have(
    pairing: PairedComparison, ours: Detections, theirs: Detections, shared: float
) -> None:
    _take(pairing, _pair(0, ours, theirs, None))
    agreement = pairing.collect().agreement
    assert agreement.count == 1
    assert agreement.mean == pytest.approx(shared)


def test_two_that_see_nothing_neither_agree_nor_disagree(pairing: PairedComparison) -> None:
    _take(pairing, _pair(0))
    found_out = pairing.collect()
    assert found_out.agreement.count == 0
    assert found_out.detections == (0, 0)


def test_confidence_shifts_on_what_both_have(pairing: PairedComparison) -> None:
    ours, theirs = found(A, B, confidence=[0.5, 0.9]), found(B, A, confidence=[0.6, 0.75])
    _take(pairing, _pair(0, ours, theirs, None))
    shift = pairing.collect().shift
    assert shift.count == 2
    assert shift.mean == pytest.approx(((0.75 - 0.5) + (0.6 - 0.9)) / 2, abs=1e-6)


# Calls and times


def test_calls_are_counted_by_model_and_by_end(pairing: PairedComparison) -> None:
    pairing.note_call(challenger=True, frames=4, error=False, invalid=False)
    pairing.note_call(challenger=True, frames=4, error=True, invalid=True)
    pairing.note_call(challenger=False, frames=8, error=True, invalid=False)
    pairing.note_shed()
    found_out = pairing.collect()
    assert found_out.challenger == Calls(2, 1, 1)
    assert found_out.champion == Calls(1, 1, 0)
    assert found_out.frames == 4
    assert found_out.shed == 1
    assert pairing.collect().challenger == Calls()


@pytest.mark.parametrize(
    ("champion_s", "challenger_s", "ratio"), [(0.1, 0.2, 2.0), (0.2, 0.1, 0.5), (0.0, 0.0, 1.0)]
)
def test_computing_times_are_compared_by_their_ratio(
    pairing: PairedComparison, champion_s: float, challenger_s: float, ratio: float
) -> None:
    pairing.take([], champion_s, challenger_s)
    assert math.exp(pairing.collect().latency.mean) == pytest.approx(ratio)


def test_nothing_is_lost_between_threads(pairing: PairedComparison) -> None:
    collected = []
    go = threading.Barrier(5)

    def note() -> None:
        go.wait()
        for _ in range(300):
            pairing.note_call(challenger=True, frames=1, error=False, invalid=False)

    threads = [threading.Thread(target=note) for _ in range(4)]
    for thread in threads:
        thread.start()
    go.wait()
    while any(thread.is_alive() for thread in threads):
        collected.append(pairing.collect().frames)
    assert sum(collected) + pairing.collect().frames == 1200


# Sanity


@pytest.mark.parametrize(
    "answer",
    [
        NOTHING,
        found(A, B),
        found((0, 0, 100, 50)),
        found((-20, -10, 120, 60)),  # a little outside is usual at the edge
        found((90, 40, 400, 300)),  # of a poor model
        found(A, class_id=1),
        found(A, confidence=1.0),
        found(A, confidence=0.0),
    ],
)
def test_what_a_detector_may_say_is_sane(answer: Detections) -> None:
    assert is_sane(answer, 100, 50, 2)


def _of(xyxy: object, confidence: object, class_id: object) -> Detections:
    return Detections(
        np.asarray(xyxy, np.float32), np.asarray(confidence, np.float32), np.asarray(class_id, np.int64)
    )


NAN, INF = float("nan"), float("inf")
INSANE = {
    "not numbers": found((NAN, 0, 10, 10)),
    "one of many": found(A, B, (0, 0, INF, 10)),
    "no confidence": found(A, confidence=NAN),
    "surer than sure": found(A, confidence=1.5),
    "left of the image": found((-30, 0, -10, 10)),
    "right of the image": found((110, 0, 130, 10)),
    "above the image": found((0, -30, 10, -5)),
    "below the image": found((0, 60, 10, 70)),
    "many times the image": found((0, 0, 500, 30)),
    "left side right of the right": found((30, 0, 10, 10)),
    "bottom above the top": found((0, 30, 10, 10)),
    "class too many": found(A, class_id=2),
    "class below none": found(A, class_id=-1),
    "five values a box": _of([[0, 0, 10, 10, 1]], [0.9], [0]),
    "fewer boxes": _of([[0, 0, 10, 10]], [0.9, 0.8], [0, 0]),
    "no classes": _of([[0, 0, 10, 10]], [0.9], []),
    "boxes of nothing": _of([[0, 0, 10, 10]], [], []),
    "one row": _of([0, 0, 10, 10], [0.9], [0]),
}


@pytest.mark.parametrize("answer", INSANE.values(), ids=INSANE.keys())
def test_what_no_detector_says_is_not_sane(answer: Detections) -> None:
    assert not is_sane(answer, 100, 50, 2)
