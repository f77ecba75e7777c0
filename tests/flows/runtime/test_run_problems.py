"""A run of which nothing comes is a failure that says why."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.support.programs.cli import Command, camera_file
from tests.support.stream_flow.faulty import good, not_numbers

pytestmark = pytest.mark.ray

_STREET = {"id": "a40", "uri": "sim://larkfield/gantry?fps=5"}


def _run(folder: Path, model: Path, *cameras: dict[str, Any]) -> tuple[int, dict[str, Any], str]:
    arguments = ("--model", str(model), "--duration", "12", "--json")
    outcome = Command("run", camera_file(folder, *cameras), *arguments, home=folder / "home").finish()
    return outcome.code, outcome.json, outcome.stderr


def test_a_detector_that_fails_on_every_frame_fails_the_run_with_its_own_reason(tmp_path: Path) -> None:
    code, found, said = _run(tmp_path, not_numbers(tmp_path / "m.onnx"), _STREET)
    assert code == 1
    (problem,) = found["problems"]
    assert problem.startswith("camera 'a40': the detector failed on ")
    assert "answers with values that are not numbers" in problem
    assert problem in " ".join(said.split())
    assert found["cameras"]["a40"]["detected"] == 0
    listing = Command("events", "--kind", "detector_failed", "--json", home=tmp_path / "home").finish()
    (event,) = [json.loads(line) for line in listing.stdout.splitlines()]
    assert "answers with values that are not numbers" in event["cause"]
    assert event["ended_at"] is not None


def test_a_camera_that_never_came_fails_the_run_beside_one_that_did(tmp_path: Path) -> None:
    away = {"id": "away", "uri": "rtsp://127.0.0.1:1/none"}
    code, found, said = _run(tmp_path, good(tmp_path / "m.onnx"), _STREET, away)
    assert code == 1
    (problem,) = found["problems"]
    assert problem.startswith("camera 'away': no picture was decoded: ")
    assert problem in " ".join(said.split())
    assert found["cameras"]["a40"]["detected"] > 0
