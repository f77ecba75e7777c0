"""The backends of a CPU beside each other: time of one inference, and how far bfloat16 moves boxes.

    python -m benchmarks.backends

yolov8n under ONNX Runtime and OpenVINO, in turns, on two input shapes; then its detections on the
128 photographs of COCO val2017 in bfloat16 and in float32.
"""

import os
from dataclasses import asdict
from functools import partial
from pathlib import Path

import cv2
import numpy as np

from benchmarks.material import DATA, WEIGHTS
from benchmarks.report import finish, new_parser, parse_options
from train.evaluation.box_difference import box_difference
from train.model.backends.backend import Backend, random_batch
from train.model.backends.open_backend import open_backend
from train.model.model_file import open_model
from train.model.predictor import Predictor
from train.model.timing import time_in_turns

_SHAPES = ((1, 544, 640), (8, 384, 640))
_ROUNDS, _CONFIDENCE = 8, 0.25
_KINDS = (("onnx", "auto"), ("openvino", "fp32"), ("openvino", "auto"))


def milliseconds(backends: list[Backend], shape: tuple[int, int, int]) -> dict[str, float]:
    """Median time of one inference by backend; every round asks each of them once."""
    images = random_batch(shape)
    timed = time_in_turns({backend.name: partial(backend.run, images) for backend in backends}, _ROUNDS)
    return {name: round(1000 * timing.seconds, 1) for name, timing in timed.items()}


def differences(reference: Predictor, other: Predictor) -> dict[str, float | None]:
    """Mean differences of the boxes that both find, and how many only one of them finds."""
    paths = sorted((DATA / "datasets/coco128_val/images").rglob("*.jpg"))
    images = (np.asarray(cv2.imread(str(path)), np.uint8) for path in paths)
    pairs = ((reference.predict(i, _CONFIDENCE), other.predict(i, _CONFIDENCE)) for i in images)
    return asdict(box_difference(pairs))


def main() -> None:
    """Measure and print."""
    options = parse_options(new_parser(__doc__))
    model, threads = open_model(str(WEIGHTS), Path("build/models")), len(os.sched_getaffinity(0))
    backends = [open_backend(model, kind, threads, precision) for kind, precision in _KINDS]
    speed = {"x".join(map(str, shape)): milliseconds(backends, shape) for shape in _SHAPES}
    for shape, found in speed.items():
        print(shape, ", ".join(f"{name} {value} ms" for name, value in found.items()))
    moved = differences(Predictor(model, backends[0]), Predictor(model, backends[-1]))
    print(f"{backends[-1].name} against {backends[0].name}: {moved}")
    finish(options, {"milliseconds": speed, "moved": moved})


if __name__ == "__main__":
    main()
