"""Trainings on an imported dataset."""

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import update

from flows.learning.dataset_builder import gather_material, judged_classes, save_material
from flows.learning.readiness import check_training
from flows.learning.register_file import FirstScores, register_file
from flows.learning.training_job import _judged_ids, _replays, begin_training, verdict_on
from flows.learning.training_material import start_of
from flows.learning.training_plan import CityCameras, TrainingRequest
from streetloop.boxes import Box
from streetloop.errors import ConfigError, DatasetError, TooFewToJudge, TrainingError
from streetloop.ledger import open_ledger
from streetloop.ledger.reviews import list_labeled
from streetloop.ledger.schema.tables import reviews
from streetloop.settings import Settings
from streetloop.storage.open import open_store
from streetloop.types import Detections
from tests.support.learning import WeakHome
from train.data.dataset import TRAIN, VALIDATION, Dataset, Example, save_dataset
from train.data.other_classes import unasked_classes
from train.first_champion import ensure_champion
from train.model.find_model import open_registry
from train.model.model_file import ModelFile, open_model
from train.model_registry import CHAMPION, Version

CAR, TRUCK = (10.0, 10.0, 50.0, 40.0), (60.0, 10.0, 90.0, 40.0)


def _silent(_: str) -> None:
    """Nobody listens."""


@pytest.fixture
def weak(weak_home: WeakHome, tmp_path: Path) -> Settings:
    """A home with sixty labeled frames and a weak model."""
    return weak_home.copy(tmp_path / "home")


def _imported(settings: Settings) -> str:
    """The labels of the queue as a dataset of the classes that are in it."""
    champion, _ = ensure_champion(settings, _silent)
    found = gather_material(settings, open_ledger(settings.ledger), champion, "x", {}).dataset
    return save_dataset(open_store(settings), replace(found, purpose="imported", parents=()))


def test_a_training_learns_from_the_dataset_that_it_is_given(weak: Settings) -> None:
    digest = _imported(weak)
    request = TrainingRequest("mine", dataset=digest[:12], classes={"vehicle": ("car", "truck", "bus")})
    begun = begin_training(weak, open_ledger(weak.ledger), request, _silent)
    assert digest in begun.dataset.parents
    assert begun.request.trigger["dataset"] == digest[:12]
    assert begun.request.trigger["classes"] == {"vehicle": ["car", "truck", "bus"]}
    again = begin_training(weak, open_ledger(weak.ledger), TrainingRequest("mine"), _silent)
    assert again.dataset == begun.dataset
    assert again.request.classes == {"vehicle": ["car", "truck", "bus"]}


def test_a_dry_run_counts_the_dataset(weak: Settings) -> None:
    request = TrainingRequest("mine", dataset=_imported(weak))
    readiness = check_training(weak, open_ledger(weak.ledger), request)
    assert readiness.ready, readiness.missing
    assert readiness.train > readiness.judge_frames > 0


def test_a_dataset_that_is_not_there_is_refused_before_a_champion_is_registered(weak: Settings) -> None:
    with pytest.raises(DatasetError, match="no dataset begins with abc"):
        begin_training(weak, open_ledger(weak.ledger), TrainingRequest("x", dataset="abc"), _silent)


def test_an_unknown_option_is_refused_with_the_name_that_was_meant(weak: Settings) -> None:
    request = TrainingRequest("x", recipe={"epoch": 3})
    with pytest.raises(ConfigError, match=r"'epoch' is unknown; perhaps epochs"):
        begin_training(weak, open_ledger(weak.ledger), request, _silent)


def test_a_start_without_a_checkpoint_is_refused(weak: Settings) -> None:
    _, model = ensure_champion(weak, _silent)
    request = TrainingRequest("x", start=str(model.onnx))
    with pytest.raises(TrainingError, match=r"no \.pt checkpoint"):
        begin_training(weak, open_ledger(weak.ledger), request, _silent)


def test_a_dry_run_starts_from_what_the_training_starts_from(weak: Settings) -> None:
    exported = open_model(str(open_model(weak.model, weak.models).onnx), weak.models)
    request, ledger = TrainingRequest("x", start=weak.model), open_ledger(weak.ledger)
    of_onnx = weak.model_copy(update={"model": str(exported.onnx)})
    (missing,) = check_training(of_onnx, ledger, request).missing
    assert "cannot be the first champion" in missing
    version = register_file(weak, "own.onnx", exported, FirstScores())
    open_registry(weak).set_alias(CHAMPION, version.number)  # a champion without a checkpoint
    assert check_training(weak, ledger, request).ready
    begin_training(weak, ledger, request, _silent)


@pytest.mark.parametrize("start", ["gone.pt", "model.onnx"])
def test_a_dry_run_says_that_a_start_cannot_be_one(weak: Settings, tmp_path: Path, start: str) -> None:
    shutil.copy(open_model(weak.model, weak.models).onnx, tmp_path / "model.onnx")
    request = TrainingRequest("x", start=str(tmp_path / start))
    (missing,) = check_training(weak, open_ledger(weak.ledger), request).missing
    assert "no such model file" in missing or "no .pt checkpoint" in missing


