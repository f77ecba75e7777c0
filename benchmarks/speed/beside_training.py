"""What does a training cost the detection that runs beside it?

    python -m benchmarks.beside_training

Two clips play as live cameras of 8 frames a second each, first alone, then while the shipped
detector is fine-tuned at low priority on the same machine, then alone again. What is not detected
is dropped and counted: decoded = detected + gated + dropped + failed.
"""

import argparse
import contextlib
import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml
from rich.console import Console
from rich.table import Table

from benchmarks.material import DATA, WEIGHTS
from benchmarks.report import finish, new_parser, parse_options
from flows.runtime.ray_cluster import local_ray
from streetloop.city.render.shapes import CLASSES
from streetloop.storage.store import FolderStore
from train.data.dataset import TRAIN, VALIDATION, Dataset
from train.data.formats import write_yolo
from train.data.simulated_dataset import TRAIN_CAMERAS, Split, gather_split
from train.fine_tuning.recipe import RECIPE, THREADS, Progress, Training
from train.model.model_file import open_model

_CLIPS = ("tfl_1", "tfl_2")
_FPS = 8.0
_EPOCHS = 1000  # it is ended when the second measurement is over


def train(folder: Path) -> None:
    """Fine-tune, until somebody ends it; a line on standard output after each batch."""
    store = FolderStore(folder / "store")
    learned = gather_split(Split("t", TRAIN_CAMERAS, 0, 12), store, TRAIN)
    held = gather_split(Split("v", TRAIN_CAMERAS, 5_000, 1), store, VALIDATION)
    data = write_yolo(Dataset(tuple(CLASSES), (*learned, *held)), store, folder / "yolo")
    start = open_model("baseline", folder).checkpoint
    assert start is not None

    def tell(now: Progress) -> None:
        print(now.epoch, now.share, flush=True)

    with local_ray():
        from train.fine_tuning.ray_train import fine_tune  # after Ray's settings are made

        recipe = {**RECIPE, THREADS: 1, "epochs": _EPOCHS, "patience": _EPOCHS}
        fine_tune(Training("beside", start, data, folder, recipe), tell)


@contextlib.contextmanager
def training(folder: Path) -> Iterator[None]:
    """A training that is under way, in processes of its own."""
    command = [sys.executable, "-m", "benchmarks.beside_training", "--train", str(folder)]
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, start_new_session=True
    )
    try:
        assert process.stdout is not None
        first = process.stdout.readline()
        if not first:
            raise SystemExit("the training did not begin")
        yield
        if process.poll() is not None:
            raise SystemExit("the training ended before the measurement did")
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def watch(cameras: Path, home: Path, seconds: float) -> dict[str, Any]:
    """The account of `streetloop run`, both cameras together."""
    asked = subprocess.run(
        [
            sys.executable,
            "-m",
            "flows.cli.main",
            "run",
            str(cameras),
            "--model",
            str(WEIGHTS),
            "--duration",
            str(seconds),
            "--no-gate",
            "--json",
        ],
        env={**os.environ, "STREETLOOP_HOME": str(home)},
        capture_output=True,
        text=True,
        check=True,
    )
    summary = json.loads(asked.stdout)
    fates = ("decoded", "detected", "gated", "dropped", "failed")
    total = {fate: sum(c[fate] for c in summary["cameras"].values()) for fate in fates}
    lag = max(c["lag_p95_s"] for c in summary["cameras"].values())
    fps = sum(c["fps"] for c in summary["cameras"].values())
    return {**total, "fps": fps, "lag_p95_s": lag}


def main() -> None:
    """Measure, and print a table."""
    parser = new_parser(__doc__)
    parser.add_argument("--seconds", type=float, default=30.0)
    parser.add_argument("--train", type=Path, help=argparse.SUPPRESS)
    choice = parse_options(parser)
    if choice.train is not None:
        train(choice.train)
        return
    folder = Path(tempfile.mkdtemp(prefix="streetloop-bench-"))
    entries = [
        {
            "id": name.replace("_", "-"),
            "fps": _FPS,
            "uri": f"file://{DATA / f'videos/jamcam/{name}.mp4'}?loop=1",
        }
        for name in _CLIPS
    ]
    cameras = folder / "cameras.yaml"
    cameras.write_text(yaml.safe_dump({"settings": {"drift": False, "triage": False}, "cameras": entries}))
    watch(cameras, folder, 2.0)  # exports the model
    found = {"alone": watch(cameras, folder, choice.seconds)}
    with training(folder / "training"):
        found["beside a training"] = watch(cameras, folder, choice.seconds)
    found["alone again"] = watch(cameras, folder, choice.seconds)
    table = Table(title=f"2 cameras of {_FPS:g} frames a second, {choice.seconds:g} s each")
    table.add_column("")
    for name in found["alone"]:
        table.add_column(name, justify="right")
    for label, row in found.items():
        fates = row["detected"] + row["gated"] + row["dropped"] + row["failed"]
        assert row["decoded"] == fates, "every frame has one fate"
        table.add_row(label, *(f"{value:g}" for value in row.values()))
    Console(width=110).print(table)
    finish(choice, found)


if __name__ == "__main__":
    main()
