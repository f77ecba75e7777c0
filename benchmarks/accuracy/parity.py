"""Do our pre- and post-processing and ONNX path cost accuracy?

    python -m benchmarks.parity

COCO mAP of yolov8n at 640 on 128 images of COCO val2017, ours beside Ultralytics' own validator on
its own checkpoint, both with a square input. Its predictions go through the same evaluator too,
because its mAP is computed a little differently from COCO's. Live, streetloop uses the smallest
input that holds the picture, which is cheaper; the last row shows what that does.
"""

import os
import tempfile
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import yaml
from rich.console import Console
from rich.table import Table

from benchmarks.material import DATA, WEIGHTS
from benchmarks.report import finish, new_parser, parse_options
from streetloop.types import Detections
from train.evaluation.coco_map import coco_map
from train.model.backends.open_backend import open_backend
from train.model.model_file import open_model
from train.model.predictor import Predictor
from train.model.preprocess import letterbox

_SET = DATA / "datasets/coco128_val"
_CONFIDENCE = 0.001  # what validators use: the whole curve, not one point of it


def truth(image: Path) -> Detections:
    """The YOLO label of an image, in pixels."""
    label = _SET / "labels/val2017" / f"{image.stem}.txt"
    rows = [line.split() for line in label.read_text().splitlines()] if label.exists() else []
    if not rows:
        return Detections.empty()
    values = np.array(rows, np.float32)
    height, width = cv2.imread(str(image)).shape[:2]
    size = np.array([width, height], np.float32)
    centre, extent = values[:, 1:3] * size, values[:, 3:5] * size
    xyxy = np.hstack([centre - extent / 2, centre + extent / 2]).astype(np.float32)
    return Detections(xyxy, np.ones(len(rows), np.float32), values[:, 0].astype(np.int64))


def ours(images: list[Path], backend: str, folder: Path, *, square: bool) -> list[Detections]:
    model = open_model(str(WEIGHTS), folder)
    predictor = Predictor(model, open_backend(model, backend))
    pictures = [cv2.imread(str(image)).astype(np.uint8) for image in images]
    if not square:
        return [predictor.predict(p, _CONFIDENCE, multi_label=True) for p in pictures]
    answers = []
    for picture in pictures:
        boxed, box = letterbox(picture, 640, 640)
        found = predictor.detect(boxed[None], _CONFIDENCE, multi_label=True)[0]
        answers.append(Detections(box.to_source(found.xyxy), found.confidence, found.class_id))
    return answers


def theirs(images: list[Path], folder: Path) -> tuple[float, float, list[Detections]]:
    """The validator's own mAP50-95 and mAP50, and its predictions."""
    os.environ.update(YOLO_OFFLINE="true", YOLO_AUTOINSTALL="false", YOLO_VERBOSE="false")
    import json

    from ultralytics import YOLO

    # Ultralytics takes a relative `path:` from its own settings, not from the file's folder.
    described = yaml.safe_load((_SET / "coco128_val.yaml").read_text())
    description = folder / "coco128_val.yaml"
    description.write_text(yaml.safe_dump({**described, "path": str(_SET)}))
    metrics: Any = YOLO(str(WEIGHTS)).val(
        data=str(description),
        imgsz=640,
        batch=16,
        rect=False,
        device="cpu",
        workers=0,
        plots=False,
        save_json=True,
        verbose=False,
        project=str(folder),
        name="val",
    )
    rows = json.loads((folder / "val/predictions.json").read_text())
    by_image: dict[str, list[Any]] = {image.stem: [] for image in images}
    for row in rows:
        by_image[str(row["image_id"]).zfill(12)].append(row)
    predictions = [_from_json(by_image[image.stem]) for image in images]
    return metrics.box.map, metrics.box.map50, predictions


def _from_json(rows: list[Any]) -> Detections:
    if not rows:
        return Detections.empty()
    boxes = np.array([row["bbox"] for row in rows], np.float32)
    boxes[:, 2:] += boxes[:, :2]
    scores = np.array([row["score"] for row in rows], np.float32)
    return Detections(boxes, scores, np.array([row["category_id"] - 1 for row in rows], np.int64))


def main() -> None:
    options = parse_options(new_parser(__doc__))
    folder = Path(tempfile.mkdtemp(prefix="streetloop-bench-"))
    images = sorted((_SET / "images/val2017").glob("*.jpg"))
    labels = [truth(image) for image in images]
    table = Table(title=f"yolov8n at 640 on {len(images)} images of COCO val2017")
    for name in ("", "mAP50-95", "mAP50", "difference of mAP50-95"):
        table.add_column(name, justify="right")
    own_map, own_map50, predictions = theirs(images, folder)
    reference = coco_map(labels, predictions)
    figures = {
        "ultralytics": {"map50_95": own_map, "map50": own_map50},
        "ultralytics_coco_map": {"map50_95": reference.map50_95, "map50": reference.map50},
    }
    table.add_row("Ultralytics' validator, its own mAP", f"{own_map:.4f}", f"{own_map50:.4f}", "")
    table.add_row(
        "Ultralytics' validator, COCO mAP", f"{reference.map50_95:.4f}", f"{reference.map50:.4f}", ""
    )
    for backend, square in (("onnx", True), ("torch", True), ("onnx", False)):
        score = coco_map(labels, ours(images, backend, folder, square=square))
        difference = score.map50_95 - reference.map50_95
        input_shape = "square" if square else "smallest"
        figures[f"{backend}_{input_shape}"] = {"map50_95": score.map50_95, "map50": score.map50}
        table.add_row(
            f"streetloop, {backend}, {input_shape} input",
            f"{score.map50_95:.4f}",
            f"{score.map50:.4f}",
            f"{difference:+.4f}",
        )
    Console(width=110).print(table)
    finish(options, figures)


if __name__ == "__main__":
    main()
