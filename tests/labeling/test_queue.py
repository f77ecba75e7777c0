"""Exactly once from candidate to label, whoever dies when."""

import contextlib
import multiprocessing
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import Connection

from labeling.oracle import OracleLabeler
from labeling.queue import ReviewQueue, boxes_of, plain, to_task
from labeling.task import Labeled, Quarantined, Reason, Skipped
from streetloop.city.oracle import Oracle
from streetloop.city.shapes import CLASSES
from streetloop.clock import SystemClock
from streetloop.errors import LabelerError, LedgerError
from streetloop.ledger import Ledger, open_ledger
from streetloop.ledger.reviews import Review, State, find_reviews, list_reviews, mark_in_dataset
from streetloop.types import Detections
from tests.support.build import found
from tests.support.fakes import FakeClock
from tests.support.frames import (
    NOON,
    Desk,
    Fate,
    Killed,
    MortalLedger,
    digest,
    labeled,
    review,
)


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    ledger = open_ledger(f"sqlite:///{tmp_path / 'ledger.db'}")
    yield ledger
    ledger.close()


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock(NOON + timedelta(hours=2))


@pytest.fixture
def queue(ledger: Ledger, clock: FakeClock) -> ReviewQueue:
    return ReviewQueue(ledger, clock)


def states(ledger: Ledger) -> dict[int, State]:
    return {int(r.digest, 16): r.state for r in list_reviews(ledger, list(State))}


def only(ledger: Ledger, number: int) -> Review:
    (one,) = find_reviews(ledger, [digest(number)])
    return one


def waiting(queue: ReviewQueue, desk: Desk, count: int) -> None:
    """So many frames that somebody was asked about."""
    queue.add([review(k) for k in range(count)])
    queue.choose(count)
    queue.push(desk)


# Forward


def test_a_frame_goes_from_candidate_to_label(ledger: Ledger, queue: ReviewQueue) -> None:
    desk = Desk()
    queue.add([review(1)])
    assert states(ledger) == {1: State.CANDIDATE}
    assert queue.choose(10) == 1
    assert states(ledger) == {1: State.PENDING}
    assert queue.push(desk) == 1
    assert states(ledger) == {1: State.PUSHED}
    assert queue.waiting() == [digest(1)]
    desk.answers[digest(1)] = labeled(digest(1), found((1, 2, 3, 4), class_id=2))
    assert queue.pull(desk) == 1
    kept = only(ledger, 1)
    assert (kept.state, kept.labeler, kept.answered_at) == (State.LABELED, "ann", NOON)
    np.testing.assert_array_equal(boxes_of(kept.label).xyxy, [[1, 2, 3, 4]])
    assert queue.waiting() == []


def test_what_is_done_is_not_done_again(ledger: Ledger, queue: ReviewQueue) -> None:
    desk = Desk()
    waiting(queue, desk, 3)
    queue.pull(desk)
    queue.add([review(k) for k in range(3)])
    assert (queue.choose(10), queue.push(desk), queue.pull(desk)) == (0, 0, 0)
    assert len(desk.asked) == 3
    assert queue.counts()[State.LABELED] == 3


def test_a_chosen_frame_has_score_rank_and_reason(ledger: Ledger, queue: ReviewQueue) -> None:
    queue.add([review(k, score=0.3 + k / 20) for k in range(5)])
    queue.add([review(k, score=0.0, reason=Reason.RANDOM) for k in range(5, 10)])
    queue.choose(10)
    chosen = list_reviews(ledger, [State.PENDING])
    assert [one.rank for one in chosen] == list(range(len(chosen)))
    assert {one.reason for one in chosen} == {"unsure", "random"}
    assert all((one.score > 0) == (one.reason == "unsure") for one in chosen)
    assert chosen[-1].reason == "random"
    assert {one.chosen_at for one in chosen} == {NOON + timedelta(hours=2)}
    task = to_task(chosen[0])
    assert (task.rank, task.reason, task.score) == (0, Reason.UNSURE, chosen[0].score)


