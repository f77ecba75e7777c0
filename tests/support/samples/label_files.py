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


def write_label_studio_files(folder: Path, *results: Mapping[str, Any], **task: Any) -> Path:
    """Write one picture and Label Studio's export of it; returns the JSON.

    Args:
        folder: Where.
        results: Of its annotation.
        task: What the task says beside the usual.
    """
    write_image(folder / "images/a.png")
    answer = {"result": list(results), "updated_at": "2026-11-02"}
    content = {"id": 5, "data": {"image": "/data/upload/3/1a2b3c4d-a.png"}, "annotations": [answer], **task}
    path = folder / "export.json"
    path.write_text(json.dumps([content]))
    return path


def rectangle(**changes: Any) -> dict[str, Any]:
    """The car as Label Studio writes it."""
    value = {"x": 10, "y": 10, "width": 40, "height": 40, "rotation": 0, "rectanglelabels": ["car"]}
    return {"type": "rectanglelabels", "value": {**value, **changes}}


def write_bdd100k_files(folder: Path, **attributes: str) -> Path:
    """Write one picture with a car, a crowd and a lane as BDD100K does; returns the JSON."""
    write_image(folder / "images/100k/train/a.png")
    car = {"id": "1", "category": "car", "box2d": {"x1": 20, "y1": 10, "x2": 100, "y2": 50}}
    crowd = {**car, "id": "2", "attributes": {"crowd": True}, "box2d": {"x1": 0, "y1": 0, "x2": 9, "y2": 9}}
    lane = {"id": "3", "category": "lane", "poly2d": []}
    frame = {"name": "a.png", "attributes": attributes, "labels": [car, crowd, lane]}
    path = folder / "labels/det_20/det_train.json"
    path.parent.mkdir(parents=True)
    path.write_text(json.dumps([frame, {"name": "a.png", "labels": None}]))
    return path


def write_kitti_files(folder: Path) -> Path:
    """Write one picture with a car and a region that does not matter, as KITTI does."""
    write_image(folder / "training/image_2/000000.png")
    labels = folder / "training/label_2/000000.txt"
    labels.parent.mkdir()
    rest = "1.5 1.6 3.9 1.0 1.5 40.0 -1.5"
    rows = [f"Car 0.00 0 -1.5 20 10 100 50 {rest}", f"DontCare -1 -1 -10 150 60 190 90 {rest}"]
    labels.write_text("\n".join(rows))
    return folder / "training"


def write_mot_files(folder: Path, rows: str) -> Path:
    """Write a sequence of two pictures as MOT Challenge does; returns its folder."""
    sequence = folder / "MOT17-02"
    for number in (1, 2):
        write_image(sequence / f"frames/00000{number}.png", number)
    (sequence / "gt").mkdir()
    (sequence / "gt/gt.txt").write_text(rows)
    (sequence / "seqinfo.ini").write_text("[Sequence]\nimDir=frames\n")
    return sequence
