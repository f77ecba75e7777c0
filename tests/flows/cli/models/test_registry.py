"""Models of one's own are registered, handed out and compared."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner, Result

from flows.cli.main import app
from streetloop.errors import ConfigError, DatasetError, ModelError, ModelUnsupported, NotFound
from streetloop.settings import Settings
from tests.support.control_service import Content, register_versions
from tests.support.evaluated_versions import evaluate_versions
from tests.support.samples.label_files import CAR, CAR_ROW, WIDTH, write_yolo_files
from tests.support.samples.tiny_model import detector_output, write_tiny_model
from train.model.find_model import find_model, open_registry
from train.model.model_file import _BASELINE_FILE, open_model
from train.model.predictor import Predictor


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


def test_a_version_that_was_there_keeps_its_record_and_it_is_said(perfect: Path, street: Path) -> None:
    assert answered("register", str(perfect))["scores"] == {}
    again = asked("register", str(perfect), "--dataset", str(street))
    assert again.exit_code == 0
    assert "version 1 was there already and keeps its record" in " ".join(again.stderr.split())


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


@pytest.mark.model
@pytest.mark.timeout(300)
@pytest.mark.parametrize("kind", ["openvino", "torchscript"])
def test_a_version_is_exported_for_another_runtime_that_answers_alike(tmp_path: Path, kind: str) -> None:
    answered("register", str(_BASELINE_FILE))
    target = tmp_path / "out"
    done = asked("export", "1", str(target), "--format", kind)
    assert done.exit_code == 0, (done.output, done.exception)
    assert "unchecked" not in done.stderr
    written = {path.suffix for path in ([target] if target.is_file() else target.iterdir())}
    assert written == ({""} if kind == "torchscript" else {".xml", ".bin", ".yaml"})
    again = asked("export", "1", str(target), "--format", kind)
    assert isinstance(again.exception, ConfigError)
    assert "is there already" in str(again.exception)


@pytest.mark.model
def test_an_export_that_answers_otherwise_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def export(_: Path, options: Mapping[str, Any], folder: Path) -> None:
        folder.mkdir()
        (folder / "model.torchscript").write_bytes(b"")

    monkeypatch.setattr("train.ultralytics_adapter.export_with", export)
    monkeypatch.setattr("train.ultralytics_adapter.export_differences", lambda *_: (9.0, 0.0))
    answered("register", str(_BASELINE_FILE))
    refused = asked("export", "1", str(tmp_path / "out"), "--format", "torchscript")
    assert isinstance(refused.exception, ModelUnsupported)
    assert "boxes differ by 9.0 pixels" in str(refused.exception)
    assert not (tmp_path / "out").exists()
    done = asked("export", "1", str(tmp_path / "ncnn"), "--format", "ncnn")
    assert "unchecked: nothing here runs ncnn" in done.stderr


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


def test_two_versions_are_compared_by_what_is_on_record(perfect: Path, blind: Path, street: Path) -> None:
    for file in (blind, perfect):
        answered("register", str(file), "--dataset", str(street))
    found = answered("compare", "1", "2")
    assert (found["first"], found["second"], found["same_frames"]) == (1, 2, False)
    assert [(row["kind"], row["first"], row["second"]) for row in found["rows"]] == [
        ("all", 0.0, 1.0),
        ("class", 0.0, 1.0),
    ]
    shown = asked("compare", "1", "2")
    assert "+1.000" in shown.stdout
    assert "frames of its own" in shown.stderr
    refused = asked("compare", "1", "2", "--split", "val")
    assert isinstance(refused.exception, ConfigError)
    refused = asked("compare", "1", "2", str(street), "--details")
    assert isinstance(refused.exception, ConfigError)
    assert isinstance(asked("compare", "1", "2", "--details").exception, NotFound)


def test_the_details_of_a_comparison_are_those_of_the_api() -> None:
    content = Content(Settings().home)
    register_versions(content)
    evaluate_versions(content)
    found = answered("compare", "1", "2", "--details")
    assert found == content.service.compare_details("1", "2").model_dump(mode="json")
    shown = asked("compare", "1", "2", "--details").stdout
    assert "0.802" in shown
    assert found["frames"][0]["image"][:12] in shown
    content.ledger.close()


def test_a_mapping_may_be_of_one_model_only(perfect: Path, tmp_path: Path) -> None:
    other = write_tiny_model(
        tmp_path / "other.onnx", detector_output(), metadata={"names": repr({0: "auto", 1: "lkw"})}
    )
    street = write_yolo_files(tmp_path / "set", CAR_ROW)
    assert answered("compare", str(perfect), str(other), str(street), "--map", "auto=car")["gains"]
    result = asked("compare", str(perfect), str(other), str(street), "--map", "zebra=car")
    assert isinstance(result.exception, DatasetError)
    assert "zebra" in str(result.exception)


def test_the_confidence_of_the_best_f1_is_kept_and_serves(perfect: Path, street: Path) -> None:
    answered("register", str(perfect))
    measured = CliRunner().invoke(app, ["evaluate", "1", str(street), "--write-thresholds", "--json"])
    assert measured.exit_code == 0, (measured.output, measured.exception)
    content = json.loads(measured.stdout)
    assert content["thresholds"] == {"car": 0.9} == {"car": content["classes"]["car"]["best_confidence"]}
    assert "version 1 shows 1 classes" in measured.stderr
    assert "1 of 1 classes have fewer than 20 boxes" in measured.stderr
    assert answered()[0]["thresholds"] == {"car": 0.9}
    serves = Predictor(find_model("1", Settings()))
    picture = np.zeros((200, 200, 3), np.uint8)
    assert serves.predict(picture, 0.1).confidence.tolist() == [pytest.approx(0.25)]
    again = CliRunner().invoke(app, ["evaluate", "1", str(street), "--json"])
    assert json.loads(again.stdout)["classes"] == content["classes"], "the model itself is measured"


def test_a_file_has_no_record_for_thresholds(perfect: Path, street: Path) -> None:
    refused = CliRunner().invoke(app, ["evaluate", str(perfect), str(street), "--write-thresholds"])
    assert isinstance(refused.exception, ConfigError)
    assert "is no version of the registry; `streetloop models register FILE`" in str(refused.exception)