def test_the_labeler_is_given_frames_in_the_order_of_choice(
    ledger: Ledger, queue: ReviewQueue
) -> None:
    desk = Desk()
    waiting(queue, desk, 8)
    ranked = sorted(list_reviews(ledger, [State.PUSHED]), key=lambda r: r.rank or 0)
    assert desk.asked == [one.digest for one in ranked]


def test_boxes_come_back_as_they_were_to_a_tenth_of_a_pixel() -> None:
    boxes = found(
        (0.04, 10.26, 639.99, 359.5), (1, 2, 3, 4), confidence=[0.123456, 1.0], class_id=3
    )
    back = boxes_of(plain(boxes))
    np.testing.assert_allclose(back.xyxy, boxes.xyxy, atol=0.051)
    np.testing.assert_allclose(back.confidence, boxes.confidence, atol=1e-4)
    np.testing.assert_array_equal(back.class_id, boxes.class_id)
    assert boxes_of(plain(Detections.empty())).xyxy.shape == (0, 4)


def test_a_drifting_camera_is_preferred_and_its_frames_say_why(
    ledger: Ledger, queue: ReviewQueue
) -> None:
    queue.add([review(k, camera_id="day", score=0.3) for k in range(3)])
    queue.add([review(k, camera_id="night", score=0.02) for k in range(3, 6)])
    assert queue.choose(3) == 3
    assert {r.camera_id for r in list_reviews(ledger, [State.PENDING])} == {"day"}
    assert queue.choose(6, {"night": "fog"}) == 3
    (one, *_) = [r for r in list_reviews(ledger, [State.PENDING]) if r.camera_id == "night"]
    assert (one.drift, one.score) == ("fog", pytest.approx(0.4 + 0.6 * 0.02))
    assert only(ledger, 0).drift == ""
    assert to_task(one).drift == "fog"


# Budget


def test_the_budget_of_a_day_is_never_exceeded(ledger: Ledger, clock: FakeClock) -> None:
    queue = ReviewQueue(ledger, clock)  # 14:00
    chosen = []
    for hour in range(9):
        queue.add([review(100 * hour + k, at=clock.now()) for k in range(7)])
        chosen.append(queue.choose(20))
        clock.advance(3600)
    assert chosen == [7, 7, 6, 0, 0, 0, 0, 0, 0]
    clock.advance(3600 - 1)  # 23:59:59
    assert queue.choose(20) == 0
    clock.advance(1)
    assert queue.choose(20) == 20
    assert queue.choose(20) == 0
    assert queue.choose(25) == 5, "a larger budget counts what was chosen"


def test_what_was_chosen_counts_whatever_became_of_it(
    ledger: Ledger, queue: ReviewQueue, clock: FakeClock
) -> None:
    desk = Desk()
    waiting(queue, desk, 5)
    desk.answers[digest(0)] = Skipped(digest(0), "ann", NOON)
    queue.pull(desk)
    queue.add([review(k) for k in range(50, 60)])
    assert queue.choose(5) == 0


class _Interrupted(Ledger):
    """A ledger that somebody else uses just before our n-th transaction."""

    def __init__(self, ledger: Ledger, before: int, somebody: Callable[[], object]) -> None:
        super().__init__(ledger._engine)
        self._left, self._somebody = before, somebody

    @contextlib.contextmanager
    def transaction(self) -> Iterator[Connection]:
        self._left -= 1
        if self._left == 0:
            self._somebody()
        with super().transaction() as connection:
            yield connection


@pytest.mark.parametrize("moment", [1, 2, 3, 4])
def test_two_who_choose_at_once_share_one_budget(
    moment: int, ledger: Ledger, clock: FakeClock
) -> None:
    other = ReviewQueue(ledger, clock)
    other.add([review(k) for k in range(40)])
    clock.advance(1)
    counts = []
    busy = _Interrupted(ledger, moment, lambda: counts.append(other.choose(10)))
    counts.append(ReviewQueue(busy, clock).choose(15))
    assert counts == [10, 5]
    assert other.counts()[State.PENDING] == 15


