"""The backends of a CPU beside each other: time of one inference, and how far bfloat16 moves boxes.

    python -m benchmarks.backends

yolov8n under ONNX Runtime and OpenVINO, in turns, on two input shapes; then its detections on the
128 photographs of COCO val2017 in bfloat16 and in float32, boxes matched at an IoU of 0.7.
"""

import os
import statistics
import time
from pathlib import Path

import cv2
import numpy as np

from benchmarks.material import DATA, WEIGHTS
from benchmarks.report import finish, new_parser, parse_options
from streetloop.boxes import iou
from train.model.backends.backend import Backend, random_batch
from train.model.backends.open_backend import open_backend
from train.model.model_file import open_model
from train.model.predictor import Predictor

_SHAPES = ((1, 544, 640), (8, 384, 640))
_ROUNDS, _CONFIDENCE, _MATCH_IOU = 8, 0.25, 0.7
_KINDS = (("onnx", "auto"), ("openvino", "fp32"), ("openvino", "auto"))


def milliseconds(backends: list[Backend], shape: tuple[int, int, int]) -> dict[str, float]:
    """Median time of one inference by backend; every round asks each of them once."""
    images = random_batch(shape)
    spent: dict[str, list[float]] = {backend.name: [] for backend in backends}
    for backend in backends:
        backend.run(images)
    for _ in range(_ROUNDS):
        for backend in backends:
            began = time.perf_counter()
            backend.run(images)
            spent[backend.name].append(1000 * (time.perf_counter() - began))
    return {name: round(statistics.median(found), 1) for name, found in spent.items()}


def differences(reference: Predictor, other: Predictor) -> dict[str, float]:
    """Mean differences of the boxes that both find, and how many the other one misses."""
    pixels, confidence, boxes, missed = [], [], 0, 0
    for path in sorted((DATA / "datasets/coco128_val/images").rglob("*.jpg")):
        image = np.asarray(cv2.imread(str(path)), np.uint8)
        ours, theirs = (p.predict(image, _CONFIDENCE) for p in (reference, other))
        overlap = iou(ours.xyxy, theirs.xyxy)
        boxes += len(ours)
        for row, found in enumerate(overlap):
            best = int(found.argmax()) if len(found) else -1
            if best < 0 or found[best] < _MATCH_IOU:
                missed += 1
                continue
            pixels += np.abs(ours.xyxy[row] - theirs.xyxy[best]).tolist()
            confidence.append(abs(float(ours.confidence[row] - theirs.confidence[best])))
    return {
        "boxes": boxes,
        "missed": missed,
        "pixels": round(statistics.mean(pixels), 3),
        "confidence": round(statistics.mean(confidence), 4),
    }


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
