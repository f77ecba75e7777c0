"""Reads MOT Challenge sequences as labeled pictures."""

import configparser
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

from streetloop.errors import DatasetError
from streetloop.host.paths import is_folder
from train.data.formats.builder import DatasetBuilder
from train.data.formats.imported import ImportedDataset
from train.data.formats.places import split_of
from train.data.formats.text import read_text
from train.data.formats.yolo import IMAGES
from train.data.mending import LabeledBox

_CLASSES = ("pedestrian", "car", "bicycle", "motorbike", "non-motorized vehicle")
_CLASS_IDS = {1: 0, 3: 1, 4: 2, 5: 3, 6: 4}  # by the numbers of MOT17 and MOT20
_DISTRACTORS = {2, 7, 8, 12}  # person on vehicle, static person, distractor, reflection
_FEWEST_COLUMNS = 6
_MOST_COLUMNS = 9  # of rows with a class; MOT15 has 10, and a place in the world there
_NO_CLASS = -1


def read_mot(path: Path, images: Path | None = None, split: str | None = None) -> ImportedDataset:
    """Read sequences with ``gt/gt.txt`` and ``img1``; each sequence is a camera.

    Boxes with confidence 0 and distractors, which are people that need not be found, are ignored.
    Without a class a box is a pedestrian, as in MOT15. Occluders are left out.

    Args:
        path: A sequence, or a folder of sequences.
        images: Folder of the images of the only sequence; by default ``imDir`` of its
            ``seqinfo.ini``, or ``img1``.
        split: The split of the images; None for the one in the folder's name, else validation.

    Raises:
        DatasetError: Something is missing or malformed; the message names it.
    """
    found = sorted(path.glob("gt/gt.txt")) or sorted(path.glob("*/gt/gt.txt"))
    if not found:
        raise DatasetError(f"{path}: there is no sequence with gt/gt.txt")
    if images is not None and len(found) > 1:
        raise DatasetError(f"{path}: has {len(found)} sequences; --images is for a single one")
    builder = DatasetBuilder()
    for truth in found:
        sequence = truth.parent.parent
        boxes = _boxes(truth)
        for number, image in _images(sequence, images):
            example = builder.open_image(image, split_of(path, split), camera_id=sequence.name)
            builder.add(example, boxes.pop(number, []))
        for number in sorted(boxes):
            builder.notes.add("boxes of frames without an image are left out", f"{truth}, frame {number}")
    return builder.finish(_CLASSES, f"imported from {path.name}")


def _images(sequence: Path, images: Path | None) -> Iterator[tuple[int, Path]]:
    """The pictures of a sequence with their numbers, which are their names."""
    folder = images or sequence / _image_folder(sequence)
    if not is_folder(folder, DatasetError):
        raise DatasetError(f"{sequence}: there is no folder {folder}")
    for image in sorted(folder.iterdir()):
        if image.suffix.lower() in IMAGES and image.stem.isdecimal():
            yield int(image.stem), image


def _image_folder(sequence: Path) -> str:
    info = configparser.ConfigParser()
    try:
        info.read(sequence / "seqinfo.ini", encoding="utf-8-sig")
    except (configparser.Error, UnicodeDecodeError) as error:
        raise DatasetError(f"{sequence / 'seqinfo.ini'}: cannot be read ({type(error).__name__})") from error
    return info.get("Sequence", "imDir", fallback="img1")


def _boxes(file: Path) -> dict[int, list[LabeledBox]]:
    """The boxes of each picture."""
    found: dict[int, list[LabeledBox]] = defaultdict(list)
    for number, line in enumerate(read_text(file).splitlines(), start=1):
        if not line.strip():
            continue
        where = f"{file}, line {number}"
        try:
            values = [float(word) for word in line.replace(",", " ").split()]
        except ValueError:
            values = []
        if len(values) < _FEWEST_COLUMNS:
            raise DatasetError(f"{where}: is not 'frame,id,left,top,width,height,...'")
        frame, _, x, y, w, h = values[:6]
        kind = int(values[7]) if 7 < len(values) <= _MOST_COLUMNS else _NO_CLASS
        is_distractor = kind in _DISTRACTORS
        class_id = 0 if is_distractor or kind == _NO_CLASS else _CLASS_IDS.get(kind)
        counts = len(values) <= 6 or values[6] != 0
        if class_id is not None:
            # MOT counts pixels from 1.
            box = (x - 1, y - 1, x - 1 + w, y - 1 + h)
            found[int(frame)].append(LabeledBox(class_id, box, where, is_distractor or not counts))
    return found
