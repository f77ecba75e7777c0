"""``streetloop check`` refuses what a run would."""

from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import Result
from typer.testing import CliRunner

from flows.cli.main import app
from streetloop.errors import ConfigError

_STREET = {"id": "a40", "uri": "sim://larkfield/gantry"}


def _check(folder: Path, home: Path, **more: Any) -> Result:
    file = folder / "cameras.yaml"
    file.write_text(yaml.safe_dump({"cameras": [_STREET], **more}))
    environ = {"COLUMNS": "200", "STREETLOOP_HOME": str(home)}
    return CliRunner().invoke(app, ["check", str(file)], env=environ)


def test_what_would_run_is_ok(tmp_path: Path) -> None:
    result = _check(tmp_path, tmp_path / "home")
    assert result.exit_code == 0
    assert result.stdout.startswith("ok    a40")


def test_a_variable_of_an_event_sink_that_is_not_set_is_named(tmp_path: Path) -> None:
    sinks = {"ops": {"type": "webhook", "url": "https://h/${NOT_SET_HERE}"}}
    result = _check(tmp_path, tmp_path / "home", sinks=sinks)
    assert result.stdout.startswith("ok    a40")
    assert isinstance(result.exception, ConfigError)
    assert "NOT_SET_HERE is not set" in str(result.exception)


@pytest.mark.parametrize("home", ["/proc/none", "/dev/null"])
def test_a_home_that_cannot_be_written_is_named(tmp_path: Path, home: str) -> None:
    result = _check(tmp_path, Path(home))
    assert isinstance(result.exception, ConfigError)
    assert str(result.exception).startswith("STREETLOOP_HOME: ")