def test_a_start_with_the_champions_classes_in_another_order_is_refused(
    weak: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    champion = open_model(weak.model, weak.models)

    def named(*names: str) -> ModelFile:
        return replace(champion, contract=replace(champion.contract, names=names))

    def start(*names: str) -> ModelFile:
        monkeypatch.setattr("flows.learning.training_material.open_model", lambda *_: named(*names))
        return start_of(weak, named("car", "bus"), TrainingRequest("x", start="other.pt"))

    with pytest.raises(TrainingError, match="'bus' as class 0, and the champion as class 1"):
        start("bus", "car")
    for others in (("car", "bus"), ("car", "coach"), ("bus", "car", "tram")):
        assert start(*others).names == others


def test_a_dry_run_says_that_a_judged_class_is_none(weak: Settings) -> None:
    request = TrainingRequest("x", classes={"tram": ("tram",)})
    (missing,) = check_training(weak, open_ledger(weak.ledger), request).missing
    assert "no class 'tram'" in missing


def test_a_dry_run_refuses_the_options_that_a_training_refuses(weak: Settings) -> None:
    request = TrainingRequest("x", recipe={"epochs": "abc"})
    for ask in (check_training, lambda *given: begin_training(*given, _silent)):
        with pytest.raises(ConfigError, match="option epochs: 'abc' is no whole number from 1 on"):
            ask(weak, open_ledger(weak.ledger), request)


def test_the_champion_is_asked_for_what_nobody_was_asked_about(weak: Settings) -> None:
    ledger, said = open_ledger(weak.ledger), list[str]()
    with ledger.transaction() as connection:
        connection.execute(update(reviews).values(asked=("car", "truck", "bus")))
    request = TrainingRequest("x", classes={"vehicle": ("car", "truck", "bus")})
    begun = begin_training(weak, ledger, request, said.append)
    assert any("nobody was asked about in" in sentence for sentence in said)
    assert all(unasked_classes(example) for example in begun.dataset.examples)


def _judged(*truth: Box) -> Dataset:
    examples = [Example(f"{k}", "", 100, 80, truth, VALIDATION) for k in range(12)]
    return Dataset(("person", "car", "truck"), (*examples, Example("t", "", 100, 80, truth, TRAIN)))


def _answer(class_id: int) -> list[Detections]:
    box = np.array([CAR], np.float32)
    return [Detections(box, np.ones(1, np.float32), np.array([class_id]))] * 12


def test_joined_classes_are_judged_as_one() -> None:
    dataset, answers = _judged(Box(1, CAR)), (_answer(1), _answer(2))
    groups = {"vehicle": ("car", "truck")}
    apart = verdict_on(dataset, answers, TrainingRequest("x")).gains["all"]
    joined = verdict_on(dataset, answers, TrainingRequest("x", classes=groups)).gains["all"]
    assert (apart.champion, apart.candidate) == (1.0, 0.0), "a truck is no car"
    assert (joined.champion, joined.candidate) == (1.0, 1.0), "both are vehicles"


def test_the_epoch_is_chosen_by_the_classes_that_are_judged() -> None:
    dataset = _judged(Box(1, CAR))
    assert _judged_ids(dataset, TrainingRequest("x")) is None
    assert _judged_ids(dataset, TrainingRequest("x", classes={"vehicle": ("truck", "car")})) == (1, 2)


def test_frames_without_an_object_of_a_judged_class_can_judge_nothing(weak: Settings) -> None:
    assert not any(e.boxes for e in judged_classes(_judged(Box(1, CAR)), {"p": ("person",)}).examples)
    champion, _ = ensure_champion(weak, _silent)
    found = gather_material(weak, open_ledger(weak.ledger), champion, "x", {})
    cars = champion.record.classes.index("car")
    only_cars = tuple(
        replace(e, boxes=tuple(b for b in e.boxes if b.class_id == cars)) for e in found.dataset.examples
    )
    material = replace(found, dataset=replace(found.dataset, examples=only_cars))
    with pytest.raises(TooFewToJudge, match="have no objects"):
        save_material(weak, material, champion, groups={"people": ("person",)})


def test_the_version_of_a_city_says_whose_it_is(weak: Settings) -> None:
    ledger = open_ledger(weak.ledger)
    cameras = frozenset(frame.camera_id for frame in list_labeled(ledger))
    request = TrainingRequest("mine", place=CityCameras("denver", cameras))
    begun = begin_training(weak, ledger, request, _silent)
    assert begun.request.trigger["city"] == "denver"
    assert begun.dataset.purpose == "labels of denver for mine"
    nowhere = TrainingRequest("other", place=CityCameras("rome", frozenset({"no camera"})))
    with pytest.raises(DatasetError, match="no new labels of rome's 1 cameras"):
        begin_training(weak, ledger, nowhere, _silent)


def test_a_start_whose_first_dataset_is_not_there_keeps_half_of_what_it_was(weak: Settings) -> None:
    ledger = open_ledger(weak.ledger)
    begun = begin_training(weak, ledger, TrainingRequest("first"), _silent)
    assert begun.request.recipe["blend"] == 0.5, "a file of its own has no dataset"
    wanted = TrainingRequest("second", recipe={"blend": 0.9})
    assert begin_training(weak, ledger, wanted, _silent).request.recipe["blend"] == 0.9


@pytest.mark.parametrize(("first", "replays"), [("d" * 64, True), ("", False)])
def test_descendants_replay_what_the_first_was_trained_on(weak: Settings, first: str, replays: bool) -> None:
    champion, model = ensure_champion(weak, _silent)
    registry = open_registry(weak)

    def version(dataset: str, parent: int | None) -> Version:
        record = replace(champion.record, dataset=dataset, parent=parent)
        return registry.register(registry.start("x", {}), model.onnx, record)

    root = version(first, None)
    child = version("e" * 64, root.number)
    assert _replays(weak, child) is replays
