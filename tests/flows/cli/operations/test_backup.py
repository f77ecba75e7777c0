"""``streetloop backup`` and ``restore``."""

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from flows.cli.main import app, main
from tests.support.control_service import Content


@pytest.fixture
def home(tmp_path: Path) -> Path:
    content = Content(tmp_path / "home")
    content.add_reviews()
    content.ledger.close()
    return content.settings.home


def asked(home: Path, *words: str) -> Any:
    done = CliRunner().invoke(
        app, words, env={"STREETLOOP_HOME": str(home), "STREETLOOP_API_TOKEN": "hunter2"}
    )
    assert done.exit_code == 0, done.output
    return done.stdout


def test_there_and_back_as_json(home: Path, tmp_path: Path) -> None:
    saved = json.loads(asked(home, "backup", str(tmp_path / "away"), "--json"))
    assert list(saved) == ["files", "bytes", "copied", "copied_bytes", "notes"]
    back = json.loads(asked(tmp_path / "new", "restore", str(tmp_path / "away"), "--json"))
    assert (back["files"], back["bytes"]) == (saved["files"], saved["bytes"])
    assert back["secrets"] == ["api_token"]


def test_there_and_back_in_words(home: Path, tmp_path: Path) -> None:
    assert "were new" in asked(home, "backup", str(tmp_path / "away"))
    said = asked(tmp_path / "new", "restore", str(tmp_path / "away"))
    assert "it had STREETLOOP_API_TOKEN, which is not in the backup" in said
    assert "hunter2" not in said


def test_a_mistake_is_one_sentence_and_exit_code_2(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("STREETLOOP_HOME", str(home))
    monkeypatch.setattr("sys.argv", ["streetloop", "restore", str(tmp_path / "nothing")])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 2
    assert "holds no backup" in capsys.readouterr().err