def test_two_who_push_at_once_count_each_frame_once(ledger: Ledger, clock: FakeClock) -> None:
    queue, desk = ReviewQueue(ledger, clock), Desk()
    queue.add([review(k) for k in range(6)])
    queue.choose(6)
    counts = []
    busy = _Interrupted(ledger, 4, lambda: counts.append(queue.push(desk)))
    counts.append(ReviewQueue(busy, clock).push(desk))
    assert sum(counts) == 6
    assert sorted(desk.asked) == [digest(k) for k in range(6)]


def _choose_some(url: str, budget: int, gate: "multiprocessing.synchronize.Barrier") -> None:
    queue = ReviewQueue(open_ledger(url), SystemClock())
    gate.wait(60)
    queue.choose(budget)


def test_processes_that_choose_at_once_share_one_budget(tmp_path: Path, ledger: Ledger) -> None:
    clock = SystemClock()
    queue = ReviewQueue(ledger, clock)
    queue.add([review(k, at=clock.now()) for k in range(200)])
    spawned = multiprocessing.get_context("forkserver")
    spawned.set_forkserver_preload(["labeling.queue"])
    gate = spawned.Barrier(3)
    url = f"sqlite:///{tmp_path / 'ledger.db'}"
    choosers = [spawned.Process(target=_choose_some, args=(url, 30, gate)) for _ in range(3)]
    for chooser in choosers:
        chooser.start()
    for chooser in choosers:
        chooser.join()
    assert [chooser.exitcode for chooser in choosers] == [0, 0, 0]
    assert queue.counts()[State.PENDING] == 30


# Death


_FRAMES = 4


def _life(path: Path, desk: Desk, fate: Fate) -> int:
    """All that a process does with a queue; how many answers it counted."""
    desk.fate = fate
    ledger = open_ledger(f"sqlite:///{path}")
    queue = ReviewQueue(MortalLedger(ledger, fate), FakeClock(NOON + timedelta(hours=2)))
    try:
        queue.add([review(k) for k in range(_FRAMES)])
        queue.choose(_FRAMES)
        queue.push(desk)
        return queue.pull(desk)
    finally:
        ledger.close()


def _steps(tmp_path: Path) -> int:
    fate = Fate()
    assert _life(tmp_path / "whole.db", Desk(), fate) == _FRAMES
    return fate.steps


def test_a_death_between_any_two_steps_loses_nothing_and_doubles_nothing(tmp_path: Path) -> None:
    steps = _steps(tmp_path)
    assert steps > 30
    for step in range(steps):
        path, desk = tmp_path / f"{step}.db", Desk()
        with pytest.raises(Killed):
            _life(path, desk, Fate(at=step))
        _life(path, desk, Fate())
        assert _life(path, desk, Fate()) == 0, "nothing is left for a third life"
        ledger = open_ledger(f"sqlite:///{path}")
        assert states(ledger) == dict.fromkeys(range(_FRAMES), State.LABELED), f"step {step}"
        ledger.close()
        assert Counter(desk.asked) == {digest(k): 1 for k in range(_FRAMES)}, f"step {step}"


_DIES = """
import os, sys
from datetime import timedelta
from labeling.queue import ReviewQueue
from streetloop.ledger import open_ledger
from tests.support.fakes import FakeClock
from tests.support.frames import NOON
class Paper:
    def push(self, tasks, pushed):
        for k, task in enumerate(tasks):
            with open(sys.argv[2], "a") as paper:
                paper.write(task.digest + "\\n")
            if k == 2:
                os._exit(9)
            pushed(task.digest)
ReviewQueue(open_ledger(sys.argv[1]), FakeClock(NOON)).push(Paper())
"""


def test_a_process_that_dies_after_asking_and_before_noting_it_asks_nobody_twice(
    tmp_path: Path, ledger: Ledger, queue: ReviewQueue
) -> None:
    queue.add([review(k) for k in range(5)])
    queue.choose(5)
    paper = tmp_path / "paper.txt"
    url = f"sqlite:///{tmp_path / 'ledger.db'}"
    died = subprocess.run([sys.executable, "-c", _DIES, url, str(paper)], check=False)
    assert died.returncode == 9
    assert queue.counts()[State.PUSHED] == 2
    desk = Desk()
    desk.asked = paper.read_text().split()
    assert len(desk.asked) == 3
    assert queue.push(desk) == 3
    assert sorted(desk.asked) == [digest(k) for k in range(5)]
    assert queue.counts()[State.PUSHED] == 5


