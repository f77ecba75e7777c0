from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from streetloop.errors import QueueFull
from streetloop.ledger import Ledger, open_ledger
from streetloop.ledger import evaluations as queue
from streetloop.ledger.evaluations import (
    EvaluationRun,
    EvaluationState,
    ask_for_evaluation,
    fail_evaluation,
    fail_running_evaluations,
    find_evaluation,
    finish_evaluation,
    list_evaluations,
    note_evaluation_progress,
    start_next_evaluation,
)
from streetloop.sqlite_url import sqlite_url

NOW = datetime.now(UTC).replace(microsecond=0)
LATER = NOW + timedelta(minutes=1)
OPTIONS = {"split": "val", "map": {"bicycle": "bike"}}
RESULT = {"map50": 0.5, "classes": {"car": {"map50": None}}, "notes": []}


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    ledger = open_ledger(sqlite_url(tmp_path / "ledger.db"))
    yield ledger
    ledger.close()


def _ask(ledger: Ledger, max_waiting: int = 9) -> EvaluationRun:
    return ask_for_evaluation(ledger, "3", "ab" * 32, OPTIONS, "ann", NOW, max_waiting)


def _states(ledger: Ledger) -> list[str]:
    return [one.state.value for one in list_evaluations(ledger, 0, 99)]


def test_one_runs_at_a_time_in_the_order_in_which_they_were_asked_for(ledger: Ledger) -> None:
    first, second = _ask(ledger), _ask(ledger)
    assert (first.state, first.progress, first.result) == (EvaluationState.QUEUED, 0.0, None)
    assert (first.model, first.options, first.author, first.asked_at) == ("3", OPTIONS, "ann", NOW)
    running = start_next_evaluation(ledger, LATER)
    assert running is not None
    assert (running.id, running.state, running.started_at) == (first.id, EvaluationState.RUNNING, LATER)
    assert start_next_evaluation(ledger, LATER) is None
    assert note_evaluation_progress(ledger, first.id, 0.25)
    assert finish_evaluation(ledger, first.id, RESULT, LATER)
    done = find_evaluation(ledger, first.id)
    assert done is not None
    assert (done.state, done.progress, done.result, done.ended_at) == ("done", 1.0, RESULT, LATER)
    assert list(done.result or {}) == list(RESULT), "in the same order"
    following = start_next_evaluation(ledger, LATER)
    assert following is not None
    assert following.id == second.id
    assert start_next_evaluation(ledger, LATER) is None


def test_what_is_over_does_not_change(ledger: Ledger) -> None:
    number = _ask(ledger).id
    assert not note_evaluation_progress(ledger, number, 0.5), "it waits"
    start_next_evaluation(ledger, NOW)
    assert fail_evaluation(ledger, number, "no class 'tram'", LATER)
    assert not finish_evaluation(ledger, number, RESULT, LATER)
    assert not note_evaluation_progress(ledger, number, 0.5)
    found = find_evaluation(ledger, number)
    assert found is not None
    assert (found.state, found.error, found.result) == ("failed", "no class 'tram'", None)


def test_a_restart_fails_what_ran_and_keeps_what_waits(ledger: Ledger) -> None:
    first, _ = _ask(ledger), _ask(ledger)
    start_next_evaluation(ledger, NOW)
    assert fail_running_evaluations(ledger, "interrupted", LATER) == 1
    assert _states(ledger) == ["queued", "failed"]
    assert fail_running_evaluations(ledger, "interrupted", LATER) == 0
    found = find_evaluation(ledger, first.id)
    assert found is not None
    assert (found.error, found.ended_at) == ("interrupted", LATER)


def test_the_queue_is_bounded(ledger: Ledger) -> None:
    for _ in range(2):
        _ask(ledger, max_waiting=2)
    with pytest.raises(QueueFull, match="2 evaluations wait already; ask again later") as full:
        _ask(ledger, max_waiting=2)
    assert full.value.retry_after_s > 0
    start_next_evaluation(ledger, NOW)
    _ask(ledger, max_waiting=2)
    assert _states(ledger) == ["queued", "queued", "running"]


def test_old_ones_are_forgotten_but_for_those_that_wait(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(queue, "_MAX_KEPT", 2)
    first = _ask(ledger)
    start_next_evaluation(ledger, NOW)
    finish_evaluation(ledger, first.id, RESULT, NOW)
    numbers = [_ask(ledger).id for _ in range(3)]
    assert [one.id for one in list_evaluations(ledger, 0, 99)] == numbers[::-1]
    assert find_evaluation(ledger, first.id) is None
    assert [one.id for one in list_evaluations(ledger, 1, 1)] == [numbers[1]]
