"""Builds an imported dataset: opens images, mends boxes, and says what it mended."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from streetloop.counted_classes import is_class_name
from streetloop.errors import DatasetError, ImageUnreadable
from streetloop.images import decode_image
from streetloop.storage.store import image_key
from train.data.dataset import Dataset, Example
from train.data.formats.imported import ImportedDataset
from train.data.mending import LabeledBox, Notes, mend_boxes

_MAX_IMAGE_BYTES = 64 * 2**20


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
            DatasetError: There are no images, or a class has no name of one line.
        """
        if not self._examples:
            raise DatasetError(f"{purpose}: names no images")
        for number, name in enumerate(classes):
            if not is_class_name(name):
                raise DatasetError(
                    f"{purpose}: the name {name[:40]!r} of class {number} is no text of one line"
                )
        used = {example.key for example in self._examples.values()}
        files = {key: path for key, path in self._files.items() if key in used}
        dataset = Dataset(tuple(classes), tuple(self._examples.values()), purpose=purpose)
        return ImportedDataset(dataset, files, self.notes.sentences())
