"""The progress of a training stands in the ledger while it trains, and no longer."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from flows.runtime.progress_note import ProgressNote
from flows.service.views import learning_view
from streetloop.ledger import Ledger, open_ledger
from streetloop.ledger.learning import LearningRun, Step, begin_learning, go_on, list_learning
from train.fine_tuning.recipe import Progress

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    ledger = open_ledger(f"sqlite:///{tmp_path / 'ledger.db'}")
    yield ledger
    ledger.close()


@pytest.fixture
def run(ledger: Ledger) -> LearningRun:
    begun = begin_learning(ledger, "learn-1", {"kind": "drift"}, NOON)
    return go_on(ledger, begun, Step.TRAINING, NOON, {"labels": 40})


def told(ledger: Ledger) -> str | None:
    (found,) = list_learning(ledger)
    view = learning_view(found)
    return None if view.training is None else view.training.in_words()


def test_it_is_noted_every_five_seconds_and_at_the_end_of_an_epoch(ledger: Ledger, run: LearningRun) -> None:
    now = [0.0]
    note = ProgressNote(ledger, run.name, lambda: now[0])
    assert told(ledger) is None
    note(Progress(0, 4, 0.0, {}))
    assert told(ledger) == "epoch 1 of 4, 0 %"
    now[0] = 4.0
    note(Progress(0, 4, 0.4, {}))
    assert told(ledger) == "epoch 1 of 4, 0 %", "not yet"
    now[0] = 100.0
    note(Progress(1, 4, 0.0, {}))
    assert told(ledger) == "epoch 2 of 4, 25 %, about 5 min to go"
    now[0] = 101.0
    note(Progress(1, 4, 1.0, {}, epoch_over=True))
    assert told(ledger) == "epoch 2 of 4, 50 %, about 2 min to go"


def test_a_training_that_goes_on_counts_the_time_of_what_it_did_itself(
    ledger: Ledger, run: LearningRun
) -> None:
    now = [0.0]
    note = ProgressNote(ledger, run.name, lambda: now[0])
    note(Progress(2, 4, 0.0, {}))
    now[0] = 60.0
    note(Progress(3, 4, 0.0, {}))
    assert told(ledger) == "epoch 4 of 4, 75 %, about 1 min to go"


def test_the_next_step_forgets_it_and_keeps_the_rest(ledger: Ledger, run: LearningRun) -> None:
    ProgressNote(ledger, run.name)(Progress(3, 4, 1.0, {}, epoch_over=True))
    (trained,) = list_learning(ledger)
    after = go_on(ledger, trained, Step.ROLLOUT, NOON, {"version": 2})
    assert after.detail == {"labels": 40, "version": 2}
    ProgressNote(ledger, "nobody")(Progress(0, 4, 0.0, {}))
    assert told(ledger) is None


def test_a_ledger_that_is_away_ends_no_training(
    ledger: Ledger, run: LearningRun, caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    ledger.close()
    for file in tmp_path.glob("ledger.db*"):
        file.unlink()
    ProgressNote(ledger, run.name)(Progress(0, 4, 0.0, {}))
    assert "the progress of learn-1 was not noted" in caplog.text
