"""``streetloop ledger copy``: a home moves to another database by one command."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from flows.cli.main import app
from streetloop.errors import ConfigError, LedgerError
from streetloop.host.home import lock_home
from streetloop.ledger import open_ledger
from streetloop.ledger.events import begin_event, list_events
from streetloop.settings import Settings
from tests.support.samples.frames import NOON
from tests.support.servers.postgres import PASSWORD


@pytest.fixture
def home() -> Path:
    """A home with one event."""
    settings = Settings()
    ledger = open_ledger(settings.ledger)
    begin_event(ledger, "drift", NOON)
    ledger.close()
    return settings.home


def copied(*arguments: str) -> str:
    done = CliRunner().invoke(app, ["ledger", "copy", *arguments], env={"COLUMNS": "200"})
    if done.exception is not None and not isinstance(done.exception, SystemExit):
        raise done.exception
    assert done.exit_code == 0, done.output
    return done.stdout


def test_a_home_moves_to_the_database_that_is_named(home: Path, ledger_url: str) -> None:
    said = json.loads(copied("--to", ledger_url, "--json"))
    assert said["rows"]["events"] == 1
    assert PASSWORD not in str(said)
    ledger = open_ledger(ledger_url)
    assert [event.kind for event in list_events(ledger)] == ["drift"]
    ledger.close()
    with pytest.raises(LedgerError, match="has rows already"):
        copied("--to", ledger_url)


@pytest.mark.postgres
def test_the_setting_names_the_database_out_of_sight(
    home: Path, ledger_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STREETLOOP_LEDGER_URL", ledger_url)
    assert "events" in copied()


def test_without_a_database_it_says_how_to_name_one(home: Path) -> None:
    with pytest.raises(ConfigError, match="give --to URL"):
        copied()


def test_a_home_without_a_ledger_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no ledger to copy"):
        copied("--to", f"sqlite:///{tmp_path / 'other.db'}")
    assert not (tmp_path / "other.db").exists()


def test_a_ledger_is_not_copied_onto_itself(home: Path) -> None:
    with pytest.raises(ConfigError, match="onto itself"):
        copied("--to", Settings().ledger)


def test_a_home_in_which_a_system_runs_is_refused(home: Path, tmp_path: Path) -> None:
    with lock_home(home), pytest.raises(ConfigError, match="is in use by process"):
        copied("--to", f"sqlite:///{tmp_path / 'other.db'}")
