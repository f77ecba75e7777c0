"""Boxes in an image: as plain values, as arrays, as JSON, their overlap and their pairs."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from streetloop.types import Detections, Floats


@dataclass(frozen=True, slots=True)
class Box:
    """One object in an image, as it is stored.

    Attributes:
        class_id: Index into the class names of the model or dataset.
        xyxy: Left, top, right, bottom in pixels of the image.
        ignored: True if a detector may find or miss it without being judged for it.
        confidence: 0 to 1; 1 for a label.
    """

    class_id: int
    xyxy: tuple[float, float, float, float]
    ignored: bool = False
    confidence: float = 1.0


Boxes = tuple[Box, ...]
"""The boxes of one image; empty where nothing is there."""


def to_boxes(found: Detections, *, ignored: bool = False) -> Boxes:
    """Convert arrays to values, rounded to 0.1 pixels and a confidence of 4 digits.

    Boxes are rounded here and nowhere else, until a format with fixed digits is written.

    >>> found = Detections(np.array([[0.04, 1, 2, 9.96]], np.float32), np.ones(1), np.array([3]))
    >>> to_boxes(found)
    (Box(class_id=3, xyxy=(0.0, 1.0, 2.0, 10.0), ignored=False, confidence=1.0),)

    Args:
        found: The arrays.
        ignored: Marks all of them as boxes that no score counts.
    """
    rows = zip(found.xyxy.tolist(), found.confidence.tolist(), found.class_id.tolist(), strict=True)
    return tuple(
        Box(k, (round(x1, 1), round(y1, 1), round(x2, 1), round(y2, 1)), ignored, round(confidence, 4))
        for (x1, y1, x2, y2), confidence, k in rows
    )


def to_detections(boxes: Iterable[Box]) -> Detections:
    """Convert values to arrays."""
    boxes = tuple(boxes)
    return Detections(
        np.array([box.xyxy for box in boxes], np.float32).reshape(-1, 4),
        np.array([box.confidence for box in boxes], np.float32),
        np.array([box.class_id for box in boxes], np.int64),
    )


def ids_by_name(names: Sequence[str], others: Sequence[str]) -> tuple[int | None, ...]:
    """For each class id, the id of the class of that name in another class list.

    A name matches exactly, or else in any case. None stands where the other list lacks the class.

    >>> ids_by_name(("car", "Bus", "tram"), ("person", "bus", "car"))
    (2, 1, None)

    Args:
        names: Class names by class id.
        others: Class names of the other list by class id.
    """
    exact = {name: k for k, name in reversed(list(enumerate(others)))}
    folded = {name.casefold(): k for k, name in reversed(list(enumerate(others)))}
    return tuple(exact.get(name, folded.get(name.casefold())) for name in names)


def boxes_to_json(boxes: Iterable[Box]) -> list[dict[str, Any]]:
    """Convert boxes to the JSON that the ledger stores; `Box.ignored` is not part of it."""
    return [{"xyxy": list(b.xyxy), "confidence": b.confidence, "class_id": b.class_id} for b in boxes]


def boxes_from_json(values: Sequence[Mapping[str, Any]]) -> Boxes:
    """Read what `boxes_to_json` wrote."""
    return tuple(
        Box(v["class_id"], (x1, y1, x2, y2), confidence=v["confidence"])
        for v in values
        for x1, y1, x2, y2 in [v["xyxy"]]
    )


def iou(one: Floats, other: Floats) -> NDArray[np.float64]:
    """(N, M) intersection over union of every box of the one with every one of the other.

    >>> iou(np.array([[0, 0, 2, 2]], np.float32), np.array([[1, 0, 3, 2]], np.float32)).round(2)
    array([[0.33]])

    Args:
        one: (N, 4) left, top, right, bottom in pixels.
        other: (M, 4).
    """
    common = common_area(one, other)
    return np.asarray(common / np.maximum(area(one)[:, None] + area(other) - common, 1e-9))


def common_area(one: Floats, other: Floats) -> NDArray[np.float64]:
    """(N, M) square pixels that two boxes share.

    Args:
        one: (N, 4) left, top, right, bottom in pixels.
        other: (M, 4).
    """
    a, b = one.astype(np.float64)[:, None], other.astype(np.float64)[None]
    sides = np.minimum(a[..., 2:], b[..., 2:]) - np.maximum(a[..., :2], b[..., :2])
    sides = np.maximum(sides, 0.0)
    return np.asarray(sides[..., 0] * sides[..., 1])


def area(boxes: Floats) -> NDArray[np.float64]:
    """(N,) square pixels of each box.

    Args:
        boxes: (N, 4) left, top, right, bottom in pixels.
    """
    sides = boxes[:, 2:].astype(np.float64) - boxes[:, :2]
    return np.asarray(sides[:, 0] * sides[:, 1])


def best_pairs(similarity: NDArray[np.floating]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Choose the pairs of a row and a column whose similarities have the greatest sum.

    Each row and each column is in one pair at most; the smaller side is used up.

    >>> rows, columns = best_pairs(np.array([[0.9, 0.8], [0.7, 0.1]]))
    >>> rows.tolist(), columns.tolist()
    ([0, 1], [1, 0])

    Args:
        similarity: (N, M), larger is better; one with no row or no column has no pairs.

    Returns:
        Indices of rows, ascending, and of columns, each (min(N, M),).

    Reference: Crouse, "On implementing 2D rectangular assignment algorithms", 2016, as in SciPy.
    """
    from scipy.optimize import linear_sum_assignment  # takes half a second: where it is needed

    rows, columns = linear_sum_assignment(similarity, maximize=True)
    return rows, columns
