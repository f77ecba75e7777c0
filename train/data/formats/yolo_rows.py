"""Rows of YOLO's label files: boxes, boxes with a confidence, oriented boxes, polygons, poses."""

import math
from collections.abc import Iterator, Sequence

from streetloop.errors import DatasetError
from train.data.mending import XYXY, LabeledBox, Notes

_ROUNDING = 0.01  # share of the image by which a box may leave it
_BOX, _SCORED_BOX, _SMALLEST_POLYGON = 5, 6, 7  # numbers in a row


def parse_rows(
    text: str, file: str, ids: Sequence[int], size: tuple[int, int], notes: Notes, keypoints: int = 0
) -> Iterator[LabeledBox]:
    """The boxes of a label file, in pixels.

    >>> list(parse_rows("0 0.1 0.1 0.5 0.1 0.5 0.5 0.1 0.5", "a.txt", [0], (100, 100), Notes()))
    [LabeledBox(class_id=0, xyxy=(10.0, 10.0, 50.0, 50.0), where='a.txt, line 1', ignored=False)]

    Args:
        text: One object a line.
        file: Names the file in messages.
        ids: Class id of the dataset by that of the file.
        size: Width and height of the image in pixels.
        notes: Receives what was read as something simpler.
        keypoints: Numbers that follow each box where the dataset has poses, else 0.

    Raises:
        DatasetError: A row is of no known kind, has an unknown class, or lies outside the image.
    """
    for number, line in enumerate(text.splitlines(), start=1):
        if line.strip():
            where = f"{file}, line {number}"
            class_id, *values = _numbers(line, where)
            if not 0 <= class_id < len(ids) or class_id != int(class_id):
                raise DatasetError(f"{where}: class {class_id:g} is not one of {len(ids)}")
            xyxy = _fractions(values, where, notes, keypoints)
            x1, y1, x2, y2 = (v * side for v, side in zip(xyxy, (*size, *size), strict=True))
            yield LabeledBox(ids[int(class_id)], (x1, y1, x2, y2), where)


def _numbers(line: str, where: str) -> list[float]:
    try:
        values = [float(v) for v in line.split()]
    except ValueError:
        values = []
    if len(values) < _BOX:
        raise DatasetError(f"{where}: is not 'class x y width height'")
    return values


def _fractions(values: list[float], where: str, notes: Notes, keypoints: int) -> XYXY:
    """Left, top, right, bottom as fractions of the image."""
    count = 1 + len(values)
    if keypoints:
        if count != _BOX + keypoints:
            raise DatasetError(f"{where}: has {count} numbers, not {_BOX + keypoints} as 'kpt_shape' says")
        notes.add("keypoints are left out", where)
        return _corners(values[:4], where)
    if count == _BOX:
        return _corners(values, where)
    if count == _SCORED_BOX:
        if not 0 <= values[4] <= 1:
            raise DatasetError(f"{where}: its sixth number {values[4]:g} is no confidence from 0 to 1")
        notes.add("confidences of labels are left out", where)
        return _corners(values[:4], where)
    if count < _SMALLEST_POLYGON or count % 2 == 0:
        raise DatasetError(f"{where}: has {count} numbers: neither a box (5) nor a polygon (7, 9, 11, ...)")
    _require_inside(values, where)
    notes.add("polygons are read as the box around them", where)
    x, y = values[0::2], values[1::2]
    return min(x), min(y), max(x), max(y)


def _corners(values: list[float], where: str) -> XYXY:
    _require_inside(values, where)
    x, y, w, h = values
    return x - w / 2, y - h / 2, x + w / 2, y + h / 2


def _require_inside(values: list[float], where: str) -> None:
    inside = all(math.isfinite(v) and -_ROUNDING <= v <= 1 + _ROUNDING for v in values)
    if not inside:
        raise DatasetError(f"{where}: the box is outside the image; YOLO's numbers are 0 to 1")
