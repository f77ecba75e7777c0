"""``streetloop check`` refuses what a run would."""

import contextlib
import json
import os
import socket
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import Result
from typer.testing import CliRunner

from flows.cli.main import app
from streetloop.errors import ConfigError
from streetloop.host.home import lock_home
from streetloop.ledger import open_ledger
from streetloop.ledger.service import lease
from tests.support.samples.tiny_model import detector_output, write_tiny_model

_STREET = {"id": "a40", "uri": "sim://larkfield/gantry"}


def _check(folder: Path, home: Path, **more: Any) -> Result:
    file = folder / "cameras.yaml"
    file.write_text(yaml.safe_dump({"cameras": [_STREET], **more}))
    environ = {"COLUMNS": "200", "STREETLOOP_HOME": str(home)}
    return CliRunner().invoke(app, ["check", str(file)], env=environ)


def _with_model(folder: Path) -> dict[str, Any]:
    """A model that is opened in no time."""
    return {"model": str(write_tiny_model(folder / "m.onnx", detector_output()))}


def _as_environment(settings: dict[str, Any]) -> dict[str, str]:
    return {f"STREETLOOP_{name.upper()}": str(value) for name, value in settings.items()}


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


def test_rows_for_programs_have_their_warnings_as_codes_and_texts(tmp_path: Path) -> None:
    home, runner = tmp_path / "home", CliRunner()
    environ = {"STREETLOOP_HOME": str(home), **_as_environment(_with_model(tmp_path))}
    file = tmp_path / "cameras.yaml"
    file.write_text(yaml.safe_dump({"cameras": [_STREET, {**_STREET, "id": "a41"}]}))
    edit = ["camera", "edit", "a40", "--fps", "3", "--file", str(file)]
    assert runner.invoke(app, edit, env=environ).exit_code == 0
    result = runner.invoke(app, ["check", str(file), "--json"], env=environ)
    assert result.exit_code == 0
    changed, plain = json.loads(result.stdout)
    assert set(plain) == {"camera", "uri", "ok", "problem", "warnings", "codec", "width", "height", "fps"}
    assert (plain["camera"], plain["ok"], plain["problem"], plain["warnings"]) == ("a41", True, None, [])
    (warning,) = changed["warnings"]
    assert set(warning) == {"code", "text"}
    assert warning["code"] == "not-as-in-file"
    assert warning["text"].startswith("changed by ")


@pytest.mark.parametrize("name", ["TMPDIR", "RAY_TMPDIR"])
def test_a_temporary_folder_that_a_run_would_refuse_is_named(
    tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    long = tmp_path / ("t" * 90)
    long.mkdir()
    settings = _with_model(tmp_path)
    for folder, why in ((str(long), "is too long for Ray's sockets"), ("/proc/none", "cannot be written")):
        monkeypatch.setenv(name, folder)
        result = _check(tmp_path, tmp_path / "home", settings=settings)
        assert result.stdout.startswith("ok    a40")
        assert isinstance(result.exception, ConfigError)
        assert str(result.exception).startswith(f"{name}: ")
        assert why in str(result.exception)


def test_what_refuses_a_run_at_this_moment_is_said(tmp_path: Path) -> None:
    with lock_home(tmp_path / "home"):
        result = _check(tmp_path, tmp_path / "home", settings=_with_model(tmp_path))
    assert result.exit_code == 0
    assert result.stdout == "ok    a40  simulated 640x360 10 fps\n"
    assert result.stderr.startswith("`run` and `up` would be refused now: STREETLOOP_HOME: ")
    assert f"is in use by process {os.getpid()} on " in result.stderr


def test_a_ledger_on_which_another_system_runs_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lease, "_BEAT_S", 0.1)
    url = f"sqlite:///{tmp_path / 'shared.db'}"
    monkeypatch.setenv("STREETLOOP_LEDGER_URL", url)
    with contextlib.closing(open_ledger(url)) as ledger, lease.hold_lease(ledger):
        result = _check(tmp_path, tmp_path / "home", settings=_with_model(tmp_path))
    assert result.exit_code == 0
    assert result.stderr.startswith("`run` and `up` would be refused now: the ledger ")
    assert f"is in use by process {os.getpid()} on " in result.stderr


def test_a_port_of_the_app_that_is_taken_is_said(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        result = _check(tmp_path, tmp_path / "home", settings={**_with_model(tmp_path), "app_port": port})
    assert result.exit_code == 0
    assert result.stderr.startswith("`up` would be refused now: ")
    assert str(port) in result.stderr
