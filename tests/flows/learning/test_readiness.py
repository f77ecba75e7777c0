"""What a training lacks is known before it starts; a fixture sees to it that Ray does not."""

import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from flows.cli.main import app
from flows.learning.dataset_builder import gather_material, judged_by
from flows.learning.training_plan import CityCameras
from flows.learning.training_time import training_seconds
from streetloop.errors import ConfigError, DatasetError, DatasetInvalid
from streetloop.ledger import open_ledger
from streetloop.ledger.reviews import FrameRecord, ReviewState, add_reviews, list_reviews
from streetloop.settings import Settings
from streetloop.storage.open import open_store
from tests.support.learning import WeakHome, add_labels
from tests.support.samples.tiny_model import detector_output, write_tiny_model
from train.data.dataset import TRAIN, VALIDATION, Dataset, Example, save_dataset
from train.first_champion import ensure_champion
from train.model.find_model import has_registry, open_registry
from train.model_registry import VersionRecord

pytestmark = [pytest.mark.slow]


def train(settings: Settings, *arguments: str) -> Result:
    environment = {"STREETLOOP_HOME": str(settings.home), "STREETLOOP_MODEL": settings.model}
    return CliRunner().invoke(app, ["train", *arguments], env=environment)


def dry_run(settings: Settings, *arguments: str) -> tuple[int, dict[str, Any]]:
    result = train(settings, "--dry-run", "--json", *arguments)
    return result.exit_code, json.loads(result.stdout)


def few_labels(weak_home: WeakHome, home: Path, frames: int) -> Settings:
    """A home whose labels are so many frames of each of four cameras."""
    settings = Settings(home=home, model=str(weak_home.model))
    shutil.copytree(weak_home.folder / "models", settings.models)
    ledger = open_ledger(settings.ledger)
    if frames:
        add_labels(settings, ledger, weak_home.version, frames=frames)
    ledger.close()
    return settings


def test_a_training_that_can_be_accepted_is_ready(weak: Settings) -> None:
    code, content = dry_run(weak)
    assert code == 0
    assert list(content)[:6] == ["ready", "missing", "train", "judge_frames", "champion", "eta_s"]
    assert (content["ready"], content["missing"], content["champion"]) == (True, [], None)
    assert (content["train"], content["judge_frames"]) == (48, 12)
    assert 30 < content["eta_s"] < 600
    assert not has_registry(weak), "a dry run changes nothing"
    assert not (weak.home / "training").exists()
    said = train(weak, "--dry-run").stdout
    assert "is judged by 12 frames" in said


def test_too_few_frames_to_judge_by_are_named_and_refused_before_ray_starts(
    weak_home: WeakHome, tmp_path: Path
) -> None:
    settings = few_labels(weak_home, tmp_path / "home", 5)
    code, content = dry_run(settings)
    assert (code, content["ready"]) == (1, False)
    assert content["missing"] == ["night: 4 frames to judge by, 10 are needed"]
    result = train(settings)
    assert isinstance(result.exception, DatasetInvalid)
    assert "night: 4 frames to judge by, 10 are needed; label more" in str(result.exception)
    assert not (settings.home / "training").exists()
    assert not list((settings.home / "store").glob("datasets/*"))


def city_file(settings: Settings, file: Path, count: int) -> Path:
    """A camera file where the first so many labeled cameras are in Denver."""
    labeled = {r.camera_id for r in list_reviews(open_ledger(settings.ledger), [ReviewState.LABELED])}
    cameras = [
        f"  - {{id: {name}, uri: rtsp://10.0.0.7/a, city: {'denver' if number < count else 'boston'}}}\n"
        for number, name in enumerate(sorted(labeled))
    ]
    file.write_text(f"cameras:\n{''.join(cameras)}")
    return file


def test_a_city_learns_from_its_cameras_and_is_judged_by_them(weak: Settings, tmp_path: Path) -> None:
    file = str(city_file(weak, tmp_path / "cameras.yaml", 3))
    code, content = dry_run(weak, "--city", "denver", "--file", file)
    assert (code, content["train"], content["judge_frames"]) == (1, 36, 9)
    assert content["missing"] == ["night: 9 frames to judge by, 10 are needed"]
    file = str(city_file(weak, tmp_path / "cameras.yaml", 4))
    assert dry_run(weak, "--city", "denver", "--file", file)[0] == 0


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (("--city", "rome"), "no camera is in 'rome'; cities are: none; --file CAMERAS.YAML"),
        (("--city", "rome", "--dataset", "5d41"), "give it or --dataset"),
    ],
)
def test_a_city_that_cannot_learn_is_refused(weak: Settings, more: tuple[str, ...], said: str) -> None:
    error = train(weak, *more).exception
    assert isinstance(error, ConfigError)
    assert said in str(error)


