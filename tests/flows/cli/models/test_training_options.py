"""What `train` is asked for, by options and by a camera file."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from flows.cli.main import app
from flows.learning.readiness import Readiness
from flows.learning.training_plan import TrainingRequest
from streetloop.ledger import Ledger
from streetloop.settings import Settings


def test_a_training_has_the_settings_of_a_camera_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[TrainingRequest] = []

    def check(settings: Settings, ledger: Ledger, request: TrainingRequest) -> Readiness:
        asked.append(request)
        return Readiness((), 1, 1, None, None)

    monkeypatch.setattr("flows.learning.readiness.check_training", check)
    file = tmp_path / "cameras.yaml"
    file.write_text("classes: [car]\nsettings: {learn_recipe: {epochs: 9, imgsz: 640}}\ncameras: []\n")
    environment = {"STREETLOOP_HOME": str(tmp_path / "home")}
    given = ["train", "--dry-run", "--file", str(file), "--set", "imgsz=320"]
    assert CliRunner().invoke(app, given, env=environment).exit_code == 0
    (request,) = asked
    assert request.classes == {"car": ("car",)}
    assert dict(request.recipe) == {"epochs": 9, "imgsz": 320}, "an option of the command goes first"
