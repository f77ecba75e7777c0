"""Mends labels: boxes that can be learned and scored, and what had to be changed."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from streetloop.boxes import Box
from train.data.dataset import Dataset

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


def mend_dataset(dataset: Dataset, notes: Notes) -> Dataset:
    """A dataset with the boxes that `mend_boxes` leaves.

    Args:
        dataset: The dataset.
        notes: Receives what was mended.
    """
    examples = []
    for example in dataset.examples:
        where = f"image {example.image[:12]}"
        boxes = (LabeledBox(b.class_id, b.xyxy, where, b.ignored) for b in example.boxes)
        examples.append(replace(example, boxes=mend_boxes(boxes, example.width, example.height, notes)))
    return replace(dataset, examples=tuple(examples))
