"""Reads Label Studio's JSON export."""

import math
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from streetloop.errors import DatasetError
from streetloop.host.paths import is_file
from train.data.formats.builder import DatasetBuilder
from train.data.formats.imported import ImportedDataset
from train.data.formats.places import ClassIds, find_image, split_of
from train.data.formats.text import read_json
from train.data.mending import XYXY, LabeledBox, Notes

_RECTANGLES, _POLYGONS = "rectanglelabels", "polygonlabels"
_UPLOAD_PREFIX = 9  # "1a2b3c4d-" that Label Studio puts before the names of uploads
_TURNED = 1e-3  # degrees from which on a rectangle is turned


def read_label_studio(path: Path, images: Path | None = None, split: str | None = None) -> ImportedDataset:
    """Read a JSON export of rectangles and polygons; of several annotations the newest counts.

    Args:
        path: The export.
        images: Folder of the images; by default that of the JSON, or ``images`` in it.
        split: The split of the images; None for the one in the file's name, else validation.

    Raises:
        DatasetError: Something is missing or malformed; the message names it.
    """
    tasks = read_json(path)
    if not isinstance(tasks, list) or not all(isinstance(task, dict) for task in tasks):
        raise DatasetError(f"{path}: is no JSON export of Label Studio: it must be a list of tasks")
    builder, ids = DatasetBuilder(), ClassIds()
    folders = [images] if images is not None else [path.parent, path.parent / "images"]
    for index, task in enumerate(tasks):
        where = f"task {task.get('id', f'number {index}')}"
        results = _results(task)
        if results is None:
            builder.notes.add("tasks that nobody has answered are left out", where)
            continue
        image = _find(_image_name(task, path, where), folders, path)
        example = builder.open_image(image, split_of(path, split))
        size = (example.width, example.height)
        builder.add(example, list(_boxes(results, ids, size, where, builder.notes)))
    return builder.finish(ids.names, f"imported from {path.name}")


def _results(task: Mapping[str, Any]) -> list[Mapping[str, Any]] | None:
    """The results of the newest annotation that was not cancelled; None without one."""
    answers = [a for a in task.get("annotations") or [] if not a.get("was_cancelled")]
    if not answers:
        return None
    newest = max(answers, key=lambda a: str(a.get("updated_at") or a.get("created_at") or ""))
    return [result for result in newest.get("result") or [] if isinstance(result, dict)]


def _image_name(task: Mapping[str, Any], path: Path, where: str) -> str:
    """The file that a task's image address names, also as ``/data/local-files/?d=folder/name``."""
    data = task.get("data")
    address = data.get("image") if isinstance(data, dict) else None
    if not isinstance(address, str) or not address:
        raise DatasetError(f"{path}: {where} has no 'image'")
    parts = urlsplit(address)
    local = parse_qs(parts.query).get("d")
    return Path(local[0] if local else unquote(parts.path)).name


def _find(name: str, folders: Sequence[Path], path: Path) -> Path:
    uploaded = name[_UPLOAD_PREFIX:] if name[_UPLOAD_PREFIX - 1 : _UPLOAD_PREFIX] == "-" else name
    there = any(is_file(folder / name, DatasetError) for folder in folders)
    return find_image(name if there else uploaded or name, folders, path)


def _boxes(
    results: Sequence[Mapping[str, Any]], ids: ClassIds, size: tuple[int, int], where: str, notes: Notes
) -> Iterator[LabeledBox]:
    for result in results:
        kind, value = result.get("type"), result.get("value")
        names = value.get(kind) if isinstance(value, dict) and kind in {_RECTANGLES, _POLYGONS} else None
        if not isinstance(value, dict) or not isinstance(names, list) or len(names) != 1:
            notes.add("results that are no shape with one class are left out", f"{where}, {kind}")
            continue
        if result.get("image_rotation"):
            notes.add("shapes on a turned image are left out", where)
            continue
        try:
            percent = _rectangle(value) if kind == _RECTANGLES else value["points"]
            points = [(float(x) * size[0] / 100, float(y) * size[1] / 100) for x, y in percent]
            angle = math.remainder(float(value.get("rotation") or 0), 360)
        except (KeyError, IndexError, TypeError, ValueError):
            notes.add("shapes without numbers are left out", where)
            continue
        if kind == _RECTANGLES and abs(angle) > _TURNED:
            points = _turned(points, math.radians(angle))
        x, y = zip(*points, strict=True)
        box: XYXY = (x[0], y[0], x[-1], y[-1])
        if len(points) > 2:
            notes.add("polygons and turned rectangles are read as the box around them", where)
            box = min(x), min(y), max(x), max(y)
        yield LabeledBox(ids.of(str(names[0])), box, where)


def _rectangle(value: Mapping[str, Any]) -> list[tuple[float, float]]:
    """Two corners in percent of the image."""
    x, y, w, h = (float(value[key]) for key in ("x", "y", "width", "height"))
    return [(x, y), (x + w, y + h)]


def _turned(corners: list[tuple[float, float]], angle: float) -> list[tuple[float, float]]:
    """The four corners, in pixels, of a rectangle that is turned clockwise about its first one."""
    (x, y), (right, bottom) = corners
    w, h, cos, sin = right - x, bottom - y, math.cos(angle), math.sin(angle)
    return [(x + a * cos - b * sin, y + a * sin + b * cos) for a, b in ((0, 0), (w, 0), (w, h), (0, h))]
