"""How far the boxes of two models are apart."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from streetloop.boxes import iou
from streetloop.types import Detections

_MATCH_IOU = 0.7


@dataclass(frozen=True, slots=True)
class BoxDifference:
    """The difference of two sets of boxes. A box matches one of its class at an IoU of 0.7 or more.

    Attributes:
        boxes: Boxes of the reference.
        missed: Boxes of the reference without a match.
        added: Boxes of the other without a match.
        pixels: Mean absolute shift of the four edges of matched boxes, in pixels of the picture;
            None without a match.
        confidence: Mean absolute difference of the confidence of matched boxes; None without one.
    """

    boxes: int
    missed: int
    added: int
    pixels: float | None
    confidence: float | None

    @property
    def agreement(self) -> float:
        """Share of all boxes that have a match, 0 to 1; 1 where neither has boxes."""
        matched = self.boxes - self.missed
        total = self.boxes + matched + self.added
        return 2 * matched / total if total else 1.0


def box_difference(pairs: Iterable[tuple[Detections, Detections]]) -> BoxDifference:
    """Compare boxes, the most confident of the reference first.

    >>> car = Detections(np.array([[0, 0, 9, 9]], np.float32), np.ones(1), np.array([0]))
    >>> box_difference([(car, car)]).pixels
    0.0

    Args:
        pairs: Of each picture the boxes of the reference and of the other.
    """
    edges: list[float] = []
    confidence: list[float] = []
    boxes = added = 0
    for reference, other in pairs:
        matched = _matches(reference, other)
        boxes += len(reference)
        added += len(other) - len(matched)
        for row, column in matched:
            edges.append(float(np.abs(reference.xyxy[row] - other.xyxy[column]).mean()))
            confidence.append(abs(float(reference.confidence[row] - other.confidence[column])))
    return BoxDifference(boxes, boxes - len(edges), added, _mean(edges, 3), _mean(confidence, 4))


def _matches(reference: Detections, other: Detections) -> list[tuple[int, int]]:
    """Pairs of matching rows; a box is in one pair."""
    overlap = iou(reference.xyxy, other.xyxy)
    overlap[reference.class_id[:, None] != other.class_id[None, :]] = 0
    found = []
    for row in np.argsort(-reference.confidence, kind="stable").tolist():
        column = int(overlap[row].argmax()) if len(other) else 0
        if len(other) and overlap[row, column] >= _MATCH_IOU:
            found.append((row, column))
            overlap[:, column] = 0
    return found


def _mean(values: list[float], digits: int) -> float | None:
    return round(float(np.mean(values)), digits) if values else None
