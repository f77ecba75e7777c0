"""Builds an imported dataset: opens images, mends boxes, and says what it mended."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from streetloop.boxes import Box
from streetloop.errors import DatasetError, ImageUnreadable
from streetloop.images import decode_image
from streetloop.storage.store import image_key
from train.data.dataset import Dataset, Example
from train.data.formats.imported import ImportedDataset

_MAX_IMAGE_BYTES = 64 * 2**20
_MIN_SIDE = 0.01  # pixels; a thinner box has no area
_TOLERANCE = 1.0  # pixels by which a box may leave the image without a word

XYXY = tuple[float, float, float, float]


class Notes:
    """What was mended or left out: how often, and where for the first time.

    >>> notes = Notes()
    >>> notes.add("doubled boxes are one", "a.txt, line 2")
    >>> notes.add("doubled boxes are one", "b.txt, line 7")
    >>> notes.sentences()
    ('doubled boxes are one: 2, the first in a.txt, line 2',)
    """

    def __init__(self) -> None:
        self._counts: dict[str, int] = {}
        self._first: dict[str, str] = {}

    def add(self, what: str, where: str) -> None:
        """Note something once more.

        Args:
            what: The same words for the same thing.
            where: File and line, or annotation.
        """
        self._counts[what] = self._counts.get(what, 0) + 1
        self._first.setdefault(what, where)

    def sentences(self) -> tuple[str, ...]:
        """One sentence for each kind."""
        return tuple(f"{what}: {n}, the first in {self._first[what]}" for what, n in self._counts.items())


@dataclass(frozen=True, slots=True)
class LabeledBox:
    """A box as a file has it.

    Attributes:
        class_id: Index into the classes.
        xyxy: Left, top, right, bottom in pixels, not yet mended.
        where: File and line, or annotation.
        ignored: See `Box.ignored`.
    """

    class_id: int
    xyxy: XYXY
    where: str
    ignored: bool = False


class DatasetBuilder:
    """Collects the images of one import.

    Attributes:
        notes: What was mended so far; readers add to it.
    """

    def __init__(self) -> None:
        self.notes = Notes()
        self._files: dict[str, Path] = {}
        self._examples: dict[str, Example] = {}

    def open_image(self, path: Path, split: str, **values: Any) -> Example:
        """Open an image; an example without boxes.

        Args:
            path: The file.
            split: Its split.
            values: Other attributes of the `Example`.

        Raises:
            DatasetError: It is missing, no image, or larger than 64 MB.
        """
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
        digest, key = image_key(data, path.suffix.lower().lstrip("."))
        values.setdefault("origin", {"file": path.name})
        example = Example(digest, key, width, height, (), split, **values)
        self._files.setdefault(key, path)
        return example

    def add(self, example: Example, boxes: Iterable[LabeledBox]) -> None:
        """Add an image with its boxes; the first of two equal images stays.

        Args:
            example: From `open_image`.
            boxes: As the files have them.
        """
        mended = mend_boxes(boxes, example.width, example.height, self.notes)
        example = replace(example, boxes=mended)
        known = self._examples.setdefault(example.image, example)
        if known is not example:
            self._note_twice(known, example)

    def _note_twice(self, known: Example, again: Example) -> None:
        one, other = known.origin.get("file"), again.origin.get("file")
        where = f"{other}, which is {one}"
        if known.split != again.split:
            self.note_shared(known.split, again.split, where)
        elif known.boxes == again.boxes:
            self.notes.add("images that are there twice count once", where)
        else:
            self.notes.add("images that are there twice keep the labels of the first", where)

    def note_shared(self, kept: str, other: str, where: str) -> None:
        """Note an image of two splits.

        Args:
            kept: The split that it is for.
            other: The other split.
            where: The image.
        """
        self.notes.add(f"images that {other} and {kept} share are only for {kept}", where)

    def finish(self, classes: Sequence[str], purpose: str) -> ImportedDataset:
        """The dataset.

        Args:
            classes: Class names by class id.
            purpose: What the dataset is for.

        Raises:
            DatasetError: There are no images.
        """
        if not self._examples:
            raise DatasetError(f"{purpose}: names no images")
        used = {example.key for example in self._examples.values()}
        files = {key: path for key, path in self._files.items() if key in used}
        dataset = Dataset(tuple(classes), tuple(self._examples.values()), purpose=purpose)
        return ImportedDataset(dataset, files, self.notes.sentences())


def mend_boxes(boxes: Iterable[LabeledBox], width: int, height: int, notes: Notes) -> tuple[Box, ...]:
    """Boxes that can be learned and scored.

    Turned corners are turned back, what leaves the image is cut, a box without area is left out,
    and of two boxes of one class that are equal to 0.1 pixels one stays.

    Args:
        boxes: As the files have them.
        width: Of the image in pixels.
        height: Of the image in pixels.
        notes: Receives what was mended.
    """
    found: dict[tuple[object, ...], Box] = {}
    for box in boxes:
        xyxy = _mended(box, width, height, notes)
        if xyxy is None:
            continue
        key = (box.class_id, box.ignored, *(round(v, 1) for v in xyxy))
        if key in found:
            notes.add("doubled boxes are one", box.where)
        else:
            found[key] = Box(box.class_id, xyxy, box.ignored)
    return tuple(found.values())


def _mended(box: LabeledBox, width: int, height: int, notes: Notes) -> XYXY | None:
    if not all(map(math.isfinite, box.xyxy)):
        notes.add("boxes that are no numbers are left out", box.where)
        return None
    x1, y1, x2, y2 = box.xyxy
    if x2 < x1 or y2 < y1:
        notes.add("boxes of negative width or height are turned round", box.where)
        x1, x2, y1, y2 = min(x1, x2), max(x1, x2), min(y1, y2), max(y1, y2)
    if min(x1, y1) < -_TOLERANCE or x2 > width + _TOLERANCE or y2 > height + _TOLERANCE:
        notes.add("boxes are cut at the edge of their image", box.where)
    x1, x2 = (min(max(v, 0.0), float(width)) for v in (x1, x2))
    y1, y2 = (min(max(v, 0.0), float(height)) for v in (y1, y2))
    if x2 - x1 < _MIN_SIDE or y2 - y1 < _MIN_SIDE:
        notes.add("boxes without area are left out", box.where)
        return None
    return x1, y1, x2, y2


def unique_classes(names: Sequence[str], notes: Notes, where: str) -> tuple[tuple[str, ...], list[int]]:
    """Class names without doubles, and the new class id of each name.

    >>> unique_classes(["car", "bus", "Car"], Notes(), "data.yaml")
    (('car', 'bus'), [0, 1, 0])

    Args:
        names: As the file has them; those that differ in case alone are one class.
        notes: Receives names that are there twice.
        where: The file.
    """
    classes: dict[str, tuple[int, str]] = {}
    ids = []
    for name in names:
        known = classes.setdefault(name.strip().casefold(), (len(classes), name.strip()))
        ids.append(known[0])
    if len(classes) < len(names):
        notes.add("classes of one name are one class", where)
    return tuple(name for _, name in classes.values()), ids
