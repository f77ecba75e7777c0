"""A start without a camera: `up` has an app that adds one, and nothing else can run."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from flows.cli.main import app
from flows.runtime.run_values import RunOptions, RunSummary
from flows.runtime.session_start import refuse_no_camera
from streetloop.cameras.camera_file import Camera, load_cameras, parse_camera
from streetloop.errors import ConfigError
from streetloop.settings import Settings

CAMERA = parse_camera({"id": "b4", "uri": "sim://larkfield/gantry"})
EMPTY = "cameras: []\nsettings: {confidence: 0.4}\n"


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list[tuple[list[str], Settings, RunOptions]]:
    """What the session was started with: cameras of the file, settings, options."""
    found = []

    def run(cameras: Sequence[Camera], settings: Settings, options: RunOptions, **_: Any) -> RunSummary:
        found.append(([camera.id for camera in cameras], settings, options))
        return RunSummary({}, "", "", {"version": "m-1"}, 1.0)

    monkeypatch.setattr("flows.runtime.session.run_streams", run)
    return found


@pytest.fixture
def empty(tmp_path: Path) -> Path:
    path = tmp_path / "cameras.yaml"
    path.write_text(EMPTY)
    return path


def test_up_starts_without_a_camera_file(started: list[tuple[list[str], Settings, RunOptions]]) -> None:
    result = CliRunner().invoke(app, ["up"])
    assert result.exit_code == 0, result.output
    ((cameras, settings, options),) = started
    assert (cameras, settings.learn, options.app) == ([], True, True)


def test_up_starts_with_an_empty_list_and_takes_its_settings(
    empty: Path, started: list[tuple[list[str], Settings, RunOptions]]
) -> None:
    result = CliRunner().invoke(app, ["up", str(empty)])
    assert result.exit_code == 0, result.output
    ((cameras, settings, _),) = started
    assert (cameras, settings.confidence) == ([], 0.4)


@pytest.mark.parametrize("command", ["run", "check"])
def test_what_only_reads_cameras_needs_one(
    command: str, empty: Path, started: list[tuple[list[str], Settings, RunOptions]]
) -> None:
    result = CliRunner().invoke(app, [command, str(empty)])
    assert isinstance(result.exception, ConfigError)
    assert "cameras: has 0 values, and needs 1" in str(result.exception)
    assert started == []


def test_the_file_that_up_was_given_serves_the_other_commands(empty: Path) -> None:
    assert (
        CliRunner().invoke(app, ["camera", "add", "b4", str(CAMERA.uri), "--file", str(empty)]).exit_code == 0
    )
    listed = CliRunner().invoke(app, ["camera", "list", "--json", "--file", str(empty)])
    assert '"b4"' in listed.stdout
    with pytest.raises(ConfigError, match="needs 1"):
        load_cameras(empty)


def test_without_an_app_nobody_could_add_one() -> None:
    refuse_no_camera([], RunOptions(app=True))
    refuse_no_camera([CAMERA], RunOptions())
    with pytest.raises(ConfigError, match="no app that could add one"):
        refuse_no_camera([], RunOptions())
