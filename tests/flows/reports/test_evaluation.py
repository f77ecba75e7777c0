import json
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

import flows.reports.evaluation
from flows.cli.main import app
from streetloop.storage.store import FolderStore
from tests.support.coco import coco_content
from tests.support.tiny_model import detector_output, write_tiny_model
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


def _asked(*arguments: str) -> dict[str, object]:
    result = CliRunner().invoke(app, ["evaluate", *arguments, "--json"], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    content: dict[str, object] = json.loads(result.stdout)
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
        "car": {"map50": 1.0, "map50_95": pytest.approx(0.7)},
        "bus": {"map50": 0.0, "map50_95": 0.0},
    }
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
