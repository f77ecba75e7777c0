"""Reads BDD100K's detection labels, with time of day and weather as slices."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from streetloop.errors import DatasetError
from train.data.formats.builder import DatasetBuilder
from train.data.formats.imported import ImportedDataset
from train.data.formats.places import ClassIds, find_image, split_of
from train.data.formats.text import read_json
from train.data.mending import LabeledBox, Notes

_CONDITIONS = ("timeofday", "weather")
_SAYS_NOTHING = {"", "undefined"}


def read_bdd100k(path: Path, images: Path | None = None, split: str | None = None) -> ImportedDataset:
    """Read a BDD100K JSON: ``det_train.json``, or ``bdd100k_labels_images_train.json`` of 2018.

    Args:
        path: The JSON.
        images: Folder of the images; by default that of the JSON, ``images`` in it, or BDD's own.
        split: The split of the images; None for the one in the file's name, else validation.

    Raises:
        DatasetError: Something is missing or malformed; the message names it.
    """
    content = read_json(path)
    frames = content.get("frames") if isinstance(content, dict) else content
    if not isinstance(frames, list) or not all(isinstance(one, dict) and one.get("name") for one in frames):
        raise DatasetError(f"{path}: is no JSON of BDD100K: it must be a list of frames with a 'name'")
    builder, ids = DatasetBuilder(), ClassIds()
    part = split_of(path, split)
    home = path.parent
    folders = [home, home / "images", *(above / "images/100k" / part for above in path.resolve().parents[:4])]
    for frame in frames:
        name = str(frame["name"])
        image = find_image(name, folders if images is None else [images], path)
        example = builder.open_image(image, part, slices=_slices(frame), camera_id="")
        builder.add(example, list(_boxes(frame, ids, builder.notes)))
    return builder.finish(ids.names, f"imported from {path.name}")


def _slices(frame: Mapping[str, Any]) -> tuple[str, ...]:
    attributes = frame.get("attributes") or {}
    found = (str(attributes.get(name) or "") for name in _CONDITIONS)
    return tuple(value for value in found if value not in _SAYS_NOTHING)


def _boxes(frame: Mapping[str, Any], ids: ClassIds, notes: Notes) -> Iterator[LabeledBox]:
    for label in frame.get("labels") or []:
        where = f"{frame['name']}, label {label.get('id')}"
        box = label.get("box2d")
        try:
            x1, y1, x2, y2 = (float(box[key]) for key in ("x1", "y1", "x2", "y2"))
        except (KeyError, TypeError, ValueError):
            notes.add("labels without a box, such as lanes, are left out", where)
            continue
        crowd = bool((label.get("attributes") or {}).get("crowd"))
        yield LabeledBox(ids.of(str(label.get("category"))), (x1, y1, x2, y2), where, crowd)
