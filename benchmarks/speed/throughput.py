"""What the flow costs over the bare model: frames a second as ratios of one run.

    python -m benchmarks.throughput [--seconds 30] [--rounds 2]

- bare: one process decodes, letterboxes and runs the ONNX session, batch by batch, nothing else;
- streetloop: the whole of `streetloop run` with the gate off: decode, batch, Ray, detect, suppress,
  track, count, log;
- ultralytics: its own streaming predict with the same ONNX file, without tracking or log.

Each round runs all three after one another, because the speed of a shared machine drifts.
"""

import itertools
import os
import statistics
import tempfile
import time
from collections.abc import Mapping
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
from train.model.backends.onnx_runtime import OnnxBackend
from train.model.model_file import ModelFile, open_model
from train.model.preprocess import input_shape, letterbox_into

_START_S = 4.0  # until the worker has started


def bare(model: ModelFile, clip: Path, settings: Settings, seconds: float) -> float:
    backend = OnnxBackend(model.onnx, threads=settings.threads)
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


def ultralytics(model: ModelFile, clip: Path, settings: Settings, seconds: float) -> float:
    os.environ.update(YOLO_OFFLINE="true", YOLO_AUTOINSTALL="false", YOLO_VERBOSE="false")
    from ultralytics import YOLO

    yolo = YOLO(str(model.onnx), task="detect")
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
    parser = new_parser(__doc__)
    parser.add_argument("--seconds", type=float, default=30)
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--clip", type=Path, default=DATA / "videos/jamcam/tfl_2.mp4")
    parser.add_argument("--model", default=str(WEIGHTS))
    options = parse_options(parser)
    settings = Settings(
        home=Path(tempfile.mkdtemp(prefix="streetloop-bench-")), model=options.model, gate=False
    )
    model = open_model(settings.model, settings.models)
    clip = options.clip.resolve()
    table = Table(title=f"{clip.name}, {model.version}, batches of {settings.max_batch}")
    for name in (
        "round",
        "bare fps",
        "streetloop fps",
        "ultralytics fps",
        "streetloop/bare",
        "ultralytics/bare",
    ):
        table.add_column(name, justify="right")
    ratios: list[tuple[float, float]] = []
    for number in range(1, options.rounds + 1):
        plain = bare(model, clip, settings, options.seconds)
        ours = streetloop(clip, settings, options.seconds)
        theirs = ultralytics(model, clip, settings, options.seconds)
        # Once more, so that drift during the round weighs on both sides.
        plain = (plain + bare(model, clip, settings, options.seconds)) / 2
        ratios.append((ours / plain, theirs / plain))
        table.add_row(str(number), *(f"{v:.2f}" for v in (plain, ours, theirs, *ratios[-1])))
    Console().print(table)
    medians = [statistics.median(column) for column in zip(*ratios, strict=True)]
    Console().print(f"median: streetloop {medians[0]:.3f}, ultralytics {medians[1]:.3f} of bare")
    finish(options, {"streetloop_of_bare": medians[0], "ultralytics_of_bare": medians[1], "rounds": ratios})


if __name__ == "__main__":
    main()
