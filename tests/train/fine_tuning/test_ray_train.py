"""Ray Train with real workers, on few and small pictures."""

import os
import signal
from pathlib import Path

import psutil
import pytest
import ray

from streetloop.city.render.shapes import CLASSES
from streetloop.errors import TrainingError
from streetloop.storage.store import FolderStore
from train.data.dataset import TRAIN, VALIDATION, Dataset
from train.data.formats import write_yolo
from train.data.simulated_dataset import TRAIN_CAMERAS, Split, gather_split
from train.fine_tuning.recipe import RECIPE, Progress, Training
from train.model.model_file import _BASELINE_FILE

pytestmark = [pytest.mark.ray, pytest.mark.usefixtures("shared_ray"), pytest.mark.timeout(600)]

SMALL = {**RECIPE, "threads": 1, "epochs": 2, "imgsz": 96, "batch": 4, "nbs": 4, "close_mosaic": 0}


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("data")
    store = FolderStore(home / "store")
    learned = gather_split(Split("t", TRAIN_CAMERAS[:2], 0, 6, "night"), store, TRAIN)
    held = gather_split(Split("v", TRAIN_CAMERAS[:2], 5_000, 2, "night"), store, VALIDATION)
    return write_yolo(Dataset(tuple(CLASSES), (*learned, *held)), store, home / "yolo")


def _training(name: str, data: Path, folder: Path, **values: object) -> Training:
    return Training(name, _BASELINE_FILE, data, folder, **{"recipe": SMALL, **values})  # type: ignore[arg-type]


def test_a_checkpoint_comes_out_and_progress_is_told(data: Path, tmp_path: Path) -> None:
    from train.fine_tuning.ray_train import fine_tune

    told: list[Progress] = []
    best = fine_tune(_training("one", data, tmp_path), told.append)
    assert best.stat().st_size > 1_000_000
    assert [p.epoch for p in told if p.epoch_over] == [0, 1]
    assert {p.epochs for p in told} == {2}
    assert "metrics/mAP50(B)" in told[-1].numbers


def test_the_epoch_is_chosen_by_the_judged_classes_alone(data: Path, tmp_path: Path) -> None:
    import torch

    from train.fine_tuning.ray_train import fine_tune

    barely = {**SMALL, "epochs": 1, "imgsz": 320, "lr0": 1e-6}  # it still finds what it found
    best = fine_tune(_training("judged", data, tmp_path, judged=(2,), recipe=barely))
    measured = torch.load(best, map_location="cpu", weights_only=False)["train_metrics"]
    assert 0 <= measured["fitness"] <= 1
    assert measured["fitness"] != pytest.approx(measured["metrics/mAP50-95(B)"], abs=1e-6)


def test_a_worker_that_is_killed_costs_at_most_an_epoch(data: Path, tmp_path: Path) -> None:
    from train.fine_tuning.ray_train import fine_tune

    told: list[Progress] = []
    killed: list[int] = []

    def kill_in_the_second_epoch(now: Progress) -> None:
        told.append(now)
        if now.epoch == 1 and not now.epoch_over and not killed:
            for process in psutil.process_iter(["cmdline"]):
                if "ray::RayTrainWorker" in " ".join(process.info["cmdline"] or ()):
                    killed.append(process.pid)
                    os.kill(process.pid, signal.SIGKILL)

    recipe = {**SMALL, "epochs": 3}
    fine_tune(_training("killed", data, tmp_path, recipe=recipe), kill_in_the_second_epoch)
    assert killed
    over = [p.epoch for p in told if p.epoch_over]
    assert over[-1] == 2
    assert over.count(0) == 1, "the first epoch is not trained again"


def test_what_cannot_be_trained_is_one_clear_error(data: Path, tmp_path: Path) -> None:
    from train.fine_tuning.ray_train import fine_tune

    training = _training("bad", tmp_path / "no.yaml", tmp_path, retries=0)
    with pytest.raises(TrainingError, match="training bad failed"):
        fine_tune(training)
    assert ray.is_initialized()
