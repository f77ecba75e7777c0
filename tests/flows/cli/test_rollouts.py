"""``streetloop rollout`` as people and programs use it."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from typer.testing import CliRunner

from flows.cli.main import app
from flows.service.policy_file import read_policy
from serve.rollout.policy import Phase, Policy
from streetloop.control.views import RolloutView
from streetloop.errors import ConfigError, NotFound, RolloutError
from streetloop.ledger import Ledger, open_ledger
from streetloop.ledger.rollouts import (
    Entry,
    RolloutCommand,
    RolloutState,
    list_rollouts,
    move,
    note_progress,
    open_rollout,
    start_rollout,
)
from streetloop.settings import Settings
from tests.support.stage import Stage

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
_run = CliRunner()


def _rollout(*arguments: str) -> Result:
    return _run.invoke(app, ["rollout", *arguments], env={"COLUMNS": "200"})


@pytest.fixture
def ledger() -> Iterator[Ledger]:
    ledger = open_ledger(Settings().ledger)
    yield ledger
    ledger.close()


def _started(ledger: Ledger, model: str = "2", city: str | None = None) -> None:
    start_rollout(
        ledger,
        model,
        "1",
        city,
        Policy().model_dump(mode="json"),
        Phase().model_dump(mode="json"),
        "ann",
        NOON,
    )


# The policy file


def _file(folder: Path, text: str | bytes) -> Path:
    path = folder / "policy.yaml"
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return path


def test_a_policy_file_changes_what_it_names_and_nothing_else(tmp_path: Path) -> None:
    file = _file(tmp_path, "steps: [0.1, 1]\nminutes: 3\n")
    assert read_policy(file) == Policy(steps=(0.1, 1.0), minutes=3)
    assert read_policy(None) == Policy()


@pytest.mark.parametrize("text", ["", "# nothing yet\n", "{}", "null"])
def test_an_empty_policy_file_is_the_usual_policy(tmp_path: Path, text: str) -> None:
    assert read_policy(_file(tmp_path, text)) == Policy()


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("speed: 3", "speed: Extra inputs are not permitted"),
        ("alpha: 2", "alpha: Input should be less than 0.5"),
        ("alpha: soon", "alpha: Input should be a valid number"),
        ("steps: [0.5, 0.25, 1]", "steps: Value error, must rise from above 0 to 1"),
        ("patience_minutes: .inf", "patience_minutes: Input should be a finite number"),
        ("[1, 2]", "write a YAML mapping"),
        ("[]", "write a YAML mapping"),
        ("just words", "write a YAML mapping"),
        ("false", "write a YAML mapping"),
        ("1: 2", "write a YAML mapping"),
        ("a: [b", "write a YAML mapping"),
        ("? [1]\n: 2", "write a YAML mapping"),
        ("when: 2026-99-99", "write a YAML mapping"),
        ("[" * 20_000, "write a YAML mapping"),
        (b"\xff\xfe\x00\x01", "write a YAML mapping"),
        ("!!python/object/apply:os.system ['true']", "write a YAML mapping"),
        ("# " + "x" * 70_000, "larger than 64 KB"),
    ],
)
def test_a_policy_file_that_is_wrong_is_refused_in_one_sentence(
    tmp_path: Path, text: str | bytes, says: str
) -> None:
    file = _file(tmp_path, text)
    with pytest.raises(ConfigError) as caught:
        read_policy(file)
    assert says in str(caught.value)
    assert str(file) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_policy_file_that_is_not_there_or_a_folder_is_refused(tmp_path: Path) -> None:
    for path in (tmp_path / "none.yaml", tmp_path):
        with pytest.raises(ConfigError, match="cannot be read"):
            read_policy(path)


# Status and report


def test_without_a_rollout_that_is_said() -> None:
    assert "no rollout yet" in _rollout("status").stdout
    assert json.loads(_rollout("status", "--json").stdout) is None
    result = _rollout("report", "3")
    assert isinstance(result.exception, NotFound)
    assert "there is no rollout 3" in str(result.exception)


def test_the_status_of_one_that_just_began_can_be_shown(ledger: Ledger) -> None:
    _started(ledger, city="Oslo")
    shown = _rollout("status").stdout
    assert "rollout 1: version 2 against 1, city Oslo: running, shadow" in shown
    assert "start (ann): version 2 is tried" in shown
    assert json.loads(_rollout("status", "--json").stdout)["evidence"] == {}


def _played(tmp_path: Path) -> dict[str, Any]:
    """A rollout in its first canary, as the ledger of this home has it."""
    stage = Stage(tmp_path)
    stage.ledger = stage.control._ledger = open_ledger(Settings().ledger)
    stage.begin()
    stage.ask()
    stage.until_served(1)
    stage.look()
    found: dict[str, Any] = json.loads(_rollout("status", "--json").stdout)
    stage.close()
    return found


def test_the_status_says_phase_cameras_evidence_and_what_is_waited_for(tmp_path: Path) -> None:
    found = _played(tmp_path)
    assert (found["state"], found["phase"]) == ("running", "canary 25 %")
    assert (found["model"], found["champion"], found["author"]) == ("2", "1", "ann")
    assert sorted(found["evidence"]["cameras"].values()) == ["challenger"] + ["champion"] * 3
    assert found["evidence"]["gains"]["all"]["low"] > 0
    assert found["evidence"]["waits_for"] == ["0.7 more minutes in this phase"]
    assert [entry["action"] for entry in found["decisions"]] == ["start", "advance"]
    assert found["policy"]["steps"] == [0.25, 1.0]

    shown = _rollout("status").stdout
    for words in (
        "running, canary 25 %",
        "waiting for 0.7 more minutes",
        "advance (policy): shadow is passed",
        "+0.100",
        "computing time x1.00",
        "on the challenger: ",
    ):
        assert words in shown


def test_a_report_is_that_of_the_number_and_has_all_decisions(ledger: Ledger) -> None:
    _started(ledger)
    first = open_rollout(ledger)
    assert first is not None
    note_progress(ledger, 1, {}, {"frames": 9}, NOON)
    entry = Entry(NOON, "roll back", "bob", "by hand", {"frames": 9})
    move(ledger, first, RolloutState.ROLLED_BACK, first.phase, 9, entry)
    _started(ledger, "3")
    found = json.loads(_rollout("report", "1", "--json").stdout)
    assert (found["id"], found["state"]) == (1, "rolled back")
    assert found["ended_at"] == "2026-03-01T12:00:00Z"
    assert found["decisions"][-1] == {
        "at": "2026-03-01T12:00:00Z",
        "action": "roll back",
        "author": "bob",
        "reason": "by hand",
        "evidence": {"frames": 9},
    }
    assert json.loads(_rollout("status", "--json").stdout)["id"] == 2


# Commands


@pytest.mark.parametrize(
    ("command", "wanted"),
    [
        ("pause", RolloutCommand.PAUSE),
        ("resume", RolloutCommand.RESUME),
        ("promote", RolloutCommand.PROMOTE),
        ("rollback", RolloutCommand.ROLL_BACK),
    ],
)
def test_a_command_is_written_down_with_the_name_of_whoever_asks(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch, command: str, wanted: RolloutCommand
) -> None:
    monkeypatch.setattr("getpass.getuser", lambda: "dora")
    refused = _rollout(command)
    assert isinstance(refused.exception, RolloutError)
    assert "no rollout is open" in str(refused.exception)
    _started(ledger)
    assert _rollout(command).exit_code == 0
    found = open_rollout(ledger)
    assert found is not None
    assert (found.command, found.command_by) == (wanted, "dora")


def test_somebody_without_a_name_may_want_something_too(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    def nobody() -> str:
        raise KeyError("uid not found")

    monkeypatch.setattr("getpass.getuser", nobody)
    _started(ledger)
    assert _rollout("pause").exit_code == 0
    assert list_rollouts(ledger)[0].command_by == "somebody"


# Policy simulation


def test_a_simulation_can_be_read_by_programs_and_people(tmp_path: Path) -> None:
    short = ("simulate", "--runs", "2", "--hours", "0.2")
    found = json.loads(_rollout(*short, "--json").stdout)
    assert found["runs"] == 2
    for kind in ("harmful", "equal", "better"):
        assert 0 <= found[kind]["promoted"] <= 1
    shown = _rollout(*short).stdout
    assert all(word in shown for word in ("harmful", "equal", "better", "undecided"))


def test_a_simulation_plays_the_policy_that_is_given(tmp_path: Path) -> None:
    file = _file(tmp_path, "patience_minutes: 3\nminutes: 5\n")
    found = json.loads(
        _rollout("simulate", "--runs", "3", "--hours", "0.2", "--policy", str(file), "--json").stdout
    )
    assert found["better"]["rolled_back"] == 1.0
    wrong = _rollout("simulate", "--policy", str(_file(tmp_path, "speed: 1")))
    assert isinstance(wrong.exception, ConfigError)


@pytest.mark.parametrize("arguments", [("--runs", "0"), ("--hours", "0"), ("--runs", "many")])
def test_a_simulation_of_nothing_is_refused(arguments: tuple[str, str]) -> None:
    assert _rollout("simulate", *arguments).exit_code == 2


def test_the_old_name_of_the_simulation_is_accepted_with_a_warning() -> None:
    result = _rollout("rehearse", "--runs", "1", "--hours", "0.1", "--json")
    assert json.loads(result.stdout)["runs"] == 1
    assert "`rollout rehearse` is now `rollout simulate`" in result.stderr
    assert "rehearse" not in _rollout("--help").stdout


def test_keys_are_those_of_the_api_and_the_old_ones_stay_for_a_version(ledger: Ledger) -> None:
    _started(ledger)
    found = json.loads(_rollout("status", "--json").stdout)
    assert found["id"] == found["rollout"] == 1
    assert set(found) == {*RolloutView.model_fields, "rollout"}
    assert json.loads(_rollout("show", "1", "--json").stdout) == found
