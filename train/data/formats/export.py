"""Writes datasets in the formats of other tools."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import yaml

from streetloop.errors import StoreError
from streetloop.files import write_whole
from streetloop.storage.store import ObjectStore
from train.data.dataset import SPLITS, Dataset, Example


def write_yolo(
    dataset: Dataset, store: ObjectStore, folder: Path, progress: Callable[[int], None] = lambda _: None
) -> Path:
    """Write a dataset in YOLO's layout.

    Ignored boxes are left out: YOLO's labels cannot mark them.

    Args:
        dataset: The dataset.
        store: Keeps the images.
        folder: Receives a folder per split and ``data.yaml``; images that are there are kept.
        progress: Called with the number of images written.

    Returns:
        The path of the ``data.yaml``.

    Raises:
        StoreError: An image is missing, or the folder cannot be written to.
    """
    try:
        for number, example in enumerate(dataset.examples):
            home = folder / example.split
            for name in ("images", "labels"):
                (home / name).mkdir(parents=True, exist_ok=True)
            image = home / "images" / f"{example.image}{Path(example.key).suffix}"
            if not image.is_file():
                write_whole(image, store.get(example.key))
            (home / "labels" / f"{example.image}.txt").write_text(_yolo_lines(example))
            progress(number + 1)
        used = [split for split in SPLITS if dataset.split(split)]
        content: dict[str, Any] = {"path": str(folder.absolute())}
        content |= {split: f"{split}/images" for split in used}
        content["names"] = dict(enumerate(dataset.classes))
        target = folder / "data.yaml"
        target.write_text(yaml.safe_dump(content, sort_keys=False))
    except OSError as error:
        raise StoreError(f"{folder}: cannot be written: {error.strerror}") from error
    return target


def _yolo_lines(example: Example) -> str:
    lines = []
    for box in example.boxes:
        if box.ignored:
            continue
        x1, y1, x2, y2 = box.xyxy
        x, y = (x1 + x2) / 2 / example.width, (y1 + y2) / 2 / example.height
        w, h = (x2 - x1) / example.width, (y2 - y1) / example.height
        lines.append(f"{box.class_id} {x:.6f} {y:.6f} {w:.6f} {h:.6f}\n")
    return "".join(lines)
