"""Datasets as other people's tools write them: a street of noise, with one car in it."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np

WIDTH, HEIGHT = 200, 100
CAR_ROW = "0 0.3 0.3 0.4 0.4\n"
CAR = (20.0, 10.0, 100.0, 50.0)
"""The box of `CAR_ROW` in pixels."""

CAR_BBOX = [20, 10, 80, 40]
"""The same as COCO writes it."""


def write_image(path: Path, number: int = 0) -> Path:
    """Write a picture; another number is another picture."""
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = np.random.default_rng(number).integers(0, 255, (HEIGHT, WIDTH, 3), np.uint8)
    cv2.imwrite(str(path), pixels)
    return path


def write_yolo_files(
    folder: Path,
    label: str | bytes | None = CAR_ROW,
    content: str = "val: images\nnames: [car]\n",
    image: str = "images/a.png",
) -> Path:
    """Write one picture with its labels and a data.yaml; returns the folder.

    Args:
        folder: Where.
        label: Rows of the label file; None for no such file.
        content: Of the data.yaml.
        image: The picture.
    """
    path = write_image(folder / image)
    labels = Path(str(path).replace("/images/", "/labels/")).with_suffix(".txt")
    labels.parent.mkdir(parents=True, exist_ok=True)
    if label is not None:
        labels.write_bytes(label if isinstance(label, bytes) else label.encode())
    (folder / "data.yaml").write_text(content)
    return folder


def annotation(**changes: Any) -> dict[str, Any]:
    """An annotation of the car; a key whose value is None is left out."""
    values = {"id": 7, "image_id": 1, "category_id": 1, "bbox": CAR_BBOX, **changes}
    return {key: value for key, value in values.items() if value is not None}


def write_coco_files(
    folder: Path,
    annotations: Sequence[Mapping[str, Any]] | None = (annotation(),),
    categories: Sequence[Mapping[str, Any]] = ({"id": 1, "name": "car"},),
    image: str = "a.png",
    **row: Any,
) -> Path:
    """Write one picture and its COCO JSON; returns the JSON.

    Args:
        folder: Where.
        annotations: Its annotations; None leaves them out of the file.
        categories: Its categories.
        image: The picture.
        row: What its row says beside the usual.
    """
    write_image(folder / image)
    content: dict[str, Any] = {
        "images": [{"id": 1, "file_name": "a.png", "width": WIDTH, "height": HEIGHT, **row}],
        "categories": list(categories),
    }
    if annotations is not None:
        content["annotations"] = list(annotations)
    path = folder / "c.json"
    path.write_text(json.dumps(content))
    return path
