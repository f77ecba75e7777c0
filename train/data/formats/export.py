"""Writes datasets in the formats of other tools."""

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import yaml

from streetloop.errors import DatasetError, StoreError
from streetloop.host.files import write_whole
from streetloop.storage.store import ObjectStore
from train.data.dataset import SPLITS, Dataset, Example
from train.data.formats.yolo import IMAGES


def write_yolo(
    dataset: Dataset,
    store: ObjectStore,
    folder: Path,
    progress: Callable[[int], None] = lambda _: None,
    *,
    names_folder: bool = True,
) -> Path:
    """Write a dataset in YOLO's layout.

    Ignored boxes are left out: YOLO's labels cannot mark them.

    Args:
        dataset: The dataset.
        store: Keeps the images.
        folder: Receives a folder per split and ``data.yaml``; images that are there are kept.
        progress: Called with the number of images written.
        names_folder: Whether the ``data.yaml`` names the folder; without it, the folder may be
            moved.

    Returns:
        The path of the ``data.yaml``.

    Raises:
        DatasetError: The folder has images that the dataset has not.
        StoreError: An image is missing, or the folder cannot be written to.
    """
    for split in SPLITS:
        _require_no_others(folder / split / "images", dataset.split(split))
    try:
        for number, example in enumerate(dataset.examples):
            home = folder / example.split
            for name in ("images", "labels"):
                (home / name).mkdir(parents=True, exist_ok=True)
            image = home / "images" / _file_name(example)
            if not image.is_file():
                write_whole(image, store.get(example.key))
            (home / "labels" / f"{example.image}.txt").write_text(_yolo_lines(example))
            progress(number + 1)
        used = [split for split in SPLITS if dataset.split(split)]
        content: dict[str, Any] = {"path": str(folder.absolute())} if names_folder else {}
        content |= {split: f"{split}/images" for split in used}
        content["names"] = dict(enumerate(dataset.classes))
        target = folder / "data.yaml"
        target.write_text(yaml.safe_dump(content, sort_keys=False))
    except OSError as error:
        raise StoreError(f"{folder}: cannot be written: {error.strerror}") from error
    return target


def write_coco(
    dataset: Dataset, store: ObjectStore, folder: Path, progress: Callable[[int], None] = lambda _: None
) -> list[Path]:
    """Write a dataset as COCO's JSON, one for each split; ignored boxes are crowds.

    Args:
        dataset: The dataset.
        store: Keeps the images.
        folder: Receives ``annotations/instances_SPLIT.json`` and ``images``; images that are there
            are kept.
        progress: Called with the number of images written.

    Returns:
        The JSON files.

    Raises:
        DatasetError: The folder has images that the dataset has not.
        StoreError: An image is missing, or the folder cannot be written to.
    """
    written = []
    _require_no_others(folder / "images", dataset.examples)
    try:
        for number, example in enumerate(dataset.examples, start=1):
            image = folder / "images" / _file_name(example)
            if not image.is_file():
                write_whole(image, store.get(example.key))
            progress(number)
        for split in SPLITS:
            if examples := dataset.split(split):
                target = folder / "annotations" / f"instances_{split}.json"
                write_whole(target, json.dumps(_coco(dataset.classes, examples)))
                written.append(target)
    except OSError as error:
        raise StoreError(f"{folder}: cannot be written: {error.strerror}") from error
    return written


def _require_no_others(folder: Path, examples: Sequence[Example]) -> None:
    """Refuse a folder with images of another dataset, which readers would take for this one's."""
    there = {path.name for path in folder.glob("[!.]*") if path.suffix.lower() in IMAGES}
    others = sorted(there - {_file_name(example) for example in examples})
    if others:
        raise DatasetError(
            f"{folder}: has images of another dataset, such as {others[0]!r}; export to an empty folder"
        )


def _file_name(example: Example) -> str:
    return f"{example.image}{Path(example.key).suffix}"


def _coco(classes: Sequence[str], examples: Sequence[Example]) -> dict[str, Any]:
    boxes = [(number, box) for number, example in enumerate(examples, start=1) for box in example.boxes]
    return {
        "images": [
            {"id": number, "file_name": _file_name(one), "width": one.width, "height": one.height}
            for number, one in enumerate(examples, start=1)
        ],
        "categories": [{"id": k, "name": name} for k, name in enumerate(classes, start=1)],
        "annotations": [
            {
                "id": k,
                "image_id": number,
                "category_id": box.class_id + 1,
                "bbox": [box.xyxy[0], box.xyxy[1], box.xyxy[2] - box.xyxy[0], box.xyxy[3] - box.xyxy[1]],
                "area": (box.xyxy[2] - box.xyxy[0]) * (box.xyxy[3] - box.xyxy[1]),
                "iscrowd": int(box.ignored),
            }
            for k, (number, box) in enumerate(boxes, start=1)
        ],
    }


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