def test_a_labeler_that_fails_half_way_is_given_the_rest_later(queue: ReviewQueue) -> None:
    class Tired(Desk):
        def push(self, tasks, pushed):  # type: ignore[no-untyped-def]
            super().push(tasks[:2], pushed)
            if len(tasks) > 2:
                raise LabelerError("enough for now")

    desk = Tired()
    queue.add([review(k) for k in range(5)])
    queue.choose(5)
    for left in (3, 1):
        with pytest.raises(LabelerError, match="enough"):
            queue.push(desk)
        assert queue.counts()[State.PENDING] == left
    assert queue.push(desk) == 1
    assert sorted(desk.asked) == [digest(k) for k in range(5)]


# Answers


def test_a_frame_with_nothing_in_it_is_labelled_too(ledger: Ledger, queue: ReviewQueue) -> None:
    desk = Desk()
    waiting(queue, desk, 1)
    assert queue.pull(desk) == 1
    kept = only(ledger, 0)
    assert (kept.state, kept.label) == (State.LABELED, [])


def test_what_was_declined_or_cannot_be_used_is_rejected_with_the_reason(
    ledger: Ledger, queue: ReviewQueue
) -> None:
    desk = Desk()
    waiting(queue, desk, 3)
    desk.answers[digest(0)] = Skipped(digest(0), "bob", NOON)
    desk.answers[digest(1)] = Quarantined(digest(1), "a polygon is not a labelled rectangle", {})
    desk.answers[digest(2)] = Quarantined(digest(2), "x" * 5000, {})
    assert queue.pull(desk) == 3
    assert states(ledger) == dict.fromkeys(range(3), State.REJECTED)
    declined, polygon, long = (only(ledger, k) for k in range(3))
    assert (declined.labeler, declined.note) == ("bob", "declined by the labeller")
    assert (polygon.labeler, polygon.note) == (None, "a polygon is not a labelled rectangle")
    assert polygon.label is None
    assert long.note == "x" * 1000
    assert queue.pull(desk) == 0


def test_answers_that_nobody_waits_for_are_ignored(ledger: Ledger, queue: ReviewQueue) -> None:
    class Chatty(Desk):
        def pull(self, waiting):  # type: ignore[no-untyped-def]
            strange = [labeled(digest(99)), Skipped(digest(98), "x", NOON), labeled(digest(7))]
            return [*strange, *super().pull(waiting), labeled(digest(0), found((0, 0, 9, 9)))]

    desk = Chatty()
    waiting(queue, desk, 2)
    queue.add([review(7)])
    assert queue.pull(desk) == 2, "the second answer for one frame does not count"
    assert only(ledger, 0).label == []
    assert states(ledger) == {0: State.LABELED, 1: State.LABELED, 7: State.CANDIDATE}


def test_an_answer_that_comes_again_does_not_undo_a_dataset(
    ledger: Ledger, queue: ReviewQueue
) -> None:
    desk = Desk()
    waiting(queue, desk, 2)
    queue.pull(desk)
    mark_in_dataset(ledger, [digest(0)], "d" * 64)
    desk.answers[digest(0)] = Skipped(digest(0), "bob", NOON)
    assert queue.pull(desk) == 0
    assert states(ledger) == {0: State.IN_DATASET, 1: State.LABELED}


def test_a_labeler_is_not_asked_when_nobody_waits(queue: ReviewQueue) -> None:
    desk = Desk()
    desk.refuses = LabelerError("closed")
    assert (queue.pull(desk), queue.push(desk)) == (0, 0)


def test_frames_that_a_labeler_has_lost_are_pushed_again(
    ledger: Ledger, queue: ReviewQueue
) -> None:
    desk = Desk()
    waiting(queue, desk, 3)
    desk.asked.remove(digest(1))
    queue.ask_again([digest(1), digest(77)])
    assert only(ledger, 1).pushed_at is None
    assert queue.push(desk) == 1
    assert sorted(desk.asked) == [digest(k) for k in range(3)]


