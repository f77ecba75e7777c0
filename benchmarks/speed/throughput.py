"""What the flow costs over the bare model: frames a second as ratios of one run.

    python -m benchmarks.throughput [--seconds 30] [--rounds 2]

With ONNX Runtime, and with OpenVINO in the precision that it chooses on this processor:

- bare: one process decodes, letterboxes and runs the model, batch by batch, nothing else;
- streetloop: the whole of `streetloop run` with the gate off: decode, batch, Ray, detect, suppress,
  track, count, log;
- ultralytics: its own streaming predict with its own export, without tracking or log.

Each round runs all six after one another, because the speed of a shared machine drifts.
"""

import itertools
import os
import shutil
import statistics
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.table import Table

from benchmarks.material import DATA, WEIGHTS
from benchmarks.report import finish, new_parser, parse_options
from flows.runtime.run_values import RunOptions
from flows.runtime.session import run_streams
from flows.stream.analysis.status import CameraStatus
from streetloop.cameras.camera_file import Camera
from streetloop.settings import Settings
from streetloop.video import VideoReader
from train.model.backends.backend import Backend
from train.model.backends.open_backend import open_backend
from train.model.model_file import open_model
from train.model.preprocess import input_shape, letterbox_into

_START_S = 4.0  # until the worker has started


def bare(backend: Backend, clip: Path, settings: Settings, seconds: float) -> float:
    """Frames a second of one process."""
    frames = 0
    end = time.monotonic() + seconds
    began = time.monotonic()
    while time.monotonic() < end:
        with VideoReader(str(clip), str(clip)) as reader:
            height, width = input_shape(reader.info.width, reader.info.height, settings.image_size)
            pictures = reader.pictures()
            while batch := list(itertools.islice(pictures, settings.max_batch)):
                images = np.empty((len(batch), height, width, 3), np.uint8)
                for image, (_, picture) in zip(images, batch, strict=True):
                    letterbox_into(image, picture.bgr())
                backend.run(images)
                frames += len(batch)
                if time.monotonic() >= end:
                    break
    return frames / (time.monotonic() - began)


def streetloop(clip: Path, settings: Settings, seconds: float) -> float:
    """Frames a second from the first answers on, as the other two begin with a loaded model."""
    camera = Camera(id="bench", uri=f"file://{clip}?loop=1&live=0")  # type: ignore[arg-type]
    seen: list[tuple[float, int]] = []

    def note(statuses: Mapping[str, CameraStatus]) -> None:
        status = statuses.get("bench")
        if status is not None and status.account.detected:
            seen.append((time.monotonic(), status.account.detected))

    run_streams([camera], settings, RunOptions(duration_s=seconds + _START_S), show=note, say=lambda _: None)
    first, last = seen[0], seen[-2]  # the last one comes after the end, with what was under way
    return (last[1] - first[1]) / (last[0] - first[0])


def exported(kind: str, folder: Path, weights: Path, size: int) -> Path:
    """Ultralytics' own export of a checkpoint, in the folder."""
    os.environ.update(YOLO_OFFLINE="true", YOLO_AUTOINSTALL="false", YOLO_VERBOSE="false")
    from ultralytics import YOLO

    copy = Path(shutil.copy(weights, folder / f"{kind}-{weights.name}"))
    return Path(YOLO(str(copy)).export(format=kind, imgsz=size, dynamic=True))


def ultralytics(export: Path, clip: Path, settings: Settings, seconds: float) -> float:
    """Frames a second of its streaming predict."""
    from ultralytics import YOLO

    yolo = YOLO(str(export), task="detect")
    frames, began, end = 0, 0.0, 0.0
    while not end or time.monotonic() < end:
        for _ in yolo.predict(
            str(clip),
            stream=True,
            imgsz=settings.image_size,
            batch=settings.max_batch,
            rect=True,
            verbose=False,
        ):
            if not end:
                # The first answer pays for loading and warm-up.
                began = time.monotonic()
                end = began + seconds
                continue
            frames += 1
            if time.monotonic() >= end:
                break
    return frames / (time.monotonic() - began)


def main() -> None:
    """Measure and print."""
    parser = new_parser(__doc__)
    parser.add_argument("--seconds", type=float, default=30)
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--clip", type=Path, default=DATA / "videos/jamcam/tfl_2.mp4")
    parser.add_argument("--model", type=Path, default=WEIGHTS)
    options = parse_options(parser)
    with tempfile.TemporaryDirectory(prefix="streetloop-bench-") as folder:
        settings = Settings(home=Path(folder), model=str(options.model), gate=False)
        programs = _programs(settings, options.clip.resolve(), options.seconds)
        found: dict[str, list[float]] = {name: [] for name in programs}
        for _ in range(options.rounds):
            for name, program in programs.items():
                found[name].append(program())
    figures = _figures(found)
    table = Table("", "frames/s", "of the bare loop", box=None)
    for name, one in figures.items():
        table.add_row(name, f"{one['fps']:.1f}", f"{one['of_bare']:.2f}")
    Console().print(table)
    finish(options, figures)


def _programs(settings: Settings, clip: Path, seconds: float) -> dict[str, Callable[[], float]]:
    """What is measured, by name: program and backend."""
    model = open_model(settings.model, settings.models)
    found: dict[str, Callable[[], float]] = {}
    for kind in ("onnx", "openvino"):
        backend = open_backend(model, kind, settings.threads)
        chosen = settings.model_copy(update={"backend": kind})
        export = exported(kind, settings.home, Path(settings.model), settings.image_size)
        found |= {
            f"bare {backend.name}": partial(bare, backend, clip, chosen, seconds),
            f"streetloop {backend.name}": partial(streetloop, clip, chosen, seconds),
            f"ultralytics {backend.name}": partial(ultralytics, export, clip, chosen, seconds),
        }
    return found


def _figures(found: Mapping[str, Sequence[float]]) -> dict[str, dict[str, float]]:
    """Medians, and those of each round's ratio to the bare loop of the same backend."""
    figures = {}
    for name, fps in found.items():
        plain = found[f"bare {name.split()[1]}"]
        ratio = statistics.median(one / bare_fps for one, bare_fps in zip(fps, plain, strict=True))
        figures[name] = {"fps": round(statistics.median(fps), 2), "of_bare": round(ratio, 3)}
    return figures


if __name__ == "__main__":
    main()
