"""Reads COCO's ``instances`` JSON."""

import math
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from streetloop.errors import DatasetError
from train.data.formats.builder import DatasetBuilder
from train.data.formats.imported import ImportedDataset
from train.data.formats.places import find_image, split_of
from train.data.formats.text import read_json
from train.data.mending import LabeledBox, Notes, unique_classes

_ROUNDED = 1.5  # pixels by which a side of a scaled image may be off

Row = Mapping[str, Any]


def read_coco(path: Path, images: Path | None = None, split: str | None = None) -> ImportedDataset:
    """Read a COCO ``instances`` JSON; all its images are of one split.

    Crowds are ignored boxes. Annotations without a box, or of an image or category that is not in
    the file, are left out and noted. Where an image has another size than the file says, and the
    same proportions, its boxes are scaled.

    Args:
        path: The JSON.
        images: Folder of the images; by default that of the JSON, ``images`` in it, or, as COCO
            has them, a folder beside it.
        split: The split of the images; None for the one in the file's name, else validation.

    Raises:
        DatasetError: Something is missing or malformed; the message names it.
    """
    content = read_json(path)
    if not isinstance(content, dict):
        raise DatasetError(f"{path}: is no COCO JSON")
    builder = DatasetBuilder()
    rows = _by_id(content, "images", path)
    annotations = _rows(content, "annotations", path) if "annotations" in content else []
    if not annotations:
        builder.notes.add("there are no annotations, and all images count as empty", path.name)
    categories = _by_id(content, "categories", path)
    used = {_id(one.get("category_id")) for one in annotations}
    categories = _without_roots(categories, used, builder.notes)
    if not categories:
        raise DatasetError(f"{path}: its 'categories' name no class")
    names = [_class_name(key, row, path) for key, row in categories.items()]
    classes, ids = unique_classes(names, builder.notes, path.name)
    number = dict(zip(categories, ids, strict=True))
    boxes: dict[str, list[LabeledBox]] = defaultdict(list)
    for image_id, box in _boxes(annotations, number, rows, builder.notes):
        boxes[image_id].append(box)
    folders = [images] if images is not None else _folders(path)
    part = split_of(path, split)
    for key, row in rows.items():
        example = builder.open_image(find_image(_image_name(row, path), folders, path), part)
        scale = _scale(row, example.width, example.height, path, builder.notes)
        builder.add(example, (_scaled(box, *scale) for box in boxes[key]))
    return builder.finish(classes, f"imported from {path.name}")


def _id(value: object) -> str:
    """An id in one form: some tools write numbers as text, or as floats."""
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)


def _rows(content: Row, name: str, path: Path) -> list[Row]:
    rows = content.get(name)
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise DatasetError(f"{path}: is no COCO JSON: {name!r} must be a list of objects")
    return rows


def _by_id(content: Row, name: str, path: Path) -> dict[str, Row]:
    """Rows by id, in the order of their ids."""
    rows = _rows(content, name, path)
    if not all("id" in row for row in rows):
        raise DatasetError(f"{path}: is no COCO JSON: one of {name!r} has no 'id'")
    found = {_id(row["id"]): row for row in rows}
    if len(found) < len(rows):
        raise DatasetError(f"{path}: two of {name!r} have the same id")
    return dict(sorted(found.items(), key=lambda item: (len(item[0]), item[0])))


def _without_roots(categories: dict[str, Row], used: set[str], notes: Notes) -> dict[str, Row]:
    """The categories without empty ones that only group others, as Roboflow's first one does."""
    kept = {}
    for key, row in categories.items():
        groups = any(row.get("name") == r.get("supercategory") for k, r in categories.items() if k != key)
        if groups and key not in used:
            notes.add("categories that only group others are no classes", repr(row.get("name")))
        else:
            kept[key] = row
    return kept


def _boxes(
    annotations: Sequence[Row], number: Mapping[str, int], images: Mapping[str, Row], notes: Notes
) -> Iterator[tuple[str, LabeledBox]]:
    """The image id and the box of every annotation that can be used."""
    for index, one in enumerate(annotations):
        where = f"annotation {one.get('id', f'number {index}')}"
        image_id, category = _id(one.get("image_id")), _id(one.get("category_id"))
        corners = _numbers(one.get("bbox"))
        if image_id not in images:
            notes.add("annotations of images that are not in the file are left out", where)
        elif category not in number:
            notes.add("annotations of categories that are not in the file are left out", where)
        elif corners is None:
            notes.add("annotations without a bbox of four numbers are left out", where)
        else:
            x, y, w, h = corners
            ignored = _is_set(one.get("iscrowd")) or _is_set(one.get("ignore"))
            yield image_id, LabeledBox(number[category], (x, y, x + w, y + h), where, ignored)


def _is_set(flag: object) -> bool:
    """Whether a flag is set: some tools write it as text, or as a float."""
    return str(flag or 0).strip().lower() not in {"", "0", "0.0", "false"}


def _numbers(bbox: object) -> list[float] | None:
    if not isinstance(bbox, list) or len(bbox) != 4:
        return None
    try:
        return [float(v) for v in bbox]
    except (TypeError, ValueError):
        return None


def _folders(path: Path) -> list[Path]:
    """Where images may be: in the JSON's folder, or as COCO has them, which keeps JSONs apart."""
    home = path.parent
    if home.name != "annotations":
        return [home, home / "images"]
    part = path.stem.rpartition("_")[2]  # val2017 of instances_val2017.json
    return [home.parent / part, home.parent / "images" / part, home.parent / "images", home.parent, home]


def _image_name(row: Row, path: Path) -> str:
    name = str(row.get("file_name") or "")
    if not name:
        raise DatasetError(f"{path}: image {row['id']} has no 'file_name'")
    return name


def _scale(row: Row, width: int, height: int, path: Path, notes: Notes) -> tuple[float, float]:
    """By how much the boxes of an image are to be stretched, in x and y.

    Raises:
        DatasetError: The image has other proportions than the file says, as one that was turned or
            cropped; nobody knows where its boxes are.
    """
    said = _side(row.get("width")) or width, _side(row.get("height")) or height
    x, y = width / said[0], height / said[1]
    if (x, y) == (1.0, 1.0):
        return x, y
    name = str(row["file_name"])
    if abs(width - said[0] * y) > _ROUNDED and abs(height - said[1] * x) > _ROUNDED:
        raise DatasetError(
            f"{path}: image {name!r} is {width}x{height}, and the file says {said[0]:g}x{said[1]:g}, which "
            "has other proportions: its boxes have no place; correct its width and height"
        )
    notes.add("images have another size than the file says, and boxes are scaled to it", name)
    return x, y


def _side(value: object) -> float:
    """A side in pixels; 0 if the file has none."""
    try:
        side = float(str(value))
    except ValueError:
        return 0.0
    return side if 0 < side < math.inf else 0.0


def _scaled(box: LabeledBox, x: float, y: float) -> LabeledBox:
    x1, y1, x2, y2 = box.xyxy
    return replace(box, xyxy=(x1 * x, y1 * y, x2 * x, y2 * y))


def _class_name(key: str, row: Row, path: Path) -> str:
    """The name of a category.

    Raises:
        DatasetError: It has none.
    """
    name = row.get("name")
    if name is None or not str(name).strip():
        raise DatasetError(f"{path}: category {key} has no name")
    return str(name)
