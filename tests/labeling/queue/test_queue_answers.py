"""What comes back for a frame, once, and what becomes of it."""

from datetime import datetime

from labeling.answers import Labeled, Quarantined, Skipped
from labeling.queue import ReviewQueue
from streetloop.errors import LabelerError
from streetloop.ledger import Ledger
from streetloop.ledger.review_moves import mark_in_dataset
from streetloop.ledger.reviews import ReviewState
from streetloop.types import Detections
from tests.support.samples.frames import NOON, FakeLabeler, digest, labeled, only, review, states, waiting
from tests.support.stream_flow.build import found


def test_a_frame_with_nothing_in_it_is_labeled_too(ledger: Ledger, queue: ReviewQueue) -> None:
    people = FakeLabeler()
    waiting(queue, people, 1)
    assert queue.pull(people).total == 1
    kept = only(ledger, 0)
    assert (kept.state, kept.label) == (ReviewState.LABELED, ())


def test_what_was_declined_or_cannot_be_used_is_rejected_with_the_reason(
    ledger: Ledger, queue: ReviewQueue
) -> None:
    people = FakeLabeler()
    waiting(queue, people, 3)
    people.answers[digest(0)] = Skipped(digest(0), "bob", NOON)
    people.answers[digest(1)] = Quarantined(digest(1), "a polygon is not a labeled rectangle")
    people.answers[digest(2)] = Quarantined(digest(2), "x" * 5000)
    assert queue.pull(people).total == 3
    assert states(ledger) == dict.fromkeys(range(3), ReviewState.REJECTED)
    declined, polygon, long = (only(ledger, k) for k in range(3))
    assert (declined.labeler, declined.note) == ("bob", "declined by the labeler")
    assert (polygon.labeler, polygon.note) == (None, "a polygon is not a labeled rectangle")
    assert polygon.label is None
    assert long.note == "x" * 1000
    assert queue.pull(people).total == 0


def test_answers_that_nobody_waits_for_are_ignored(ledger: Ledger, queue: ReviewQueue) -> None:
    class Chatty(FakeLabeler):
        def pull(self, asked):  # type: ignore[no-untyped-def]
            strange = [labeled(digest(99)), Skipped(digest(98), "x", NOON), labeled(digest(7))]
            return [*strange, *super().pull(asked), labeled(digest(0), found((0, 0, 9, 9)))]

    people = Chatty()
    waiting(queue, people, 2)
    queue.add([review(7)])
    assert queue.pull(people).total == 2, "the second answer for one frame does not count"
    assert only(ledger, 0).label == ()
    assert states(ledger) == {0: ReviewState.LABELED, 1: ReviewState.LABELED, 7: ReviewState.CANDIDATE}


def test_an_answer_that_comes_again_does_not_undo_a_dataset(ledger: Ledger, queue: ReviewQueue) -> None:
    people = FakeLabeler()
    waiting(queue, people, 2)
    queue.pull(people)
    mark_in_dataset(ledger, [digest(0)], "d" * 64)
    people.answers[digest(0)] = Skipped(digest(0), "bob", NOON)
    assert queue.pull(people).total == 0
    assert states(ledger) == {0: ReviewState.IN_DATASET, 1: ReviewState.LABELED}


def test_a_labeler_is_not_asked_when_nobody_waits(queue: ReviewQueue) -> None:
    people = FakeLabeler()
    people.refuses = LabelerError("closed")
    assert (queue.pull(people).total, queue.push(people)) == (0, 0)


def test_frames_that_a_labeler_has_lost_are_pushed_again(ledger: Ledger, queue: ReviewQueue) -> None:
    people = FakeLabeler()
    waiting(queue, people, 3)
    people.asked.remove(digest(1))
    queue.ask_again([digest(1), digest(77)])
    assert only(ledger, 1).pushed_at is None
    assert queue.push(people) == 1
    assert sorted(people.asked) == [digest(k) for k in range(3)]


def test_a_labeled_frame_is_not_asked_again(ledger: Ledger, queue: ReviewQueue) -> None:
    people = FakeLabeler()
    waiting(queue, people, 1)
    queue.pull(people)
    queue.ask_again([digest(0)])
    assert states(ledger) == {0: ReviewState.LABELED}


def test_labels_have_the_moment_that_the_labeler_gave(ledger: Ledger, queue: ReviewQueue) -> None:
    people, at = FakeLabeler(), datetime.fromisoformat("2026-03-01T13:00:00+05:30")
    waiting(queue, people, 1)
    people.answers[digest(0)] = Labeled(digest(0), Detections.empty(), (), "ann", at)
    queue.pull(people)
    assert only(ledger, 0).answered_at == at
