"""Evaluations from the ledger, one at a time; the last tests evaluate in a process of its own."""

import json
import threading
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from flows.cli.main import app
from flows.reports.evaluation_queue import EvaluateRun, EvaluationQueue, evaluate_here
from streetloop.errors import DatasetError, StreetloopError
from streetloop.ledger import Ledger, open_ledger
from streetloop.ledger.evaluations import (
    EvaluationRun,
    ask_for_evaluation,
    fail_evaluation,
    find_evaluation,
    start_next_evaluation,
)
from streetloop.settings import Settings
from streetloop.storage.store import FolderStore
from tests.support.rollout import wait_for
from tests.support.samples.tiny_model import detector_output, write_tiny_model
from tests.train.data.test_dataset import pure
from train.data.dataset import save_dataset
from train.evaluation.kept_evaluation import evaluation_key, load_kept_evaluation

NOW = datetime.now(UTC)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(home=tmp_path / "home")


@pytest.fixture
def ledger(settings: Settings) -> Iterator[Ledger]:
    ledger = open_ledger(settings.ledger)
    yield ledger
    ledger.close()


def _ask(
    ledger: Ledger, model: str = "3", dataset: str = "ab" * 32, options: Mapping[str, Any] | None = None
) -> int:
    return ask_for_evaluation(ledger, model, dataset, options or {}, "ann", NOW, 9).id


def _found(ledger: Ledger, number: int) -> EvaluationRun:
    found = find_evaluation(ledger, number)
    assert found is not None
    return found


def _stepped(queue: EvaluationQueue, until: Callable[[], bool]) -> None:
    def is_so() -> bool:
        queue.step()
        return until()

    wait_for(is_so, "the end of an evaluation")


def _over(ledger: Ledger, number: int) -> bool:
    return _found(ledger, number).ended_at is not None


def _queue(settings: Settings, evaluate: EvaluateRun) -> EvaluationQueue:
    return EvaluationQueue(settings, lambda _: None, evaluate)


def test_one_after_the_other(settings: Settings, ledger: Ledger) -> None:
    first, second = _ask(ledger, "1"), _ask(ledger, "2")
    queue = _queue(settings, lambda _, run: {"model": run.model})
    _stepped(queue, lambda: _over(ledger, first))
    assert _found(ledger, first).result == {"model": "1"}
    assert _found(ledger, second).state == "queued"
    _stepped(queue, lambda: _over(ledger, second))
    assert _found(ledger, second).result == {"model": "2"}


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (DatasetError("the model has no class 'tram'"), "the model has no class 'tram'"),
        (MemoryError("too large"), "it failed: MemoryError('too large')"),
    ],
)
def test_one_that_fails_says_why_and_the_next_runs(
    settings: Settings, ledger: Ledger, error: Exception, sentence: str
) -> None:
    def evaluate(_: Settings, run: EvaluationRun) -> dict[str, Any]:
        if run.model == "bad":
            raise error
        return {}

    bad, good = _ask(ledger, "bad"), _ask(ledger, "good")
    queue = _queue(settings, evaluate)
    _stepped(queue, lambda: _over(ledger, good))
    assert (_found(ledger, bad).state, _found(ledger, bad).error) == ("failed", sentence)
    assert _found(ledger, good).state == "done"


def test_one_that_runs_at_the_end_is_interrupted(settings: Settings, ledger: Ledger) -> None:
    going = threading.Event()

    def evaluate(*_: object) -> dict[str, Any]:
        going.wait()
        return {}

    queue = _queue(settings, evaluate)
    number = _ask(ledger)
    queue.step()
    queue.close()
    assert (_found(ledger, number).state, _found(ledger, number).progress) == ("failed", 0.0)
    assert _found(ledger, number).error == "interrupted: the run ended before it was done"
    going.set()


def test_one_that_a_killed_process_left_is_interrupted_at_the_next_start(
    settings: Settings, ledger: Ledger
) -> None:
    left, waits = _ask(ledger), _ask(ledger)
    start_next_evaluation(ledger, NOW)
    queue = _queue(settings, lambda *_: {})
    queue.start()
    assert "interrupted" in (_found(ledger, left).error or "")
    wait_for(lambda: _over(ledger, waits), "the end of what waited")
    queue.close()
    assert _found(ledger, waits).state == "done"


@pytest.fixture
def model(tmp_path: Path) -> str:
    car = (6 * 640 / 60, 7 * 640 / 60, 10 * 640 / 60, 10 * 640 / 60, 0, 0.9)
    return str(write_tiny_model(tmp_path / "tiny.onnx", detector_output(car)))


@pytest.fixture
def digest(settings: Settings) -> str:
    store = FolderStore(settings.store)
    return save_dataset(store, pure(store))


def _printed(*arguments: str) -> Any:
    done = CliRunner().invoke(app, ["evaluate", *arguments, "--json"], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return json.loads(done.stdout)


def test_the_result_is_what_the_command_prints(
    settings: Settings, ledger: Ledger, model: str, digest: str
) -> None:
    number = _ask(ledger, model, digest, {"split": "train", "classes": {"car": ["car"]}})
    queue = EvaluationQueue(settings, lambda _: None)
    queue.start()
    wait_for(lambda: _over(ledger, number), "the report", 300)
    queue.close()
    found = _found(ledger, number)
    assert (found.state, found.error, found.progress) == ("done", None, 1.0)
    printed = _printed(model, digest, "--split", "train", "--classes", "car")
    assert json.dumps(found.result) == json.dumps(printed)
    assert printed["images"] == 4


def test_a_model_that_lacks_a_class_fails_with_the_commands_sentence(
    settings: Settings, ledger: Ledger, model: str, digest: str
) -> None:
    _ask(ledger, model, digest, {"map": {"tram": "car"}})
    run = start_next_evaluation(ledger, NOW)
    assert run is not None
    with pytest.raises(DatasetError, match="tram"):
        evaluate_here(settings, run)


def test_progress_is_written_and_what_was_given_up_ends(
    settings: Settings, ledger: Ledger, model: str, digest: str
) -> None:
    number = _ask(ledger, model, digest)
    run = start_next_evaluation(ledger, NOW)
    assert run is not None
    evaluate_here(settings, run)
    assert _found(ledger, number).progress > 0
    kept = load_kept_evaluation(FolderStore(settings.store), evaluation_key(number, run.asked_at))
    assert (list(kept.curves), kept.images, len(kept.frames)) == (["car", "bus"], 1, 1)
    fail_evaluation(ledger, number, "interrupted", NOW)
    with pytest.raises(StreetloopError, match="interrupted"):
        evaluate_here(settings, run)