def test_a_model_of_a_city_is_not_judged_by_frames_of_others() -> None:
    frames = [
        Example(f"{split} {camera}", "", 8, 8, (), split, camera)
        for split in (TRAIN, VALIDATION)
        for camera in ("a", "b")
    ]
    dataset = Dataset(("car",), tuple(frames))
    assert judged_by(dataset, None) == dataset
    of_city = judged_by(dataset, CityCameras("denver", frozenset({"a"})))
    assert [e.image for e in of_city.examples] == [f"{TRAIN} a", f"{TRAIN} b", f"{VALIDATION} a"]


def test_a_registered_champion_is_named(weak: Settings) -> None:
    number = ensure_champion(weak, lambda _: None)[0].number
    assert dry_run(weak)[1]["champion"] == number


def test_without_labels_that_is_what_is_missing(weak_home: WeakHome, tmp_path: Path) -> None:
    code, content = dry_run(few_labels(weak_home, tmp_path / "home", 0))
    assert (code, content["train"], content["eta_s"]) == (1, 0, None)
    assert "no new labels" in content["missing"][0]


def test_a_model_that_cannot_be_trained_is_named(weak: Settings, tmp_path: Path) -> None:
    model = write_tiny_model(tmp_path / "tiny.onnx", detector_output())
    settings = weak.model_copy(update={"model": str(model)})
    assert "has no .pt checkpoint" in dry_run(settings)[1]["missing"][0]


@pytest.mark.parametrize("more", [(), ("--dry-run",)])
def test_a_bad_name_is_refused_before_anything_starts(weak: Settings, more: tuple[str, ...]) -> None:
    result = train(weak, "--name", "../up", *more)
    assert isinstance(result.exception, ConfigError)
    assert "a name is letters" in str(result.exception)


def test_doubled_boxes_of_a_label_are_one_and_said(weak: Settings) -> None:
    ledger = open_ledger(weak.ledger)
    first = list_reviews(ledger, [ReviewState.LABELED])[0]
    assert first.label
    add_reviews(ledger, [_again(first)])
    champion, _ = ensure_champion(weak, lambda _: None)
    material = gather_material(weak, ledger, champion, "x", {})
    (example,) = [e for e in material.dataset.examples if e.image == "f" * 64]
    assert len(example.boxes) == len(first.label)
    assert material.notes[0].startswith(f"doubled boxes are one: {len(first.label)}")


def _again(frame: FrameRecord) -> FrameRecord:
    """A frame of another day whose label has every box twice."""
    assert frame.label is not None
    return replace(frame, digest="f" * 64, camera_id="elsewhere", label=frame.label * 2)


def test_time_is_estimated_from_the_last_training_here(weak: Settings, tmp_path: Path) -> None:
    before = training_seconds(weak, {"epochs": 10, "imgsz": 320}, 100, 0)
    assert before == pytest.approx(30 + 0.0634 * 1000, rel=0.01)
    ledger = open_ledger(weak.ledger)
    champion, _ = ensure_champion(weak, lambda _: None)
    dataset = gather_material(weak, ledger, champion, "x", {}).dataset
    digest = save_dataset(open_store(weak), dataset)
    recipe = {"epochs": 2, "imgsz": 1000}
    record = VersionRecord(digest, 1, dataset.classes, "", recipe, seconds=96.0 * 5)
    registry = open_registry(weak)
    onnx = write_tiny_model(tmp_path / "tiny.onnx", detector_output())
    registry.register(registry.start("x", {}), onnx, record)
    assert training_seconds(weak, {"epochs": 1, "imgsz": 1000}, 10, 0) == pytest.approx(30 + 50)


def test_nothing_new_is_a_sentence(weak_home: WeakHome, tmp_path: Path) -> None:
    result = train(few_labels(weak_home, tmp_path / "home", 0))
    assert isinstance(result.exception, DatasetError)
    assert "label pull" in str(result.exception)
