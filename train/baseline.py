"""The recipe of the model that comes with streetloop: a nano detector that knows day alone.

    python -m train.baseline --start yolov8n.pt

Starts from the checkpoint that Ultralytics publishes under that name, learns the simulated city's
classes on daylight images, and evaluates on held-out cameras and seeds. A stopped training resumes
from the last epoch.
"""

import argparse
import hashlib
import json
import os
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.progress import track

from streetloop.city.export import write_data_yaml
from streetloop.city.render.shapes import CLASSES
from streetloop.types import Detections
from train.code_commit import code_commit
from train.data.simulated_dataset import (
    HELD_OUT_CAMERAS,
    HELD_OUT_SEEDS,
    TRAIN_CAMERAS,
    VALIDATION_SEEDS,
    Split,
    write_split,
)
from train.evaluation.coco_map import coco_map
from train.model.drift_reference import write_training_past
from train.model.model_file import open_model
from train.model.predictor import Predictor
from train.model_card import card_text
from train.ultralytics_adapter import download, publish_checkpoint, train_detector

TRAIN = Split("train", TRAIN_CAMERAS, 0, 125)
VALIDATION = Split("val", TRAIN_CAMERAS, VALIDATION_SEEDS, 10)
CONDITIONS = ("day", "dusk", "night", "rain", "fog", "low-sun", "dirty-lens", "wet-lens")
SIZES = {
    "train_images": len(TRAIN),
    "train_cameras": len(TRAIN_CAMERAS),
    "val_images": len(VALIDATION),
    "held_out_images": 40 * len(HELD_OUT_CAMERAS),
}
TARGET = Path(__file__).resolve().parent.parent / "models/baseline"

OPTIONS: dict[str, Any] = {
    "epochs": 8,
    "imgsz": 448,
    "batch": 16,
    "optimizer": "AdamW",
    "lr0": 0.0015,
    "lrf": 0.03,
    "cos_lr": True,
    "warmup_epochs": 1.0,
    "close_mosaic": 2,
    "hsv_h": 0.01,
    "hsv_s": 0.3,
    "hsv_v": 0.1,
    "scale": 0.5,
    "erasing": 0.0,
    "seed": 7,
    "deterministic": True,
    "cache": "ram",
}


def held_out(condition: str, a_camera: int = 40) -> Split:
    """Images of the held-out cameras and seeds.

    Args:
        condition: Such as ``night``.
        a_camera: Images of each camera.
    """
    return Split(f"held-out-{condition}", HELD_OUT_CAMERAS, HELD_OUT_SEEDS, a_camera, condition)


def measure(predictor: Predictor, split: Split) -> dict[str, float]:
    """mAP50, mAP50-95 and each class's mAP50 of a model on a split."""
    truths, ignored, found = [], [], []
    for _, image, truth in split.examples():
        truths.append(truth.detections())
        ignored.append(truth.unclear())
        found.append(predictor.predict(image, 0.001, multi_label=True))
    score = coco_map(truths, found, ignored)
    result = {"map50": score.map50, "map50_95": score.map50_95}
    for k, name in enumerate(CLASSES):
        one = coco_map(*(_only(part, k) for part in (truths, found, ignored)))
        result[name] = one.map50
    return {name: round(value, 4) for name, value in result.items()}


def _only(images: Sequence[Detections], class_id: int) -> list[Detections]:
    return [image.take(image.class_id == class_id) for image in images]


def train(start: str, folder: Path, options: dict[str, Any]) -> tuple[Path, dict[str, str]]:
    """Draw the images and train on them; returns the best checkpoint and its provenance.

    Args:
        start: Checkpoint to begin with.
        folder: Where the images and the run go.
        options: Options of Ultralytics' trainer.
    """
    digests = {}
    for split in (TRAIN, VALIDATION):
        Console().print(f"{len(split)} pictures for {split.name} ...", style="dim")
        digests[split.name] = write_split(split, folder)
    root = folder.absolute()
    write_data_yaml(folder, "train/images", "val/images", str(root))
    checkpoint = Path(start)
    if not checkpoint.is_file():
        checkpoint = download(start, folder / "downloads")
    digests["start"] = hashlib.sha256(checkpoint.read_bytes()).hexdigest()
    began = time.time()
    best = train_detector(str(checkpoint), folder / "data.yaml", root / "run", options)
    digests["minutes"] = f"{(time.time() - began) / 60:.0f}"
    return best, digests


def write_reference(checkpoint: Path) -> None:
    """Write the drift reference of the training images beside the checkpoint."""
    pictures = (image for _, image, _ in TRAIN.examples())
    write_training_past(track(pictures, "images for drift", len(TRAIN)), checkpoint)


def main() -> None:
    """Train, publish, evaluate, and write the model card."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--start", default="yolov8n.pt", help="checkpoint to start from")
    parser.add_argument("--folder", type=Path, default=Path(".streetloop/baseline"))
    parser.add_argument("--epochs", type=int, default=OPTIONS["epochs"])
    parser.add_argument("--target", type=Path, default=TARGET)
    parser.add_argument("--measure-only", action="store_true")
    choice = parser.parse_args()
    os.environ.setdefault("YOLO_VERBOSE", "true")
    card = choice.target / "card.json"
    if not choice.measure_only:
        options = {**OPTIONS, "epochs": choice.epochs}
        best, made_of = train(choice.start, choice.folder, options)
        publish_checkpoint(best, choice.target / "baseline.pt", "streetloop baseline, day")
        write_reference(choice.target / "baseline.pt")
        made_of["command"] = "python -m train.baseline"
        made_of["commit"] = code_commit()
        card.write_text(json.dumps({"made_of": made_of, "options": options}, indent=2) + "\n")
    content = json.loads(card.read_text())
    model = open_model(str(choice.target / "baseline.pt"), choice.folder / "exports")
    predictor = Predictor(model)
    content["version"] = model.version
    content["held_out"] = {
        condition: measure(predictor, held_out(condition))
        for condition in track(CONDITIONS, "held-out pictures")
    }
    card.write_text(json.dumps(content, indent=2) + "\n")
    (choice.target / "README.md").write_text(card_text(content, SIZES))
    sys.stdout.write(json.dumps(content["held_out"], indent=2) + "\n")


if __name__ == "__main__":
    np.seterr(all="raise", under="ignore")
    main()
