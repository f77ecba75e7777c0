"""Two workers against one with the joint batch: real Ray Train, real Ultralytics, SGD."""

from pathlib import Path
from typing import Any

import pytest
import ray.train
import ray.train.torch
import torch

from streetloop.city.render.shapes import CLASSES
from streetloop.storage.store import FolderStore
from train.data.dataset import TRAIN, VALIDATION, Dataset
from train.data.formats import write_yolo
from train.data.simulated_dataset import TRAIN_CAMERAS, Split, gather_split
from train.model.model_file import _BASELINE_FILE

pytestmark = [pytest.mark.ray, pytest.mark.usefixtures("shared_ray"), pytest.mark.timeout(600)]

STEPS = 3
# Nothing is random: the same picture is the same on whichever worker it lands.
RECIPE = {
    "epochs": 1, "imgsz": 96, "batch": 4, "nbs": 4, "optimizer": "SGD", "lr0": 0.01,
    "momentum": 0.9, "warmup_epochs": 0, "mosaic": 0, "close_mosaic": 0, "hsv_h": 0, "hsv_s": 0,
    "hsv_v": 0, "degrees": 0, "translate": 0, "scale": 0, "fliplr": 0, "erasing": 0, "seed": 7,
    "deterministic": True, "val": False, "cache": "ram",
}  # fmt: skip

_JOINED, _SEPARATE = "joined", "separate"  # trainings of a run

State = dict[str, torch.Tensor]


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("data")
    store = FolderStore(home / "store")
    learned = gather_split(Split("t", TRAIN_CAMERAS[:2], 0, 2 * STEPS), store, TRAIN)
    held = gather_split(Split("v", TRAIN_CAMERAS[:2], 5_000, 1), store, VALIDATION)
    return write_yolo(Dataset(tuple(CLASSES), (*learned, *held)), store, home / "yolo")


def _learn(config: dict[str, Any]) -> None:
    """In each worker: the real trainer, its batches joined, and apart if asked for."""
    from train.ultralytics_adapter import prepare

    prepare()
    import train.fine_tuning.worker_trainer as trainers

    _learn_once(config["data"], Path(config["out"]) / _JOINED)
    if config["apart"]:
        trainers.join_normalisation = trainers.join_loss = lambda _: None
        _learn_once(config["data"], Path(config["out"]) / _SEPARATE)


def _learn_once(data: str, out: Path) -> None:
    """Train, and write down the weights after each step."""
    from train.fine_tuning.worker_trainer import WorkerTrainer

    out.mkdir(parents=True, exist_ok=True)
    rank = ray.train.get_context().get_world_rank()
    steps = iter(range(100))

    def note(trainer: Any) -> None:
        network = getattr(trainer.model, "module", trainer.model)
        state = {k: v.clone() for k, v in network.state_dict().items() if v.is_floating_point()}
        torch.save(state, out / f"{next(steps)}-{rank}.pt")

    overrides = {
        **RECIPE,
        "model": str(_BASELINE_FILE),
        "data": data,
        "plots": False,
        "project": str(out),
        "name": "run",
        "exist_ok": True,
        "device": "cpu",
        "workers": 0,
        "amp": False,
    }
    WorkerTrainer(overrides, note, lambda _: None, threads=1).train()


def _run(data: Path, out: Path, workers: int, *, apart: bool = False) -> Path:
    """The folder in which each training left its weights."""
    ray.train.torch.TorchTrainer(
        _learn,
        train_loop_config={"data": str(data), "out": str(out), "apart": apart},
        scaling_config=ray.train.ScalingConfig(num_workers=workers, resources_per_worker={"CPU": 0.25}),
        run_config=ray.train.RunConfig(storage_path=str(out), name="ray"),
    ).fit()
    return out


def _states(folder: Path, workers: int) -> list[list[State]]:
    """Weights by step and worker."""
    return [[torch.load(folder / f"{step}-{rank}.pt") for rank in range(workers)] for step in range(STEPS)]


def _apart(one: State, other: State) -> float:
    """The largest difference of a value as a share of the largest of its tensor."""
    assert one.keys() == other.keys()
    return max(float((one[k] - other[k]).abs().max() / other[k].abs().max().clamp(min=1e-3)) for k in one)


@pytest.fixture(scope="module")
def alone(data: Path, tmp_path_factory: pytest.TempPathFactory) -> list[list[State]]:
    """Of one worker."""
    return _states(_run(data, tmp_path_factory.mktemp("alone"), 1) / _JOINED, 1)


@pytest.fixture(scope="module")
def two(data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What two workers left, which trained twice."""
    return _run(data, tmp_path_factory.mktemp("two"), 2, apart=True)


def test_two_workers_learn_what_one_learns_from_their_batches_joined(
    alone: list[list[State]], two: Path
) -> None:
    together = _states(two / _JOINED, 2)
    for step, ((first, second), (whole,)) in enumerate(zip(together, alone, strict=True)):
        assert all(torch.equal(first[k], second[k]) for k in first), f"step {step}: to the last bit"
        assert _apart(first, whole) < 1e-5, f"step {step}: to the precision of floats"
    assert _apart(alone[-1][0], alone[0][0]) > 0.01, "or it would say nothing"


def test_without_joining_they_learn_something_else(alone: list[list[State]], two: Path) -> None:
    assert _apart(_states(two / _SEPARATE, 2)[0][0], alone[0][0]) > 0.01
