"""Datasets from and to other formats: reads YOLO and COCO, writes YOLO."""

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from streetloop.boxes import Box
from streetloop.errors import DatasetError, ImageUnreadable, StoreError
from streetloop.files import write_whole
from streetloop.images import decode_image
from streetloop.storage.store import ObjectStore, put_image
from train.data.dataset import SPLITS, TEST, TRAIN, VALIDATION, Dataset, Example

IMAGES = {".jpg", ".jpeg", ".png", ".bmp", ".webp"}
_ROUNDING = 0.01  # share of the image by which a box may leave it
_MAX_IMAGE_BYTES = 64 * 2**20
_MAX_JSON_BYTES = 1 << 30


def read_yolo(path: Path, store: ObjectStore) -> Dataset:
    """Read a YOLO ``data.yaml`` with its images and labels.

    An image that ``val`` and ``train`` both name is for validation, so that no validation image
    is trained on.

    Args:
        path: The ``data.yaml``, or its folder.
        store: Receives a copy of each image.

    Raises:
        DatasetError: Something is missing or malformed; the message names it.
    """
    file = path / "data.yaml" if path.is_dir() else path
    content = _yaml(file)
    names = content.get("names")
    if isinstance(names, list):
        names = dict(enumerate(names))
    if not isinstance(names, dict) or sorted(names) != list(range(len(names))):
        raise DatasetError(f"{file}: 'names' must give every class id from 0 its name")
    classes = tuple(str(names[k]) for k in range(len(names)))
    root = (file.parent / str(content.get("path") or ".")).resolve()
    found: dict[str, Example] = {}
    for split in (TEST, VALIDATION, TRAIN):
        for image in _listed(root, content.get(split), file):
            example = _yolo_example(image, split, len(classes), store)
            found.setdefault(example.image, example)
    if not found:
        raise DatasetError(f"{file}: names no images")
    return Dataset(classes, tuple(found.values()), purpose=f"imported from {file.name}")


def read_coco(path: Path, store: ObjectStore, images: Path | None = None) -> Dataset:
    """Read a COCO ``instances`` JSON; all its images are for validation.

    Args:
        path: The JSON.
        store: Receives a copy of each image.
        images: Folder of the images; by default that of the JSON.

    Raises:
        DatasetError: Something is missing or malformed; the message names it.
    """
    try:
        if path.stat().st_size > _MAX_JSON_BYTES:
            raise DatasetError(f"{path}: is larger than {_MAX_JSON_BYTES >> 20} MB")
        content = json.loads(path.read_text())
        categories = sorted(content["categories"], key=lambda c: c["id"])
        rows = {image["id"]: image for image in content["images"]}
        boxes: dict[Any, list[Box]] = {key: [] for key in rows}
        number = {category["id"]: k for k, category in enumerate(categories)}
        for annotation in content["annotations"]:
            x, y, w, h = (float(v) for v in annotation["bbox"])
            ignored = bool(annotation.get("iscrowd") or annotation.get("ignore"))
            box = Box(number[annotation["category_id"]], (x, y, x + w, y + h), ignored)
            boxes[annotation["image_id"]].append(box)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise DatasetError(f"{path}: is no COCO JSON ({error!r})") from error
    folder = images or path.parent
    examples = tuple(
        _example(_inside(folder, str(row["file_name"])), boxes[key], VALIDATION, store)
        for key, row in rows.items()
    )
    if not examples:
        raise DatasetError(f"{path}: names no images")
    classes = tuple(str(category["name"]) for category in categories)
    return Dataset(classes, examples, purpose=f"imported from {path.name}")


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


def _yaml(file: Path) -> dict[str, Any]:
    try:
        content = yaml.safe_load(file.read_text())
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise DatasetError(f"{file}: cannot be read ({type(error).__name__})") from error
    if not isinstance(content, dict):
        raise DatasetError(f"{file}: is no data.yaml")
    return content


def _listed(root: Path, entry: object, file: Path) -> Iterator[Path]:
    """The images that an entry of a data.yaml names: a folder, a list file, or several."""
    for one in entry if isinstance(entry, list) else [entry] if entry else []:
        path = root / str(one)
        if path.is_dir():
            yield from sorted(p for p in path.rglob("*") if p.suffix.lower() in IMAGES)
        elif path.is_file() and path.suffix == ".txt":
            for line in path.read_text().split():
                yield root / line
        else:
            raise DatasetError(f"{file}: {path} is neither a folder nor a list of images")


def _yolo_example(image: Path, split: str, classes: int, store: ObjectStore) -> Example:
    parts = list(image.parts)
    if "images" not in parts:
        raise DatasetError(f"{image}: YOLO's images stand in a folder 'images' beside 'labels'")
    last = len(parts) - 1 - parts[::-1].index("images")
    labels = Path(*parts[:last], "labels", *parts[last + 1 :]).with_suffix(".txt")
    example = _example(image, [], split, store)
    if not labels.is_file():
        return example  # YOLO's way to say that the image is empty
    boxes = []
    for number, line in enumerate(labels.read_text().splitlines(), start=1):
        if line.strip():
            boxes.append(_yolo_box(line, f"{labels}, line {number}", classes, example))
    return replace(example, boxes=tuple(boxes))


def _yolo_box(line: str, where: str, classes: int, example: Example) -> Box:
    try:
        k, x, y, w, h = (float(v) for v in line.split()[:5])
    except ValueError:
        raise DatasetError(f"{where}: is not 'class x y width height'") from None
    if not 0 <= k < classes or k != int(k):
        raise DatasetError(f"{where}: class {k:g} is not one of {classes}")
    if not (min(x, y, w, h) >= -_ROUNDING and max(x, y, w, h) <= 1 + _ROUNDING):
        raise DatasetError(f"{where}: the box is outside the image; YOLO's numbers are 0 to 1")
    size = np.array([example.width, example.height] * 2)
    corners = np.array([x - w / 2, y - h / 2, x + w / 2, y + h / 2]) * size
    x1, y1, x2, y2 = (float(v) for v in np.clip(corners, 0, size))
    return Box(int(k), (x1, y1, x2, y2))


def _example(path: Path, boxes: list[Box], split: str, store: ObjectStore) -> Example:
    try:
        if path.stat().st_size > _MAX_IMAGE_BYTES:
            raise DatasetError(f"{path}: is larger than {_MAX_IMAGE_BYTES >> 20} MB")
        data = path.read_bytes()
    except OSError as error:
        raise DatasetError(f"{path}: cannot be read: {error.strerror}") from error
    try:
        height, width = decode_image(data).shape[:2]
    except ImageUnreadable as error:
        raise DatasetError(f"{path}: is not an image that can be read") from error
    digest, key = put_image(store, data, path.suffix.lower().lstrip("."))
    origin = {"file": path.name}
    return Example(digest, key, width, height, tuple(boxes), split, origin=origin)


def _inside(folder: Path, name: str) -> Path:
    path = (folder / name).resolve()
    if not path.is_relative_to(folder.resolve()):
        raise DatasetError(f"{name!r} leads out of {folder}")
    return path


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
