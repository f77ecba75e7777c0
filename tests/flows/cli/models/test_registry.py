"""Models of one's own are registered, handed out and compared."""

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from flows.cli.main import app
from streetloop.errors import ConfigError, DatasetError, ModelError
from streetloop.settings import Settings
from tests.support.label_files import CAR, CAR_ROW, WIDTH, write_yolo_files
from tests.support.tiny_model import detector_output, write_tiny_model
from train.model.find_model import find_model, open_registry
from train.model.model_file import open_model


def asked(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["models", *arguments])


def answered(*arguments: str) -> Any:
    result = asked(*arguments, "--json")
    assert result.exit_code == 0, (result.output, result.exception)
    return json.loads(result.stdout)


@pytest.fixture
def perfect(tmp_path: Path) -> Path:
    """A model that finds the car of `write_yolo_files`, on a picture of 200 pixels."""
    x1, y1, x2, y2 = (v * 640 / WIDTH for v in CAR)
    car = ((x1 + x2) / 2, (y1 + y2) / 2, x2 - x1, y2 - y1, 0, 0.9)
    return write_tiny_model(tmp_path / "perfect.onnx", detector_output(car))


@pytest.fixture
def blind(tmp_path: Path) -> Path:
    return write_tiny_model(tmp_path / "blind.onnx", detector_output((5, 5, 4, 4, 1, 0.5)))


@pytest.fixture
def street(tmp_path: Path) -> Path:
    return write_yolo_files(tmp_path / "set")


def test_a_model_of_one_s_own_becomes_a_version_with_scores_and_a_card(perfect: Path, street: Path) -> None:
    made = answered("register", str(perfect), "--dataset", str(street), "--alias", "champion")
    assert (made["number"], made["aliases"], made["classes"]) == (1, ["champion"], ["car", "bus"])
    assert (made["scores"], made["lacks"]) == ({"map50/all": 1.0}, [])
    model = find_model("champion", Settings())
    card = (model.onnx.parent / "card.md").read_text()
    assert "perfect.onnx" in card
    assert "map50/all: 1.0000" in card
    assert "no: it has no .pt checkpoint" in card
    again = answered("register", str(perfect), "--alias", "challenger")
    assert again["number"] == 1, "the same file is the same version"
    assert len(answered()) == 1


def test_classes_are_named_anew(perfect: Path, street: Path) -> None:
    made = answered("register", str(perfect), "--classes", "auto, lkw")
    assert made["classes"] == ["auto", "lkw"]
    assert find_model("1", Settings()).names == ("auto", "lkw")
    refused = asked("register", str(perfect), "--classes", "auto")
    assert isinstance(refused.exception, ConfigError)
    assert "has 2 classes" in str(refused.exception)


def test_what_cannot_be_registered_leaves_the_registry_as_it_was(perfect: Path, tmp_path: Path) -> None:
    assert isinstance(asked("register", str(perfect), "--alias", "best").exception, ConfigError)
    assert isinstance(asked("register", str(tmp_path / "gone.onnx")).exception, ModelError)
    assert isinstance(
        asked("register", str(perfect), "--dataset", str(tmp_path / "x.json")).exception, DatasetError
    )
    assert answered() == []


def test_a_version_is_handed_out_as_a_file(perfect: Path, tmp_path: Path) -> None:
    answered("register", str(perfect), "--alias", "champion")
    target = tmp_path / "out.onnx"
    assert asked("export", "champion", str(target)).exit_code == 0
    assert open_model(str(target), tmp_path).names == open_model(str(perfect), tmp_path).names
    for name, words in (("out.pt", "no .pt checkpoint"), ("out.bin", "ends in .onnx or .pt")):
        result = asked("export", "1", str(tmp_path / name))
        assert isinstance(result.exception, ConfigError)
        assert words in str(result.exception)
    assert open_registry(Settings()).find("1").number == 1


def test_two_models_are_compared_on_the_same_frames(perfect: Path, blind: Path, street: Path) -> None:
    found = answered("compare", str(blind), str(perfect), str(street))
    assert [one["map50"] for one in found["models"]] == [0.0, 1.0]
    assert found["gains"]["all"] == {
        "first": 0.0,
        "second": pytest.approx(1.0),
        "gain": pytest.approx(1.0),
        "low": pytest.approx(1.0),
        "high": pytest.approx(1.0),
        "frames": 1,
    }
    table = asked("compare", str(blind), str(perfect), str(street)).stdout
    assert "+1.000 to +1.000" in table


def test_a_mapping_may_be_of_one_model_only(perfect: Path, tmp_path: Path) -> None:
    other = write_tiny_model(
        tmp_path / "other.onnx", detector_output(), metadata={"names": repr({0: "auto", 1: "lkw"})}
    )
    street = write_yolo_files(tmp_path / "set", CAR_ROW)
    assert answered("compare", str(perfect), str(other), str(street), "--map", "auto=car")["gains"]
    result = asked("compare", str(perfect), str(other), str(street), "--map", "zebra=car")
    assert isinstance(result.exception, DatasetError)
    assert "zebra" in str(result.exception)
