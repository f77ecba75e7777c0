"""Exactly once from candidate to label, whoever dies when."""

import subprocess
import sys
from collections import Counter
from datetime import timedelta
from pathlib import Path

import pytest

from labeling.queue import ReviewQueue
from streetloop.errors import LabelerError
from streetloop.ledger import open_ledger
from streetloop.ledger.reviews import ReviewState
from tests.support.samples.frames import NOON, FakeLabeler, Fate, Killed, MortalLedger, digest, review, states
from tests.support.stream_flow.fakes import FakeClock

_FRAMES = 4


def _life(path: Path, people: FakeLabeler, fate: Fate) -> int:
    """All that a process does with a queue; how many answers it counted."""
    people.fate = fate
    ledger = open_ledger(f"sqlite:///{path}")
    queue = ReviewQueue(MortalLedger(ledger, fate), FakeClock(NOON + timedelta(hours=2)))
    try:
        queue.add([review(k) for k in range(_FRAMES)])
        queue.choose(_FRAMES)
        queue.push(people)
        return queue.pull(people).total
    finally:
        ledger.close()


def _steps(tmp_path: Path) -> int:
    fate = Fate()
    assert _life(tmp_path / "whole.db", FakeLabeler(), fate) == _FRAMES
    return fate.steps


@pytest.mark.slow
def test_a_death_between_any_two_steps_loses_nothing_and_doubles_nothing(tmp_path: Path) -> None:
    steps = _steps(tmp_path)
    assert steps > 25
    for step in range(steps):
        path, people = tmp_path / f"{step}.db", FakeLabeler()
        with pytest.raises(Killed):
            _life(path, people, Fate(at=step))
        _life(path, people, Fate())
        assert _life(path, people, Fate()) == 0, "nothing is left for a third life"
        ledger = open_ledger(f"sqlite:///{path}")
        assert states(ledger) == dict.fromkeys(range(_FRAMES), ReviewState.LABELED), f"step {step}"
        ledger.close()
        assert Counter(people.asked) == {digest(k): 1 for k in range(_FRAMES)}, f"step {step}"


_DIES = """
import os, sys
from datetime import timedelta
from labeling.queue import ReviewQueue
from streetloop.ledger import open_ledger
from tests.support.stream_flow.fakes import FakeClock
from tests.support.samples.frames import NOON
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
    tmp_path: Path, ledger_url: str, queue: ReviewQueue
) -> None:
    queue.add([review(k) for k in range(5)])
    queue.choose(5)
    paper = tmp_path / "paper.txt"
    died = subprocess.run([sys.executable, "-c", _DIES, ledger_url, str(paper)], check=False)
    assert died.returncode == 9
    assert queue.counts()[ReviewState.PUSHED] == 2
    people = FakeLabeler()
    people.asked = paper.read_text().split()
    assert len(people.asked) == 3
    assert queue.push(people) == 3
    assert sorted(people.asked) == [digest(k) for k in range(5)]
    assert queue.counts()[ReviewState.PUSHED] == 5


def test_a_labeler_that_fails_half_way_is_given_the_rest_later(queue: ReviewQueue) -> None:
    class Tired(FakeLabeler):
        def push(self, tasks, pushed):  # type: ignore[no-untyped-def]
            super().push(tasks[:2], pushed)
            if len(tasks) > 2:
                raise LabelerError("enough for now")

    people = Tired()
    queue.add([review(k) for k in range(5)])
    queue.choose(5)
    for left in (3, 1):
        with pytest.raises(LabelerError, match="enough"):
            queue.push(people)
        assert queue.counts()[ReviewState.PENDING] == left
    assert queue.push(people) == 1
    assert sorted(people.asked) == [digest(k) for k in range(5)]
