"""The budget of a day is one, however many choose at once."""

import contextlib
import itertools
import multiprocessing
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import Connection

from labeling.answers import Skipped
from labeling.queue import ReviewQueue
from streetloop.clock import SystemClock
from streetloop.ledger import Ledger, open_ledger
from streetloop.ledger.reviews import ReviewState, SelectionReason, list_reviews
from tests.support.samples.frames import NOON, FakeLabeler, digest, review, waiting
from tests.support.stream_flow.fakes import FakeClock


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
    people = FakeLabeler()
    waiting(queue, people, 5)
    people.answers[digest(0)] = Skipped(digest(0), "ann", NOON)
    queue.pull(people)
    queue.add([review(k) for k in range(50, 60)])
    assert queue.choose(5) == 0


@pytest.mark.parametrize(("budget", "every_s"), [(100, 600), (100, 3600), (20, 600)])
def test_a_tenth_of_the_day_is_drawn_at_random_however_often_frames_are_chosen(
    budget: int, every_s: int, tmp_path: Path
) -> None:
    ledger = open_ledger(f"sqlite:///{tmp_path / 'ledger.db'}")  # hundreds of rounds, on one database
    clock = FakeClock(datetime(2026, 3, 1, tzinfo=UTC))
    queue, number = ReviewQueue(ledger, clock), itertools.count()
    for _ in range(86_400 // every_s):
        fresh = [review(next(number), at=clock.now()) for _ in range(budget * every_s // 86_400 + 1)]
        drawn = review(next(number), at=clock.now(), reason=SelectionReason.RANDOM, score=0.0)
        queue.add([*fresh, drawn])
        queue.choose(budget, every_s=every_s)
        clock.advance(every_s)
    chosen = Counter(one.reason for one in list_reviews(ledger, [ReviewState.PENDING]))
    assert chosen == {"unsure": 0.9 * budget, "random": 0.1 * budget}


class _Interrupted(Ledger):
    """A ledger that somebody else uses just before our n-th transaction or snapshot."""

    def __init__(self, ledger: Ledger, before: int, somebody: Callable[[], object]) -> None:
        super().__init__(ledger._engine)
        self._left, self._somebody = before, somebody

    @contextlib.contextmanager
    def transaction(self) -> Iterator[Connection]:
        self._count()
        with super().transaction() as connection:
            yield connection

    @contextlib.contextmanager
    def snapshot(self) -> Iterator[Connection]:
        self._count()
        with super().snapshot() as connection:
            yield connection

    def _count(self) -> None:
        self._left -= 1
        if self._left == 0:
            self._somebody()


@pytest.mark.parametrize("moment", [1, 2, 3, 4, 5])
def test_two_who_choose_at_once_share_one_budget(moment: int, ledger: Ledger, clock: FakeClock) -> None:
    other = ReviewQueue(ledger, clock)
    other.add([review(k) for k in range(40)])
    clock.advance(1)
    counts = []
    busy = _Interrupted(ledger, moment, lambda: counts.append(other.choose(10)))
    counts.append(ReviewQueue(busy, clock).choose(15))
    assert counts == [10, 5]
    assert other.counts()[ReviewState.PENDING] == 15


def test_two_who_push_at_once_count_each_frame_once(ledger: Ledger, clock: FakeClock) -> None:
    queue, people = ReviewQueue(ledger, clock), FakeLabeler()
    queue.add([review(k) for k in range(6)])
    queue.choose(6)
    counts = []
    busy = _Interrupted(ledger, 4, lambda: counts.append(queue.push(people)))
    counts.append(ReviewQueue(busy, clock).push(people))
    assert sum(counts) == 6
    assert sorted(people.asked) == [digest(k) for k in range(6)]


def _choose_some(url: str, budget: int, gate: "multiprocessing.synchronize.Barrier") -> None:
    queue = ReviewQueue(open_ledger(url), SystemClock())
    gate.wait(60)
    queue.choose(budget)


def test_processes_that_choose_at_once_share_one_budget(ledger_url: str, ledger: Ledger) -> None:
    clock = SystemClock()
    queue = ReviewQueue(ledger, clock)
    queue.add([review(k, at=clock.now()) for k in range(200)])
    spawned = multiprocessing.get_context("forkserver")
    spawned.set_forkserver_preload(["labeling.queue"])
    gate = spawned.Barrier(3)
    choosers = [spawned.Process(target=_choose_some, args=(ledger_url, 30, gate)) for _ in range(3)]
    for chooser in choosers:
        chooser.start()
    for chooser in choosers:
        chooser.join()
    assert [chooser.exitcode for chooser in choosers] == [0, 0, 0]
    assert queue.counts()[ReviewState.PENDING] == 30
