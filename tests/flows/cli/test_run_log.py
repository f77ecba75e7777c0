"""What a command that runs for long says: text on a terminal, JSON elsewhere."""

import json
import sys

import pytest
import typer
from rich.text import Text

from flows.cli.run_log import open_log, resolve_format
from streetloop.errors import ConfigError, StoreError


@pytest.mark.parametrize(
    ("setting", "terminal", "becomes"),
    [("auto", True, "text"), ("auto", False, "json"), ("text", False, "text"), ("json", True, "json")],
)
def test_the_format(setting: str, terminal: bool, becomes: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys.stderr, "isatty", lambda: terminal)
    assert resolve_format(setting) == becomes


def test_text_is_for_people(capsys: pytest.CaptureFixture[str]) -> None:
    with open_log("text") as log, log.showing(Text("a table")):
        log.say("starting Ray")
        log.complain("it is broken")
    said = capsys.readouterr().err
    assert "starting Ray ..." in said
    assert "error: it is broken" in said


def test_json_is_for_programs(capsys: pytest.CaptureFixture[str]) -> None:
    with open_log("json") as log, log.showing(Text("a table")):
        log.say("starting Ray")
        log.complain("it is broken")
    lines = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    assert [(line["level"], line["message"]) for line in lines] == [
        ("info", "starting Ray"),
        ("error", "it is broken"),
    ]


def test_wrong_input_is_a_sentence_for_who_typed_it(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(ConfigError, match="bad flag"), open_log("json"):
        raise ConfigError("bad flag")
    assert capsys.readouterr().err == ""


def test_a_failure_is_a_line_and_the_exit_code_of_any_command(capsys: pytest.CaptureFixture[str]) -> None:
    error = StoreError("away")
    with pytest.raises(typer.Exit) as ended, open_log("json"):
        raise error
    assert ended.value.exit_code == 1
    (line,) = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    assert (line["level"], line["message"]) == ("error", str(error))
