"""Does an export of fixed size find what the free one does at that size?

    python -m benchmarks.exports

COCO mAP of yolov8n as Ultralytics exports it to fixed sizes, beside its dynamic export that was
given the same size, on 24 images of COCO val2017 under ONNX Runtime.
"""

import tempfile
from pathlib import Path

import cv2
from rich.console import Console
from rich.table import Table

from benchmarks.material import DATA, WEIGHTS
from benchmarks.parity import truth
from benchmarks.report import finish, new_parser, parse_options
from streetloop.types import Detections, Image
from tests.support.samples.exports import export
from train.evaluation.coco_map import coco_map
from train.model.backends.open_backend import open_backend
from train.model.model_file import ModelFile, open_model
from train.model.predictor import Predictor
from train.model.preprocess import letterbox

_IMAGES = DATA / "datasets/coco128_val/images/val2017"
_COUNT = 24
_CONFIDENCE = 0.001  # what validators use: the whole curve, not one point of it
_FIXED = ("fixed", "batch of 4", "wide", "small")


def found(model: ModelFile, pictures: list[Image], size: tuple[int, int]) -> list[Detections]:
    """Detections in pictures that were letterboxed to (height, width)."""
    predictor = Predictor(model, open_backend(model, "onnx"))
    answers = []
    for picture in pictures:
        boxed, box = letterbox(picture, size[1], size[0])
        one = predictor.detect(boxed[None], _CONFIDENCE, multi_label=True)[0]
        answers.append(Detections(box.to_source(one.xyxy), one.confidence, one.class_id))
    return answers


def main() -> None:
    options = parse_options(new_parser(__doc__))
    folder = Path(tempfile.mkdtemp(prefix="streetloop-bench-"))
    images = sorted(_IMAGES.glob("*.jpg"))[:_COUNT]
    pictures, labels = [cv2.imread(str(image)) for image in images], [truth(image) for image in images]
    free = open_model(str(export(WEIGHTS, "dynamic", folder)), folder)
    table = Table(
        "export", "mAP50-95", "free at that size", title=f"yolov8n on {_COUNT} images of COCO val2017"
    )
    figures = {}
    for name in _FIXED:
        model = open_model(str(export(WEIGHTS, name, folder)), folder)
        size = model.contract.input.size_for(640, 480, 640)
        scores = [coco_map(labels, found(one, pictures, size)).map50_95 for one in (model, free)]
        figures[name] = dict(zip(("fixed", "free"), scores, strict=True))
        table.add_row(f"{size[0]}x{size[1]}, {name}", *(f"{score:.4f}" for score in scores))
    Console().print(table)
    finish(options, figures)


if __name__ == "__main__":
    main()
