"""The trainer of a worker, in a process of its own: Ultralytics changes the one that it is in."""

import subprocess
import sys
from pathlib import Path

import pytest

from streetloop.city.render.shapes import CLASSES
from streetloop.storage.store import FolderStore
from train.data.dataset import TRAIN, VALIDATION, Dataset
from train.data.formats import write_yolo
from train.data.simulated_dataset import TRAIN_CAMERAS, Split, gather_split
from train.model.model_file import _BASELINE_FILE

_SAY = """
import sys
from train.ultralytics_adapter import prepare

prepare()
import torch
import torch.distributed as dist
from train.fine_tuning.worker_trainer import WorkerTrainer

dist.init_process_group("gloo", store=dist.HashStore(), rank=0, world_size=1)
model, data, folder, threads = sys.argv[1:]
overrides = {"model": model, "data": data, "project": folder, "device": "cpu", "workers": 0}
WorkerTrainer(overrides, print, print, int(threads))
print("threads", torch.get_num_threads())
"""


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("data")
    store = FolderStore(folder / "store")
    examples = [
        example
        for part, seed in ((TRAIN, 0), (VALIDATION, 50))
        for example in gather_split(Split("day", TRAIN_CAMERAS[:1], seed, 1), store, part)
    ]
    return write_yolo(Dataset(tuple(CLASSES), tuple(examples)), store, folder / "yolo")


@pytest.mark.slow
@pytest.mark.parametrize("threads", [1, 3])
def test_it_computes_on_as_many_threads_as_it_is_told(data: Path, tmp_path: Path, threads: int) -> None:
    said = subprocess.run(
        [sys.executable, "-c", _SAY, _BASELINE_FILE, data, tmp_path, str(threads)],
        capture_output=True,
        text=True,
        check=True,
    )
    assert said.stdout.splitlines()[-1] == f"threads {threads}"
