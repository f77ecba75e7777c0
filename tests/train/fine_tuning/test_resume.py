"""Whoever asked for a training is killed, and asks again by the same name."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from streetloop.city.render.shapes import CLASSES
from streetloop.storage.store import FolderStore
from train.data.dataset import TRAIN, VALIDATION, Dataset
from train.data.formats import write_yolo
from train.data.simulated_dataset import TRAIN_CAMERAS, Split, gather_split
from train.fine_tuning.recipe import RECIPE

pytestmark = [pytest.mark.ray, pytest.mark.timeout(600)]

# More than the worker, which lives on for some seconds, gets done meanwhile.
EPOCHS = 12
SMALL = {
    **RECIPE,
    "threads": 1,
    "epochs": EPOCHS,
    "patience": EPOCHS,
    "imgsz": 96,
    "batch": 4,
    "nbs": 4,
    "close_mosaic": 0,
}


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("data")
    store = FolderStore(home / "store")
    learned = gather_split(Split("t", TRAIN_CAMERAS[:2], 0, 6), store, TRAIN)
    held = gather_split(Split("v", TRAIN_CAMERAS[:2], 5_000, 2), store, VALIDATION)
    return write_yolo(Dataset(tuple(CLASSES), (*learned, *held)), store, home / "yolo")


@contextmanager
def _driver(data: Path, folder: Path, recipe: dict[str, Any]) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-m", "tests.support.programs.train_driver", str(data), str(folder), "name"]
    process = subprocess.Popen(
        [*command, json.dumps(recipe)], stdout=subprocess.PIPE, text=True, start_new_session=True
    )
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def _lines(process: subprocess.Popen[str]) -> Iterator[dict[str, Any]]:
    assert process.stdout is not None
    for line in process.stdout:
        if line.startswith("{"):
            yield json.loads(line)


def test_a_driver_that_is_killed_costs_at_most_an_epoch_and_after_the_end_nothing(
    data: Path, tmp_path: Path
) -> None:
    with _driver(data, tmp_path, SMALL) as process:
        for said in _lines(process):
            if said["epoch"] == 1 and not said["over"]:
                os.kill(process.pid, 9)
                break
        assert process.wait() == -9, "in the middle of the second epoch"
    with _driver(data, tmp_path, SMALL) as process:
        *told, last = list(_lines(process))
    assert told[0]["epoch"] >= 1, "the first epoch is not trained again"
    assert [said["epoch"] for said in told if said["over"]][-1] == EPOCHS - 1
    written = Path(last["best"]).read_bytes()
    assert len(written) > 1_000_000
    with _driver(data, tmp_path, SMALL) as process:
        (again,) = list(_lines(process))
    assert Path(again["best"]).read_bytes() == written