def test_a_labelled_frame_is_not_asked_again(ledger: Ledger, queue: ReviewQueue) -> None:
    desk = Desk()
    waiting(queue, desk, 1)
    queue.pull(desk)
    queue.ask_again([digest(0)])
    assert states(ledger) == {0: State.LABELED}


# Time


def test_frames_that_waited_too_long_expire_and_no_others(
    ledger: Ledger, queue: ReviewQueue, clock: FakeClock
) -> None:
    desk = Desk()
    waiting(queue, desk, 2)
    queue.add([review(2), review(3), review(4, at=NOON + timedelta(days=2))])
    queue.choose(3)
    assert queue.expire() == []
    clock.advance(3 * 86400)
    assert sorted(queue.expire()) == [review(k).image_key for k in (2, 3)]
    assert queue.expire() == []
    assert states(ledger) == {
        0: State.PUSHED, 1: State.PUSHED, 2: State.EXPIRED, 3: State.EXPIRED, 4: State.CANDIDATE,
    }  # fmt: skip
    assert queue.push(desk) == 0


def test_what_is_too_old_is_not_chosen(queue: ReviewQueue, clock: FakeClock) -> None:
    queue.add([review(1)])
    clock.advance(3 * 86400)
    assert queue.choose(10) == 0


def test_a_day_later_the_same_street_may_be_asked_about_again(
    queue: ReviewQueue, clock: FakeClock
) -> None:
    bits = np.arange(4, dtype=np.uint64)
    queue.add([review(1, bits=bits)])
    assert queue.choose(10) == 1
    clock.advance(3600)
    queue.add([review(2, bits=bits, at=clock.now())])
    assert queue.choose(10) == 0, "it looks like one that was asked about an hour ago"
    clock.advance(86400)
    assert queue.choose(10) == 1


def test_a_ledger_that_is_gone_is_said(queue: ReviewQueue, ledger: Ledger) -> None:
    with ledger.transaction() as connection:
        connection.exec_driver_sql("drop table reviews")
    for use in (queue.counts, lambda: queue.choose(1), lambda: queue.push(Desk())):
        with pytest.raises(LedgerError, match="no such table"):
            use()


# The oracle


def test_the_oracle_labels_simulated_frames_with_the_truth(
    ledger: Ledger, queue: ReviewQueue
) -> None:
    uri = "sim://larkfield/gantry?size=320x180&traffic=busy"
    reviews = [
        replace(review(k, origin={"uri": uri, "frame": 20 * k}), width=320, height=180)
        for k in range(3)
    ]
    queue.add([*reviews, review(9, camera_id="real")])
    assert queue.choose(10) == 4
    oracle = OracleLabeler(CLASSES, FakeClock(), tasks=queue.find)
    with pytest.raises(LabelerError, match="real is elsewhere"):
        queue.push(oracle)
    assert queue.counts()[State.PENDING] == 1, "one from elsewhere does not keep the others back"
    # Another process takes the answers home.
    assert queue.pull(OracleLabeler(CLASSES, FakeClock(), tasks=queue.find)) == 3
    truth = Oracle()
    for one in list_reviews(ledger, [State.LABELED]):
        expected = truth.truth(uri, int(one.origin["frame"])).detections()
        label = boxes_of(one.label)
        np.testing.assert_array_equal(label.class_id, expected.class_id)
        size = [320, 180, 320, 180]
        np.testing.assert_allclose(label.xyxy, np.clip(expected.xyxy, 0, size), atol=0.06)
        assert one.labeler == "oracle"


def test_labels_have_the_moment_that_the_labeler_gave(ledger: Ledger, queue: ReviewQueue) -> None:
    desk, at = Desk(), datetime.fromisoformat("2026-03-01T13:00:00+05:30")
    waiting(queue, desk, 1)
    desk.answers[digest(0)] = Labeled(digest(0), Detections.empty(), "ann", at)
    queue.pull(desk)
    assert only(ledger, 0).answered_at == at
