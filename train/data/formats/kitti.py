"""Reads KITTI's object labels: ``image_2`` and ``label_2``, a text file a picture."""

from collections.abc import Iterator
from pathlib import Path

from streetloop.errors import DatasetError
from streetloop.host.paths import is_folder
from train.data.formats.builder import DatasetBuilder
from train.data.formats.imported import ImportedDataset
from train.data.formats.places import ClassIds, split_of
from train.data.formats.text import read_text
from train.data.formats.yolo import IMAGES
from train.data.mending import LabeledBox

_DONT_CARE = "DontCare"
_COLUMNS = 15  # of a label; results have a score behind it


def read_kitti(path: Path, images: Path | None = None, split: str | None = None) -> ImportedDataset:
    """Read KITTI's object detection labels.

    A ``DontCare`` region is an ignored box of every class.

    Args:
        path: A folder with ``image_2`` and ``label_2``, such as ``training``.
        images: Folder of the images; by default ``image_2``.
        split: The split of the images; None for the one in the folder's name, else validation.

    Raises:
        DatasetError: Something is missing or malformed; the message names it.
    """
    pictures, labels = images or path / "image_2", path / "label_2"
    for folder in (pictures, labels):
        if not is_folder(folder, DatasetError):
            raise DatasetError(f"{path}: there is no folder {folder}")
    rows = {file.stem: list(_rows(file)) for file in sorted(labels.glob("*.txt"))}
    names = {name for found in rows.values() for name, _, _ in found if name != _DONT_CARE}
    ids, builder = ClassIds(sorted(names)), DatasetBuilder()
    shown = sorted(p for p in pictures.iterdir() if p.suffix.lower() in IMAGES and not p.name.startswith("."))
    for name in sorted(rows.keys() - {image.stem for image in shown}):
        builder.notes.add("label files without an image are left out", f"{labels / name}.txt")
    for image in shown:
        if image.stem not in rows:
            builder.notes.add("images without a label file count as empty", str(image))
        example = builder.open_image(image, split_of(path, split))
        builder.add(example, _boxes(rows.get(image.stem, []), ids))
    return builder.finish(ids.names, f"imported from {path.name}")


def _rows(file: Path) -> Iterator[tuple[str, tuple[float, float, float, float], str]]:
    """Type, box in pixels, and place of every row."""
    for number, line in enumerate(read_text(file).splitlines(), start=1):
        words = line.split()
        if not words:
            continue
        where = f"{file}, line {number}"
        try:
            left, top, right, bottom = (float(word) for word in words[4:8])
        except ValueError:
            left = float("nan")
        if len(words) < _COLUMNS or left != left:
            raise DatasetError(f"{where}: is not 'type truncated occluded alpha left top right bottom ...'")
        yield words[0], (left, top, right, bottom), where


def _boxes(
    rows: list[tuple[str, tuple[float, float, float, float], str]], ids: ClassIds
) -> Iterator[LabeledBox]:
    for name, xyxy, where in rows:
        if name != _DONT_CARE:
            yield LabeledBox(ids.of(name), xyxy, where)
            continue
        for class_id in range(len(ids.names)):
            yield LabeledBox(class_id, xyxy, where, ignored=True)
