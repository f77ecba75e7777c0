"""Frames from candidate to label, and in time."""

from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest

from labeling.oracle_labeler import OracleLabeler
from labeling.queue import ReviewQueue
from labeling.selection import Drift
from streetloop.boxes import to_detections
from streetloop.city.oracle import Oracle
from streetloop.city.render.shapes import CLASSES
from streetloop.errors import LabelerError, LedgerError
from streetloop.ledger import Ledger
from streetloop.ledger.reviews import ReviewState, SelectionReason, list_reviews
from tests.support.samples.frames import (
    NOON,
    FakeLabeler,
    asked,
    digest,
    labeled,
    only,
    review,
    states,
    waiting,
)
from tests.support.stream_flow.build import found
from tests.support.stream_flow.fakes import FakeClock


def test_a_frame_goes_from_candidate_to_label(ledger: Ledger, queue: ReviewQueue) -> None:
    people = FakeLabeler()
    queue.add([review(1)])
    assert states(ledger) == {1: ReviewState.CANDIDATE}
    assert queue.choose(10) == 1
    assert states(ledger) == {1: ReviewState.PENDING}
    assert queue.push(people) == 1
    assert states(ledger) == {1: ReviewState.PUSHED}
    assert queue.waiting() == asked(digest(1))
    people.answers[digest(1)] = labeled(digest(1), found((1, 2, 3, 4), class_id=1))
    assert queue.pull(people).total == 1
    kept = only(ledger, 1)
    assert (kept.state, kept.labeler, kept.answered_at) == (ReviewState.LABELED, "ann", NOON)
    np.testing.assert_array_equal(to_detections(kept.label).xyxy, [[1, 2, 3, 4]])
    assert queue.waiting() == []


def test_what_is_done_is_not_done_again(ledger: Ledger, queue: ReviewQueue) -> None:
    people = FakeLabeler()
    waiting(queue, people, 3)
    queue.pull(people)
    queue.add([review(k) for k in range(3)])
    assert (queue.choose(10), queue.push(people), queue.pull(people).total) == (0, 0, 0)
    assert len(people.asked) == 3
    assert queue.counts()[ReviewState.LABELED] == 3


def test_a_chosen_frame_has_score_rank_and_reason(ledger: Ledger, queue: ReviewQueue) -> None:
    queue.add([review(k, score=0.3 + k / 20) for k in range(5)])
    queue.add([review(k, score=0.0, reason=SelectionReason.RANDOM) for k in range(5, 10)])
    queue.choose(10)
    chosen = list_reviews(ledger, [ReviewState.PENDING])
    assert [one.rank for one in chosen] == list(range(len(chosen)))
    assert {one.reason for one in chosen} == {"unsure", "random"}
    assert all((one.score > 0) == (one.reason == "unsure") for one in chosen)
    assert chosen[-1].reason == "random"
    assert {one.chosen_at for one in chosen} == {NOON + timedelta(hours=2)}
    assert queue.find(chosen[0].digest) == chosen[0]
    assert (chosen[0].rank, chosen[0].reason) == (0, SelectionReason.UNSURE)


def test_the_labeler_is_given_frames_in_the_order_of_choice(ledger: Ledger, queue: ReviewQueue) -> None:
    people = FakeLabeler()
    waiting(queue, people, 8)
    ranked = sorted(list_reviews(ledger, [ReviewState.PUSHED]), key=lambda r: r.rank or 0)
    assert people.asked == [one.digest for one in ranked]


def test_a_drifting_camera_is_preferred_and_its_frames_say_why(ledger: Ledger, queue: ReviewQueue) -> None:
    queue.add([review(k, camera_id="day", score=0.3) for k in range(3)])
    queue.add([review(k, camera_id="night", score=0.02) for k in range(3, 6)])
    assert queue.choose(3) == 3
    assert {r.camera_id for r in list_reviews(ledger, [ReviewState.PENDING])} == {"day"}
    assert queue.choose(6, {"night": Drift("fog", review(4).captured_at)}) == 2
    (one, _) = [r for r in list_reviews(ledger, [ReviewState.PENDING]) if r.camera_id == "night"]
    assert (one.drift, one.score) == ("fog", pytest.approx(0.4 + 0.6 * 0.02))
    assert only(ledger, 0).drift == ""


