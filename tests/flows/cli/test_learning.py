"""``streetloop learn`` as people and programs use it."""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import Result
from typer.testing import CliRunner

from flows.cli.main import app
from streetloop.control.views import LearningView
from streetloop.errors import LearningError
from streetloop.ledger import Ledger, open_ledger
from streetloop.ledger.learning import TrainingProgress, note_training, open_learning
from streetloop.ledger.reviews import ReviewState, add_reviews
from streetloop.settings import Settings
from tests.support.samples.frames import review


@pytest.fixture
def ledger() -> Iterator[Ledger]:
    ledger = open_ledger(Settings().ledger)
    yield ledger
    ledger.close()


def learn(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["learn", *arguments], env={"COLUMNS": "200"})


def test_without_a_run_it_says_what_starts_one() -> None:
    assert "no learning run yet" in learn("status").stdout
    assert json.loads(learn("status", "--json").stdout) == []


def test_a_run_is_requested_shown_and_dropped(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("getpass.getuser", lambda: "dora")
    add_reviews(ledger, [replace(review(0), state=ReviewState.LABELED)])
    requested = learn("now")
    assert (requested.exit_code, requested.stdout) == (0, "")
    assert "learning run 1 is requested" in requested.stderr
    assert "because of dora asked for it" in learn("status").stdout
    (row,) = json.loads(learn("status", "--json").stdout)
    assert set(row) == {*LearningView.model_fields, "run"}
    assert (row["id"], row["run"], row["step"]) == (1, 1, "labeling")
    note_training(ledger, row["name"], TrainingProgress(2, 5, 0.31, 260.0))
    assert "epoch 2 of 5, 31 %, about 4 min to go" in learn("status").stdout
    assert json.loads(learn("status", "--json").stdout)[0]["training"]["done"] == 0.31
    assert "learning run 1 is dropped" in learn("drop").stderr
    assert open_learning(ledger) is None
    assert "by hand (dora)" in learn("status").stdout


def test_a_run_of_a_city_is_requested(ledger: Ledger, tmp_path: Path) -> None:
    file = tmp_path / "cameras.yaml"
    file.write_text("cameras:\n  - {id: a, uri: rtsp://10.0.0.7/a, city: denver}\n")
    add_reviews(ledger, [replace(review(0), state=ReviewState.LABELED)])
    requested = learn("now", "--city", "denver", "--file", str(file))
    assert "learning run 1 is requested" in requested.stderr
    run = open_learning(ledger)
    assert run is not None
    assert run.trigger["city"] == "denver"
    assert "of denver, because of" in learn("status").stdout


def test_without_labels_nothing_is_requested(ledger: Ledger) -> None:
    refused = learn("now").exception
    assert isinstance(refused, LearningError)
    assert "no new labels; `streetloop label pull` fetches them" in str(refused)
    assert open_learning(ledger) is None


@pytest.mark.parametrize("command", ["resume", "drop"])
def test_without_an_open_run_there_is_none_to_steer(command: str) -> None:
    assert isinstance(learn(command).exception, LearningError)
