import numpy as np
import pytest

from streetloop.types import Detections
from train.evaluation.coco_map import coco_map
from train.evaluation.judge import ALL, JudgedFrame, JudgePolicy, judge, judging_gaps
from train.evaluation.matching import match

NOTHING = Detections.empty()


def _scene(rng: np.random.Generator, things: int = 4) -> Detections:
    corners = rng.uniform(0, 400, (things, 2))
    sides = rng.uniform(20, 80, (things, 2))
    xyxy = np.hstack([corners, corners + sides]).astype(np.float32)
    return Detections(xyxy, np.ones(things, np.float32), rng.integers(0, 3, things))


def _seen(truth: Detections, rng: np.random.Generator, recall: float, false: float) -> Detections:
    found = truth.take(rng.random(len(truth)) < recall)
    shaken = found.xyxy + rng.normal(0, 1.5, found.xyxy.shape)
    extra = _scene(rng, int(rng.poisson(false)))
    return Detections(
        np.vstack([shaken, extra.xyxy]).astype(np.float32),
        np.concatenate([rng.uniform(0.3, 1, len(found)), rng.uniform(0, 0.7, len(extra))]).astype(np.float32),
        np.concatenate([found.class_id, extra.class_id]),
    )


def _frames(count: int, ours: float, theirs: float, slices: tuple[str, ...] = (), seed: int = 0):  # type: ignore[no-untyped-def]
    rng = np.random.default_rng(seed)
    frames = []
    for _ in range(count):
        truth = _scene(rng)
        frames.append(
            JudgedFrame(truth, NOTHING, _seen(truth, rng, theirs, 0.5), _seen(truth, rng, ours, 0.5), slices)
        )
    return frames


def test_the_map_is_cocos() -> None:
    frames = _frames(60, 0.7, 0.7)
    expected = coco_map([f.truth for f in frames], [f.candidate for f in frames]).map50
    verdict = judge(frames, JudgePolicy(draws=10))
    assert verdict.gains[ALL].candidate == pytest.approx(expected, abs=1e-6)


def test_each_class_has_its_own_map() -> None:
    frames = _frames(60, 0.9, 0.4)
    verdict = judge(frames, JudgePolicy(draws=10))
    assert set(verdict.classes) == {0, 1, 2}
    for side, mean in ((0, verdict.gains[ALL].champion), (1, verdict.gains[ALL].candidate)):
        assert np.mean([both[side] for both in verdict.classes.values()]) == pytest.approx(mean)


def test_a_better_candidate_is_accepted() -> None:
    verdict = judge(_frames(80, 0.9, 0.6))
    assert verdict.accepted
    assert verdict.gains[ALL].low > 0
    assert "gains" in verdict.reasons[0]


def test_an_equal_one_is_not() -> None:
    verdict = judge(_frames(80, 0.7, 0.7))
    assert not verdict.accepted
    assert verdict.gains[ALL].low <= 0 <= verdict.gains[ALL].high


def test_what_is_lost_elsewhere_counts() -> None:
    frames = _frames(60, 0.9, 0.5, ("night",)) + _frames(60, 0.6, 0.9, ("day",), seed=1)
    verdict = judge(frames, JudgePolicy(wanted=("night",)))
    assert not verdict.accepted
    assert any(reason.startswith("day: loses") for reason in verdict.reasons)


def test_a_small_loss_is_within_the_margin() -> None:
    day = _frames(60, 0.9, 0.9, ("day",), seed=1)
    same = [JudgedFrame(f.truth, f.ignored, f.champion, f.champion, f.slices) for f in day]
    verdict = judge(_frames(60, 0.9, 0.5, ("night",)) + same, JudgePolicy(wanted=("night",)))
    assert verdict.accepted


def test_few_frames_show_nothing() -> None:
    verdict = judge(_frames(5, 1.0, 0.1, ("night",)), JudgePolicy(wanted=("night", "fog")))
    assert not verdict.accepted
    assert "5 frames are too few" in verdict.reasons[0]
    assert "0 frames are too few" in verdict.reasons[1]


def test_nothing_to_judge_by_is_refused() -> None:
    with pytest.raises(ValueError, match="no frames"):
        judge([])


def test_frames_without_anything_are_no_reason_to_fail() -> None:
    empty = [JudgedFrame(NOTHING, NOTHING, NOTHING, NOTHING)] * 20
    assert not judge(empty).accepted
    assert judge(empty + _frames(60, 0.9, 0.5)).accepted


def test_an_ignored_thing_is_neither_right_nor_wrong() -> None:
    box = np.array([[10, 10, 50, 50]], np.float32)
    found = Detections(box, np.array([0.9], np.float32), np.array([0]))
    assert len(match(NOTHING, found, found).confidence) == 0
    assert match(NOTHING, found, NOTHING).correct.tolist() == [False]
    assert match(found, found, found).correct.tolist() == [True]


def test_each_true_box_is_found_once() -> None:
    box = np.array([[10, 10, 50, 50]] * 2, np.float32)
    found = Detections(box, np.array([0.5, 0.9], np.float32), np.array([0, 0]))
    result = match(found.take(np.array([True, False])), found, NOTHING)
    assert result.confidence.tolist() == pytest.approx([0.9, 0.5])
    assert result.correct.tolist() == [True, False]


@pytest.mark.parametrize("wanted", [(), ("night",), ("fog",)])
@pytest.mark.parametrize("count", [9, 10])
def test_gaps_are_known_exactly_where_no_candidate_could_be_accepted(
    wanted: tuple[str, ...], count: int
) -> None:
    frames = _frames(count, ours=1.0, theirs=0.1, slices=("night",))
    policy = JudgePolicy(wanted=wanted, draws=50)
    gaps = judging_gaps([(f.slices, len(f.truth)) for f in frames], policy)
    assert bool(gaps) is not judge(frames, policy).accepted


def test_frames_without_objects_are_a_gap() -> None:
    assert judging_gaps([((), 0)] * 12, JudgePolicy()) == ["all: its 12 frames to judge by have no objects"]