# Time


def test_frames_that_waited_too_long_expire_and_no_others(
    ledger: Ledger, queue: ReviewQueue, clock: FakeClock
) -> None:
    people = FakeLabeler()
    waiting(queue, people, 2)
    queue.add([review(2), review(3), review(4, at=NOON + timedelta(days=2))])
    queue.choose(3)
    assert queue.expire() == []
    clock.advance(3 * 86400)
    assert sorted(queue.expire()) == [review(k).image_key for k in (2, 3)]
    assert queue.expire() == []
    assert states(ledger) == {
        0: ReviewState.PUSHED,
        1: ReviewState.PUSHED,
        2: ReviewState.EXPIRED,
        3: ReviewState.EXPIRED,
        4: ReviewState.CANDIDATE,
    }
    assert queue.push(people) == 0


def test_what_is_too_old_is_not_chosen(queue: ReviewQueue, clock: FakeClock) -> None:
    queue.add([review(1)])
    clock.advance(3 * 86400)
    assert queue.choose(10) == 0


def test_a_day_later_the_same_street_may_be_asked_about_again(
    ledger: Ledger, queue: ReviewQueue, clock: FakeClock
) -> None:
    bits = np.arange(4, dtype=np.uint64)
    queue.add([review(1, bits=bits)])
    assert queue.choose(10) == 1
    clock.advance(3600)
    queue.add([review(2, bits=bits, at=clock.now())])
    assert queue.choose(10) == 0, "it looks like one that was asked about an hour ago"
    clock.advance(86400 - 3600)
    queue.add([review(3, bits=bits, at=clock.now() + timedelta(seconds=1))])
    clock.advance(1)
    assert queue.choose(10) == 1
    assert states(ledger) == {1: ReviewState.PENDING, 2: ReviewState.CANDIDATE, 3: ReviewState.PENDING}


def test_a_double_is_one_however_long_it_has_waited(queue: ReviewQueue, clock: FakeClock) -> None:
    bits = np.arange(4, dtype=np.uint64)
    twins = [review(k, bits=bits, at=NOON + timedelta(seconds=10 * k)) for k in range(5)]
    queue.add(twins)
    assert queue.choose(10) == 1
    for _ in range(3):
        clock.advance(0.9 * 86400)
        assert queue.choose(10) == 0


def test_a_ledger_that_is_gone_is_said(queue: ReviewQueue, ledger: Ledger) -> None:
    with ledger.transaction() as connection:
        connection.exec_driver_sql("drop table reviews")
    for use in (queue.counts, lambda: queue.choose(1), lambda: queue.push(FakeLabeler())):
        with pytest.raises(LedgerError, match="reviews"):
            use()


# The oracle


def test_the_oracle_labels_simulated_frames_with_the_truth(
    ledger: Ledger, queue: ReviewQueue, clock: FakeClock
) -> None:
    uri = "sim://larkfield/gantry?size=320x180&traffic=busy"
    reviews = [
        replace(review(k, origin={"uri": uri, "frame": 20 * k}), width=320, height=180, classes=CLASSES)
        for k in range(3)
    ]
    queue.add([*reviews, review(9, camera_id="real")])
    assert queue.choose(10) == 4
    oracle = OracleLabeler(clock, find=queue.find)
    with pytest.raises(LabelerError, match="real is elsewhere"):
        queue.push(oracle)
    assert queue.counts()[ReviewState.PENDING] == 1, "one from elsewhere does not keep the others back"
    # Another process takes the answers home.
    assert queue.pull(OracleLabeler(clock, find=queue.find)).total == 3
    truth = Oracle()
    for one in list_reviews(ledger, [ReviewState.LABELED]):
        expected = truth.truth(uri, int(one.origin["frame"])).detections()
        label = to_detections(one.label)
        np.testing.assert_array_equal(label.class_id, expected.class_id)
        size = [320, 180, 320, 180]
        np.testing.assert_allclose(label.xyxy, np.clip(expected.xyxy, 0, size), atol=0.06)
        assert one.labeler == "oracle"
