"""Who labels a frame: the teacher, or people."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest

from labeling.answers import Labeled
from labeling.queue import ReviewQueue
from labeling.teacher.ledger_checks import LedgerChecks
from labeling.teacher.teacher_labeler import TeacherLabeler, TeacherPolicy
from labeling.teacher.trust import Check
from streetloop.ledger import Ledger, open_ledger
from streetloop.ledger.reviews import FrameRecord, ReviewState, SelectionReason, find_reviews
from streetloop.types import Detections
from tests.support.contracts.labeler_contract import LabelerContract
from tests.support.samples.frames import NOON, FakeLabeler, asked, labeled, review
from tests.support.stream_flow.build import found
from tests.support.stream_flow.fakes import FakeClock

CAR = (10.0, 10.0, 50.0, 40.0)


class Sees:
    """A teacher that sees what it is told to."""

    name = "large-1"

    def __init__(self, answer: Detections) -> None:
        self.answer = answer

    def look_at(self, frame: FrameRecord) -> Detections:
        return self.answer


class Setup:
    """A queue, people, and a teacher who sees one car."""

    def __init__(self, folder: Path) -> None:
        self.ledger: Ledger = open_ledger(f"sqlite:///{folder}/ledger.db")
        self.clock = FakeClock()
        self.queue = ReviewQueue(self.ledger, self.clock)
        self.people = FakeLabeler()
        self.teacher = Sees(found(CAR, confidence=0.9))
        self.checks = LedgerChecks(self.ledger, self.teacher.name)

    def labeler(self) -> TeacherLabeler:
        return TeacherLabeler(
            self.teacher, self.people, self.checks, TeacherPolicy(), self.clock, self.queue.find
        )

    def prove(self, right: int = 200, camera: str = "a") -> None:
        """People have checked two hundred of its cars today."""
        self.checks.add("f" * 64, [Check(camera, "car", right, 200)], self.clock.now())

    def add(self, *frames: FrameRecord) -> None:
        self.queue.add(frames)


@pytest.fixture
def setup(tmp_path: Path) -> Setup:
    return Setup(tmp_path)


def frame(number: int, **of: object) -> FrameRecord:
    """A frame whose digest is not drawn."""
    one = review(number, **of)  # type: ignore[arg-type]
    return replace(one, digest=f"f{number:063x}")


def _push(labeler: TeacherLabeler, frames: Sequence[FrameRecord]) -> list[str]:
    told: list[str] = []
    labeler.push(frames, told.append)
    return told


def test_people_label_until_the_teacher_has_proved_itself(setup: Setup) -> None:
    one = frame(1)
    setup.add(one)
    assert _push(setup.labeler(), [one]) == [one.digest]
    assert setup.people.asked == [one.digest]


def test_a_proved_teacher_answers_by_itself(setup: Setup) -> None:
    setup.prove()
    one, labeler = frame(1), setup.labeler()
    setup.add(one)
    assert _push(labeler, [one]) == [one.digest]
    assert setup.people.asked == []
    (answer,) = labeler.pull(asked(one.digest))
    assert isinstance(answer, Labeled)
    assert answer.labeler == "teacher large-1"
    assert answer.boxes.xyxy.tolist() == [list(CAR)]


@pytest.mark.parametrize(
    ("sees", "why"),
    [
        (found(), "nothing is there, or it misses something"),
        (found(CAR, (100, 10, 150, 40), confidence=0.4), "it is not sure"),
        (found(CAR, class_id=1), "nobody checked its buses"),
    ],
)
def test_what_a_proved_teacher_does_not_know_goes_to_people(setup: Setup, sees: Detections, why: str) -> None:
    setup.prove()
    setup.teacher.answer = sees
    one = frame(1)
    setup.add(one)
    _push(setup.labeler(), [one])
    assert setup.people.asked == [one.digest], why


def test_random_frames_measure_and_so_go_to_people(setup: Setup) -> None:
    setup.prove()
    one = frame(1, reason=SelectionReason.RANDOM)
    setup.add(one)
    _push(setup.labeler(), [one])
    assert setup.people.asked == [one.digest]


def test_five_in_a_hundred_are_checked_for_ever_and_twenty_boxes_a_day(setup: Setup) -> None:
    setup.prove()
    rng = np.random.default_rng(0)
    frames = [replace(review(k), digest=rng.bytes(32).hex()) for k in range(600)]
    _push(setup.labeler(), frames)
    assert 15 <= len(setup.people.asked) <= 45, "600 of which a twentieth is drawn"
    setup.clock.advance(86400.0)
    setup.people.asked.clear()
    _push(setup.labeler(), [frame(k) for k in range(30)])
    assert len(setup.people.asked) == 20, "none of them is drawn, and the day is young"


def test_a_box_that_was_sent_and_checked_counts_once(setup: Setup) -> None:
    setup.prove()
    setup.clock.advance(86400.0)
    labeler, frames = setup.labeler(), [frame(k) for k in range(30)]
    setup.add(*frames)
    _push(labeler, frames[:12])
    for one in frames[:12]:
        setup.people.answers[one.digest] = labeled(one.digest, found(CAR), at=setup.clock.now())
    labeler.pull(asked(*(one.digest for one in frames[:12])))
    _push(labeler, frames[12:])
    assert len(setup.people.asked) == 20


def test_people_see_the_teachers_boxes(setup: Setup) -> None:
    seen: list[FrameRecord] = []
    setup.people.push = lambda frames, pushed: seen.extend(frames)  # type: ignore[method-assign]
    setup.add(frame(1))
    _push(setup.labeler(), [frame(1)])
    (one,) = seen
    assert [box.xyxy for box in one.shown] == [CAR]


def test_what_people_say_is_kept_and_counts(setup: Setup) -> None:
    labeler = setup.labeler()
    frames = [frame(k, boxes=found()) for k in range(120)]
    setup.add(*frames)
    _push(labeler, frames)
    for one in frames:
        setup.people.answers[one.digest] = labeled(one.digest, found(CAR), at=NOON)
    labeler.pull(asked(*(one.digest for one in frames)))
    assert setup.checks.all()[0] == Check("a", "car", 1, 1)
    assert len(setup.checks.all()) == 120
    later = frame(900)
    setup.add(later)
    _push(labeler, [later])
    assert labeler.pull(asked(later.digest))[0].digest == later.digest
    assert later.digest not in setup.people.asked, "it has proved to know cars"


def test_a_changed_answer_takes_the_place_of_the_one_before(setup: Setup) -> None:
    labeler, one = setup.labeler(), frame(1)
    setup.add(one)
    setup.queue.choose(10)
    setup.queue.push(labeler)
    setup.people.answers[one.digest] = labeled(one.digest, found(CAR), at=NOON)
    setup.queue.pull(labeler)
    setup.people.answers[one.digest] = labeled(one.digest, found(), at=NOON + timedelta(hours=1))
    setup.queue.pull(labeler)
    assert setup.checks.all() == [Check("a", "car", 0, 1)]


def test_a_frame_that_was_taken_before_a_restart_is_answered_after_it(setup: Setup) -> None:
    setup.prove()
    one = frame(1)
    setup.add(one)
    setup.queue.choose(10)
    assert setup.queue.push(setup.labeler()) == 1
    assert setup.queue.pull(setup.labeler()).labels == 1
    (kept,) = find_reviews(setup.ledger, [one.digest])
    assert kept.state is ReviewState.LABELED
    assert not kept.of_people


class TestTeacher(LabelerContract):
    @pytest.fixture
    def frames(self, setup: Setup) -> Sequence[FrameRecord]:
        frames = [frame(1), frame(2), frame(3, reason=SelectionReason.RANDOM)]
        setup.add(*frames)
        return frames

    @pytest.fixture
    def labeler(self, setup: Setup) -> TeacherLabeler:
        setup.prove()
        return setup.labeler()
