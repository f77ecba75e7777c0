"""The oracle: delay, flaws, what it does not know, and a restart."""

from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import pytest

from labeling.answers import Labeled, Skipped
from labeling.oracle_labeler import Flaws, OracleLabeler
from streetloop.city.oracle import Oracle
from streetloop.errors import LabelerError
from streetloop.ledger.reviews import FrameRecord, SelectionReason
from tests.support.samples.frames import asked
from tests.support.stream_flow.fakes import FakeClock

CLASSES = ("car", "truck", "bus", "motorcycle", "bicycle", "person")
FLAWLESS = Flaws()
URI = "sim://larkfield/gantry?traffic=busy&seed=1"


def task(frame: int = 40, digest: str = "a" * 64, uri: str = URI) -> FrameRecord:
    return FrameRecord(
        digest=digest,
        image_key="frames/a.jpg",
        width=640,
        height=360,
        camera_id="gantry",
        captured_at=datetime(2026, 3, 1, tzinfo=UTC),
        reason=SelectionReason.RANDOM,
        score=0.5,
        model_version="m",
        boxes=(),
        fingerprint=np.zeros(4, np.uint64),
        embedding=np.zeros(1, np.float32),
        origin={"uri": uri, "frame": frame},
        classes=CLASSES,
    )


def answer(flaws: Flaws = FLAWLESS, classes: tuple[str, ...] = CLASSES, **of: object) -> Labeled:
    labeler = OracleLabeler(FakeClock(), flaws)
    frame = replace(task(), classes=classes, **of)  # type: ignore[arg-type]
    labeler.push([frame], lambda _: None)
    (given,) = labeler.pull(asked(frame.digest))
    assert isinstance(given, Labeled)
    return given


def test_without_flaws_it_says_the_truth() -> None:
    truth = [thing for thing in Oracle().truth(URI, 40).clear() if thing.class_name in CLASSES]
    given = answer()
    assert [CLASSES[i] for i in given.boxes.class_id] == [thing.class_name for thing in truth]
    limits = [640, 360, 640, 360]
    expected = np.clip([thing.xyxy for thing in truth], 0, limits)
    np.testing.assert_allclose(given.boxes.xyxy, expected, atol=1.01)
    assert len(truth) > 3
    assert given.labeler == "oracle"
    assert given.at == FakeClock().now()


def test_classes_that_the_model_does_not_know_are_left_out() -> None:
    assert set(answer(classes=("bus", "car")).boxes.class_id.tolist()) <= {0, 1}


def test_answers_after_the_delay_and_once() -> None:
    clock, told = FakeClock(), list[str]()
    labeler = OracleLabeler(clock, Flaws(delay_s=60))
    labeler.push([task()], told.append)
    clock.advance(40)
    labeler.push([task()], told.append)  # again: not asked anew, so it does not take longer
    assert labeler.pull(asked("a" * 64, "never asked")) == []
    clock.advance(20)
    assert len(labeler.pull(asked("a" * 64))) == 1
    assert labeler.pull(asked("a" * 64)) == []
    assert told == ["a" * 64] * 2


def test_flaws_are_the_same_each_time_and_other_for_another_frame() -> None:
    flaws = Flaws(missed=0.3, wrong_class=0.3, jitter=0.05)
    first, again, other = answer(flaws), answer(flaws), answer(flaws, digest="b" * 64)
    np.testing.assert_array_equal(first.boxes.xyxy, again.boxes.xyxy)
    np.testing.assert_array_equal(first.boxes.class_id, again.boxes.class_id)
    assert first.boxes.xyxy.tolist() != other.boxes.xyxy.tolist()


def test_flaws_are_as_many_as_they_say() -> None:
    whole = answer()
    assert len(answer(Flaws(missed=1.0)).boxes) == 0
    wrong = answer(Flaws(wrong_class=1.0))
    assert (wrong.boxes.class_id != whole.boxes.class_id).all()
    shaken = answer(Flaws(jitter=0.05))
    assert len(shaken.boxes) == len(whole.boxes)
    assert (shaken.boxes.xyxy != whole.boxes.xyxy).any()
    assert (shaken.boxes.xyxy[:, 2:] >= shaken.boxes.xyxy[:, :2]).all()
    assert (shaken.boxes.xyxy >= 0).all()
    assert (shaken.boxes.xyxy <= [640, 360, 640, 360]).all()


def test_refuses_frames_that_are_not_of_the_city() -> None:
    told: list[str] = []
    labeler = OracleLabeler(FakeClock())
    with pytest.raises(LabelerError, match="elsewhere is elsewhere"):
        labeler.push([task(), replace(task(), origin={}, camera_id="elsewhere")], told.append)
    assert told == ["a" * 64], "those before it were taken"


def test_skips_what_it_cannot_look_up() -> None:
    labeler = OracleLabeler(FakeClock())
    labeler.push([task(uri="sim://atlantis/harbour")], lambda _: None)
    (given,) = labeler.pull(asked("a" * 64))
    assert isinstance(given, Skipped)


def test_a_restart_forgets_nothing_that_waits() -> None:
    known = {"a" * 64: task()}
    labeler = OracleLabeler(FakeClock(), find=known.get)
    given = labeler.pull(asked("a" * 64, "b" * 64))
    assert [each.digest for each in given] == ["a" * 64]
    np.testing.assert_array_equal(given[0].boxes.xyxy, answer().boxes.xyxy)  # type: ignore[union-attr]


def test_the_delay_goes_on_over_restarts() -> None:
    clock = FakeClock()
    known = {"a" * 64: replace(task(), pushed_at=clock.now())}
    for waited, answers in ((0, 0), (40, 0), (19, 0), (1, 1)):
        clock.advance(waited)
        labeler = OracleLabeler(clock, Flaws(delay_s=60), find=known.get)
        assert len(labeler.pull(asked("a" * 64))) == answers
