"""Reads YOLO's layout: a ``data.yaml``, folders or lists of images, a text file a picture."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from streetloop.cameras.camera_yaml import misread
from streetloop.errors import DatasetError
from streetloop.host.paths import PathKind, is_file, is_folder, kind_of
from train.data.dataset import TEST, TRAIN, VALIDATION
from train.data.formats.builder import DatasetBuilder
from train.data.formats.imported import ImportedDataset
from train.data.formats.text import read_text, read_yaml
from train.data.formats.yolo_rows import parse_rows
from train.data.mending import unique_classes

IMAGES = {".jpg", ".jpeg", ".png", ".bmp", ".webp", ".tif", ".tiff"}

_KEYS = {TEST: ("test",), VALIDATION: ("val", "validation", "valid"), TRAIN: ("train",)}
"""Keys of the splits in a data.yaml. An image of several splits is for the first of them here."""


def read_yolo(path: Path, within: Path | None = None) -> ImportedDataset:
    """Read a YOLO ``data.yaml`` with its images and labels.

    Rows may be boxes, boxes with a confidence, oriented boxes or polygons; the last two are read
    as the box around them. An image that ``val`` and ``train`` both name is for validation, so
    that no validation image is trained on.

    Args:
        path: The ``data.yaml``, or its folder.
        within: A folder that nothing it names may be outside of, for files of strangers; a
            ``path`` that is counts for none. None where it may name images anywhere.

    Raises:
        DatasetError: Something is missing or malformed; the message names it.
    """
    file = path / "data.yaml" if is_folder(path, DatasetError) else path
    content = read_yaml(file)
    builder = DatasetBuilder()
    names = _names(content, file)
    classes, ids = unique_classes(names, builder.notes, str(file))
    keypoints = _keypoints(content, file)
    place = Path(str(content.get("path") or "."))
    root = (file.parent / (place.expanduser() if place.parts[:1] == ("~",) else place)).resolve()
    if not _is_within(root, within):  # as on the machine that it was written on
        builder.notes.add("a 'path' that leads out of the dataset is passed over", str(file))
        root = file.parent.resolve()
    seen: dict[Path, str] = {}
    for split, keys in _KEYS.items():
        entry = next((content[key] for key in keys if content.get(key)), None)
        for image in _listed(root, entry, file, within):
            first = seen.setdefault(image.resolve(), split)
            if first != split:
                builder.note_shared(first, split, str(image))
                continue
            example = builder.open_image(image, split)
            size = (example.width, example.height)
            labels = _label_file(image)
            is_labeled = is_file(labels, DatasetError)
            rows = read_text(labels) if is_labeled else ""
            if not is_labeled:
                builder.notes.add("images without a label file count as empty", str(image))
            builder.add(example, parse_rows(rows, str(labels), ids, size, builder.notes, keypoints))
    return builder.finish(classes, f"imported from {file.name}")


def _names(content: dict[str, Any], file: Path) -> list[str]:
    names = content.get("names")
    if isinstance(names, list):
        names = dict(enumerate(names))
    if not isinstance(names, dict) or not names or set(names) != set(range(len(names))):
        raise DatasetError(f"{file}: 'names' must give every class id from 0 its name")
    return [_class_name(names[k], f"{file}: the name of class {k}") for k in range(len(names))]


def _class_name(value: object, who: str) -> str:
    if isinstance(value, str) or type(value) is int:
        return str(value)
    raise DatasetError(f"{who} {misread(value) or 'is no text'}")


def _keypoints(content: dict[str, Any], file: Path) -> int:
    """Numbers of keypoints that follow each box; 0 where the dataset has none."""
    shape = content.get("kpt_shape")
    if shape is None:
        return 0
    if not isinstance(shape, list) or len(shape) != 2 or not all(isinstance(n, int) for n in shape):
        raise DatasetError(f"{file}: 'kpt_shape' must be two numbers, such as [17, 3]")
    return int(shape[0] * shape[1])


def _listed(root: Path, entry: object, file: Path, within: Path | None) -> Iterator[Path]:
    """The images that an entry of a data.yaml names: a folder, a list file, or several."""
    for one in entry if isinstance(entry, list) else [entry] if entry else []:
        path = _found(root, str(one), within)
        if path is not None and is_folder(path, DatasetError):
            yield from sorted(p for p in path.rglob("*") if _is_image(p, path))
        elif path is not None and path.suffix.lower() in IMAGES:
            yield path
        elif path is not None:
            yield from _lines(path, root, within)
        else:
            raise DatasetError(f"{file}: {root / str(one)} is neither a folder nor a list of images")


def _found(root: Path, name: str, within: Path | None) -> Path | None:
    """A file or folder of a data.yaml; for one beside it Roboflow writes ``../train/images``."""
    name = name.strip()
    candidates = [root / name, root / name.replace("\\", "/")]
    if name.startswith(("../", "..\\")):
        candidates.append(root / name[3:].replace("\\", "/"))
    near = (path for path in candidates if _is_within(path, within))
    return next((path for path in near if kind_of(path, DatasetError) is not PathKind.NOTHING), None)


def _is_within(path: Path, folder: Path | None) -> bool:
    return folder is None or path.resolve().is_relative_to(folder.resolve())


def _is_image(path: Path, folder: Path) -> bool:
    """False for hidden files, and for files in hidden folders below ``folder``."""
    parts = path.relative_to(folder).parts
    hidden = any(part.startswith(".") or part == "__MACOSX" for part in parts)
    return path.suffix.lower() in IMAGES and not hidden and is_file(path, DatasetError)


def _lines(file: Path, root: Path, within: Path | None) -> Iterator[Path]:
    """The images of a list: a line each, relative to the list's folder, then to the root."""
    for number, line in enumerate(read_text(file).splitlines(), start=1):
        name = line.strip()
        if not name:
            continue
        places = [home / text for home in (file.parent, root) for text in (name, name.replace("\\", "/"))]
        near = (place for place in places if _is_within(place, within))
        found = next((place for place in near if is_file(place, DatasetError)), None)
        if found is None:
            raise DatasetError(f"{file}, line {number}: there is no image {name[:200]}")
        yield found


def _label_file(image: Path) -> Path:
    """The labels of an image: in ``labels`` where it is in ``images``, else beside it."""
    parts: Sequence[str] = image.parts
    beside = image.with_suffix(".txt")
    if "images" not in parts:
        return beside
    last = len(parts) - 1 - list(reversed(parts)).index("images")
    labels = Path(*parts[:last], "labels", *parts[last + 1 :]).with_suffix(".txt")
    is_beside = not is_file(labels, DatasetError) and is_file(beside, DatasetError)
    return beside if is_beside else labels
