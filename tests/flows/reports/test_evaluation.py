import json
import sys
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

import flows.reports.evaluation
from flows.cli.main import app
from streetloop.errors import DatasetError
from streetloop.storage.store import FolderStore
from tests.support.samples.coco import coco_content
from tests.support.samples.label_files import (
    CAR,
    CAR_ROW,
    WIDTH,
    write_coco_files,
    write_image,
    write_yolo_files,
)
from tests.support.samples.tiny_model import detector_output, write_tiny_model
from tests.train.data.test_dataset import pure
from train.data.dataset import save_dataset
from train.data.formats import write_yolo


@pytest.fixture
def model(tmp_path: Path) -> Path:
    # Where the car is, in pixels of the letterboxed input of 640; near enough for an IoU of 0.8.
    car = (6 * 640 / 60, 7 * 640 / 60, 10 * 640 / 60, 10 * 640 / 60, 0, 0.9)
    return write_tiny_model(tmp_path / "tiny.onnx", detector_output(car))


@pytest.fixture
def store(tmp_path: Path) -> FolderStore:
    return FolderStore(tmp_path / "home/store")


def _asked(*arguments: str) -> dict[str, Any]:
    result = CliRunner().invoke(app, ["evaluate", *arguments, "--json"], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    content: dict[str, Any] = json.loads(result.stdout)
    return content


def test_all_three_forms_of_a_dataset_say_the_same(model: Path, store: FolderStore, tmp_path: Path) -> None:
    dataset = pure(store)
    digest = save_dataset(store, dataset)
    yolo = write_yolo(dataset, store, tmp_path / "yolo")
    coco = Path(store.uri("")) / "coco.json"
    coco.write_text(json.dumps(coco_content(dataset)))
    by_digest = _asked(str(model), digest)
    assert by_digest["images"] == 1, "the validation image"
    assert by_digest["classes"] == {
        "car": {"map50": 1.0, "map50_95": pytest.approx(0.7), "best_f1": 1.0, "best_confidence": 0.9},
        "bus": {"map50": 0.0, "map50_95": 0.0, "best_f1": 0.0, "best_confidence": 1.0},
    }
    assert by_digest["ultralytics"] == {"map50": 0.4975, "map50_95": pytest.approx(0.34825)}
    assert _asked(str(model), str(yolo))["classes"] == by_digest["classes"]
    assert _asked(str(model), str(coco))["images"] == 5


def test_plots_and_the_worst_frames_are_written(model: Path, store: FolderStore, tmp_path: Path) -> None:
    digest = save_dataset(store, pure(store))
    _asked(str(model), digest, "--out", str(tmp_path / "out"))
    names = {path.name.split("_")[0] for path in (tmp_path / "out").iterdir()}
    assert names == {"confusion.png", "precision", "worst"}


def test_a_table_is_printed_for_people(model: Path, store: FolderStore) -> None:
    digest = save_dataset(store, pure(store))
    result = CliRunner().invoke(app, ["evaluate", str(model), digest])
    assert "all, 1 images" in result.stdout
    assert "camera a40" in result.stdout


def _street(folder: Path, label: str = CAR_ROW, names: str = "[car]") -> Path:
    return write_yolo_files(folder, label, f"val: images\nnames: {names}\n")


@pytest.fixture
def perfect(tmp_path: Path) -> Path:
    """A model that finds the car of `write_yolo_files`, on a picture of 200 pixels, and no more."""
    scale = 640 / WIDTH
    x1, y1, x2, y2 = (v * scale for v in CAR)
    car = ((x1 + x2) / 2, (y1 + y2) / 2, x2 - x1, y2 - y1, 0, 0.9)
    return write_tiny_model(tmp_path / "perfect.onnx", detector_output(car))


def test_a_perfect_model_scores_1_on_doubled_rows_and_both_are_said(perfect: Path, tmp_path: Path) -> None:
    content = _asked(str(perfect), str(_street(tmp_path / "set", CAR_ROW * 2)))
    assert (content["map50"], content["map50_95"]) == (1.0, 1.0)
    assert "doubled boxes are one: 1" in str(content["notes"])


def test_labels_without_area_are_not_scored(perfect: Path, tmp_path: Path) -> None:
    content = _asked(str(perfect), str(_street(tmp_path / "set", "0 0.5 0.5 0 0")))
    assert (content["map50"], content["classes"]) == (None, {})
    assert "boxes without area are left out: 1" in str(content["notes"])


def test_nothing_is_left_behind(perfect: Path, tmp_path: Path) -> None:
    _asked(str(perfect), str(_street(tmp_path / "set")))
    assert not (tmp_path / "home/store").exists()


def test_a_class_without_boxes_is_not_asked_of_the_model(perfect: Path, tmp_path: Path) -> None:
    assert _asked(str(perfect), str(_street(tmp_path / "set", names="[car, zebra]")))["map50"] == 1.0
    other = _street(tmp_path / "other", CAR_ROW.replace("0", "1", 1), "[car, zebra]")
    with pytest.raises(DatasetError, match=r"no class for zebra.*--map"):
        _asked(str(perfect), str(other))


def test_classes_are_chosen_and_joined(perfect: Path, tmp_path: Path) -> None:
    rows = CAR_ROW.replace("0", "1", 1) + "2 0.8 0.8 0.1 0.1\n"
    folder = _street(tmp_path / "set", rows, "[car, van, cat]")
    content = _asked(str(perfect), str(folder), "--classes", "vehicle=car+van")
    assert list(content["classes"]) == ["vehicle"]
    assert content["map50"] == 1.0
    renamed = _asked(str(perfect), str(folder), "--classes", "van", "--map", "car=van")
    assert renamed["map50"] == 1.0
    with pytest.raises(DatasetError, match="no class 'dog'; it has car, van, cat"):
        _asked(str(perfect), str(folder), "--classes", "dog")


def test_one_object_has_one_box_where_classes_are_joined(tmp_path: Path) -> None:
    """The model takes the only vehicle for a bus, and with less confidence for a car."""
    x1, y1, x2, y2 = (v * 640 / WIDTH for v in CAR)
    box = ((x1 + x2) / 2, (y1 + y2) / 2, x2 - x1, y2 - y1)
    far = (500.0, 300.0, 50.0, 50.0)
    output = detector_output((*box, 1, 0.9), (*box, 0, 0.8), (*far, 1, 0.85))
    model = write_tiny_model(tmp_path / "both.onnx", output)
    rows = CAR_ROW + "1 0.8 0.2 0.1 0.1\n"
    folder = _street(tmp_path / "set", rows, "[car, bus]")
    joined = _asked(str(model), str(folder), "--classes", "vehicle=car+bus")
    assert joined["classes"]["vehicle"]["best_f1"] == pytest.approx(2 / 3), "one of two found, one false"
    assert joined["classes"]["vehicle"]["best_confidence"] == pytest.approx(0.9)
    apart = _asked(str(model), str(folder))
    assert apart["classes"]["car"]["map50"] == 1.0


def test_a_split_is_chosen(model: Path, store: FolderStore) -> None:
    digest = save_dataset(store, pure(store))
    assert _asked(str(model), digest, "--split", "train")["images"] == 4
    for split, words in (("test", "no image of the dataset is for test"), ("half", "train, val, test")):
        with pytest.raises(DatasetError, match=words):
            _asked(str(model), digest, "--split", split)


def test_images_of_a_coco_file_may_be_elsewhere(perfect: Path, tmp_path: Path) -> None:
    path = write_coco_files(tmp_path / "labels", image="other.png")
    write_image(tmp_path / "photographs/a.png")
    content = _asked(str(perfect), str(path), "--images", str(tmp_path / "photographs"))
    assert content["map50"] == 1.0


@pytest.mark.ray
def test_many_images_are_looked_at_on_ray_data_with_the_same_outcome(
    model: Path, store: FolderStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    dataset = pure(store)
    coco = Path(store.uri("")) / "coco.json"
    coco.write_text(json.dumps(coco_content(dataset)))
    by_hand = _asked(str(model), str(coco))
    monkeypatch.setattr(flows.reports.evaluation, "_MIN_IMAGES_FOR_RAY", 1)
    assert _asked(str(model), str(coco)) == by_hand
    assert "train.model.ray_predictions" in sys.modules
