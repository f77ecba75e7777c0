"""What an image costs our training, beside Ultralytics' own ``train`` with the same settings.

    python -m benchmarks.training [--rounds 5]

They take turns on the same pictures, each in a process of its own with the same priority. On a CPU
Ultralytics takes one thread less than there are cores, ours as many as it is told of, so there are
three: ours, Ultralytics as it comes, and Ultralytics told of as many threads. All write its
``results.csv``; a round's figure is the time from the end of the first epoch to the end of the
last, by the images trained on in it: forward, backward, validation, checkpoints, and on our side
what is reported to Ray meanwhile.
"""

import csv
import os
import statistics
import sys
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from benchmarks.report import finish, new_parser, parse_options
from flows.runtime.ray_cluster import local_ray
from streetloop.city.render.shapes import CLASSES
from streetloop.settings import BASELINE
from streetloop.storage.store import FolderStore
from train.data.dataset import TRAIN, VALIDATION, Dataset
from train.data.formats import write_yolo
from train.data.simulated_dataset import TRAIN_CAMERAS, VALIDATION_SEEDS, Split, gather_split
from train.fine_tuning.recipe import BLEND, RECIPE, THREADS, Training
from train.model.model_file import open_model

_SETTINGS = {**RECIPE, "epochs": 4, "imgsz": 320, "patience": 0}
del _SETTINGS[BLEND]  # ours alone, and after training


def pictures(folder: Path, a_camera: int) -> tuple[Path, int]:
    """Frames of day to train on, and how many."""
    store = FolderStore(folder / "store")
    learned = gather_split(Split("t", TRAIN_CAMERAS, 0, a_camera), store, TRAIN)
    held = gather_split(Split("v", TRAIN_CAMERAS, VALIDATION_SEEDS, 1), store, VALIDATION)
    dataset = Dataset(tuple(CLASSES), (*learned, *held))
    return write_yolo(dataset, store, folder / "data"), len(learned)


def ours(start: Path, data: Path, folder: Path, threads: int) -> Path:
    """Train on Ray Train; the curve."""
    with local_ray():
        from train.fine_tuning.ray_train import (
            fine_tune,  # needs Ray, whose settings are made before it is imported
        )

        fine_tune(Training("ours", start, data, folder, {**_SETTINGS, THREADS: threads}))
    return folder / "ours/ultralytics/results.csv"


def as_it_comes(start: Path, data: Path, folder: Path, _: int) -> Path:
    """Train with Ultralytics' own trainer and the threads that it takes; the curve."""
    return _in_a_process(start, data, folder / "as-it-comes", None)


def as_many(start: Path, data: Path, folder: Path, threads: int) -> Path:
    """Train with Ultralytics' own trainer on as many threads as ours; the curve."""
    return _in_a_process(start, data, folder / "as-many", threads)


def _in_a_process(start: Path, data: Path, folder: Path, threads: int | None) -> Path:
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        pool.submit(_theirs, str(start), data, folder, _SETTINGS, threads).result()
    return folder / "results.csv"


def _theirs(start: str, data: Path, folder: Path, options: dict[str, Any], threads: int | None) -> None:
    from streetloop.host.processes import lower_priority
    from train.ultralytics_adapter import prepare, train_detector

    lower_priority()
    prepare()
    from ultralytics.utils import torch_utils

    if threads is not None:
        torch_utils.NUM_THREADS = threads
    train_detector(start, data, folder, options)


def seconds_an_image(curve: Path, images: int) -> float:
    """From a ``results.csv``, without its first epoch."""
    with curve.open() as lines:
        times = [float(row["time"]) for row in csv.DictReader(lines)]
    return (times[-1] - times[0]) / (images * (len(times) - 1))


def main() -> None:
    parser = new_parser(__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--a-camera", type=int, default=8, help="pictures of each camera")
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    choice = parse_options(parser)
    home = Path(tempfile.mkdtemp(prefix="streetloop-bench-"))
    data, images = pictures(home, choice.a_camera)
    start = open_model(BASELINE, home / "exports").checkpoint
    assert start is not None
    contenders = {"ours": ours, "as it comes": as_it_comes, "as many threads": as_many}
    table = Table(title=f"{images} images, {_SETTINGS['imgsz']} px, ms an image")
    for name in ("round", *contenders):
        table.add_column(name, justify="right")
    costs: dict[str, list[float]] = {name: [] for name in contenders}
    began = time.monotonic()
    for number in range(choice.rounds):
        # Whoever goes later finds a warmer machine: they change places.
        turn = number % len(contenders)
        for name in (*list(contenders)[turn:], *list(contenders)[:turn]):
            curve = contenders[name](start, data, home / f"round-{number}", choice.threads)
            costs[name].append(1000 * seconds_an_image(curve, images))
        latest = {name: f"{cost[-1]:.1f}" for name, cost in costs.items()}
        table.add_row(str(number + 1), *latest.values())
        passed = time.monotonic() - began
        left = passed / (number + 1) * (choice.rounds - number - 1)
        sys.stderr.write(f"round {number + 1} of {choice.rounds}: {latest} ms; {left:.0f} s to go\n")
    Console(width=100).print(table)
    ratios = {}
    for name in list(contenders)[1:]:
        ratio = statistics.median(a / b for a, b in zip(costs["ours"], costs[name], strict=True))
        print(f"against Ultralytics {name}: {ratio:.3f} (median; at most 1.05 is wanted)")
        ratios[f"ours against {name}"] = ratio
    medians = {name: statistics.median(cost) for name, cost in costs.items()}
    finish(choice, {"ms_an_image": medians, "ratios": ratios})


if __name__ == "__main__":
    main()
